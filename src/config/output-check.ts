import { SINK_ENDINGS, sinkFormatOf } from "../sinks/formats.ts";
import type { Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";

/** Checks the files of outputs: their form follows from the name, and no two are one. */
export function checkOutputFiles(config: WrittenConfig): Finding[] {
  const seen = new Map<string, string>();
  return Object.entries(config.outputs).flatMap(([name, output]) => {
    const path = ["outputs", name, "file"];
    const findings: Finding[] = [];
    if (sinkFormatOf(output.file) === undefined) {
      findings.push({
        path,
        atKey: false,
        message: `outputs.${name}.file: the form of ${output.file} cannot be told from its name`,
        hint: `end it in one of ${SINK_ENDINGS}`,
      });
    }
    const file = output.file.replaceAll(/(^|\/)(\.\/)+/g, "$1").replaceAll(/\/+/g, "/");
    const other = seen.get(file);
    if (other !== undefined)
      findings.push({
        path,
        atKey: false,
        message: `outputs.${name}.file is also the file of outputs.${other}`,
        hint: "give each output a file of its own",
      });
    seen.set(file, name);
    return findings;
  });
}
