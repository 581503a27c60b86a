import { Document, isScalar, isSeq, Scalar } from "yaml";
import { loadConfig } from "../config/load.ts";
import { type OriginValue, originsOf } from "../config/origins.ts";
import { placeName } from "../config/problem.ts";
import { pairs } from "./pair.ts";
import type { Terminal } from "./terminal.ts";
import { wholeNumber } from "./whole-number.ts";

/** Flags of `config print`, as the command line gives them. */
export interface ConfigPrintFlags {
  readonly origin?: boolean;
  readonly replicas?: string;
  readonly input: readonly string[];
  readonly range: readonly string[];
  readonly catalogue?: string;
}

/** `ipdm-runtime config print <config>`: the configuration that is in force, as YAML that means the same. */
export async function configPrintCommand(path: string, flags: ConfigPrintFlags, terminal: Terminal): Promise<void> {
  const inputs = pairs("--input", flags.input);
  const ranges = pairs("--range", flags.range);
  const loaded = await loadConfig(path, { files: "skip", inputs, ranges });
  const replicas = wholeNumber("--replicas", flags.replicas);
  const values = originsOf(loaded, { replicas, inputs, ranges, catalogue: flags.catalogue });
  if (terminal.options.json) {
    const listed = values.map(({ path: place, value, origin }) => ({ key: placeName(place), value, origin }));
    terminal.json({ event: "config", path: loaded.path, values: listed });
    return;
  }
  for (const line of yamlOf(values, flags.origin === true)
    .trimEnd()
    .split("\n"))
    terminal.print(line);
}

/** The values as one YAML document, with their origins as comments. */
export function yamlOf(values: readonly OriginValue[], withOrigin: boolean): string {
  const document = new Document({});
  for (const { path, value, origin } of values) {
    const node = document.createNode(value, { flow: true });
    if (withOrigin) node.comment = ` ${origin}`;
    // A text that another YAML reader takes for a number or a date stays a text.
    if (isScalar(node) && typeof value === "string" && /^[\d.+-]/.test(value)) node.type = Scalar.QUOTE_DOUBLE;
    if (isSeq(node)) node.flow = true;
    document.setIn([...path], node);
  }
  return document.toString({ lineWidth: 0 });
}
