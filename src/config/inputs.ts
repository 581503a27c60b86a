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
  checkNames(config, inputs);
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

/**
 * The configuration with other ranges of some chains, by name of the source: `17686110..17686124`, or `17686110..` for all from there
 * on. Throws, of kind `usage`, `INPUT_UNKNOWN` for a name that is no source, and `USAGE` for one that is no chain and for what is no range.
 */
export function withRanges(config: Config, ranges: Readonly<Record<string, string>>): Config {
  checkNames(config, ranges);
  const sources = config.sources.map((source): SourceConfig => {
    const text = Object.hasOwn(ranges, source.name) ? ranges[source.name] : undefined;
    if (text === undefined) return source;
    if (source.kind === "file" || source.kind === "generated")
      throw new IpdmError("USAGE", `--range is about blocks, and source ${source.name} is no chain`, { kind: "usage" });
    return { ...source, ...rangeOf(source.name, text) };
  });
  return { ...config, sources };
}

function rangeOf(name: string, text: string): { readonly from: number; readonly to: number | null } {
  const [, first = "", last = ""] = /^(\d{1,16})\.\.(\d{0,16})$/.exec(text) ?? [];
  const [from, to] = [Number(first), last === "" ? null : Number(last)];
  if (first !== "" && Number.isSafeInteger(from) && (to === null || (Number.isSafeInteger(to) && to >= from)))
    return { from, to };
  throw new IpdmError("USAGE", `--range takes name=first..last, not ${name}=${text}`, {
    kind: "usage",
    hint: `for example --range ${name}=17686110..17686124, or ${name}=17686110.. to follow the head from there on`,
  });
}

function checkNames(config: Config, given: Readonly<Record<string, string>>): void {
  const names = config.sources.map(({ name }) => name);
  for (const name of Object.keys(given)) {
    if (names.includes(name)) continue;
    const near = nearest(name, names);
    throw new IpdmError("INPUT_UNKNOWN", `the configuration has no source ${name}`, {
      kind: "usage",
      hint: near === undefined ? `its sources: ${names.join(", ")}` : `did you mean ${near}?`,
    });
  }
}
