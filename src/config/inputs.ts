import { IpdmError } from "../core/errors.ts";
import { formatOf } from "../sources/file.ts";
import { chainPlaces } from "./chain-source.ts";
import type { Config, SourceConfig } from "./config.ts";
import { locate } from "./files.ts";
import { nearest } from "./nearest.ts";

/**
 * The configuration with other places of some sources, by name: a file, and for a chain also a folder or the address of an
 * endpoint; relative to the working folder. Throws `INPUT_UNKNOWN` (kind `usage`) for a name that is no source, or one that is
 * generated.
 */
export async function withInputs(config: Config, inputs: Readonly<Record<string, string>>): Promise<Config> {
  const names = config.sources.map(({ name }) => name);
  for (const name of Object.keys(inputs)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new IpdmError("INPUT_UNKNOWN", `the configuration has no source ${name}`, {
      kind: "usage",
      hint: near === undefined ? `its sources: ${names.join(", ")}` : `did you mean ${near}?`,
    });
  }
  const sources = config.sources.map(async (source): Promise<SourceConfig> => {
    const place = Object.hasOwn(inputs, source.name) ? inputs[source.name] : undefined;
    if (place === undefined) return source;
    if (source.kind === "generated") {
      throw new IpdmError("INPUT_UNKNOWN", `source ${source.name} is generated: it is read from no file`, {
        kind: "usage",
        hint: `leave --input ${source.name}=… out`,
      });
    }
    if (source.kind !== "file") return { ...source, places: chainPlaces([place], process.cwd()) };
    return { ...source, file: await locate(place, process.cwd()), format: formatOf(place).format };
  });
  return { ...config, sources: await Promise.all(sources) };
}
