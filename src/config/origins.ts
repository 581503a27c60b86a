import { basename, resolve } from "node:path";
import { sizeText } from "../core/size.ts";
import {
  type ChainSourceConfig,
  type Config,
  type FileSourceConfig,
  type ModuleConfig,
  withReplicas,
} from "./config.ts";
import type { LoadedConfig } from "./load.ts";
import { moduleOfPath } from "./module-schema.ts";
import type { ConfigPath } from "./problem.ts";

/** A value as a configuration writes it: one, or a list of them. */
export type WrittenValue = string | number | boolean | null | readonly (string | number | boolean | null)[];

/** A value that is in force, and where it comes from: `ipdm.yaml:12:28`, `default`, `--replicas`. */
export interface OriginValue {
  readonly path: ConfigPath;
  readonly value: WrittenValue;
  readonly origin: string;
}

/** Flags of the command line that change a configuration. */
export interface OriginFlags {
  readonly replicas?: number | undefined;
  readonly inputs?: Readonly<Record<string, string>> | undefined;
  readonly ranges?: Readonly<Record<string, string>> | undefined;
  readonly catalogue?: string | undefined;
}

/** Where the default of a limit comes from, said only once. */
const DEFAULT = "default";

/**
 * Every value of a configuration that is in force, in the order of the file, each with where it comes from: the place in the file, a
 * flag, or a default. Paths of files are absolute. Throws `REPLICAS_INVALID`.
 */
export function originsOf(loaded: LoadedConfig, flags: OriginFlags = {}): OriginValue[] {
  const values = new Map<string, OriginValue>();
  const config = flags.replicas === undefined ? loaded.config : withReplicas(loaded.config, flags.replicas);
  const put = (path: ConfigPath, value: WrittenValue, origin: string): void => {
    values.set(JSON.stringify(path), { path, value, origin });
  };
  const { $schema: _, ...written } = loaded.written;
  flatten(expanded(written), [], (path, value) => put(path, value, originOf(loaded, path)));
  for (const [path, value, why] of derived(config)) {
    const there = values.get(JSON.stringify(path));
    if (there === undefined) put(path, value, why);
    else put(path, value, there.origin);
  }
  if (flags.replicas !== undefined) {
    put(["domain", "replicas"], config.domain.replicas, "--replicas");
    if (config.domain.quorum !== loaded.config.domain.quorum)
      put(["domain", "quorum"], config.domain.quorum, "default: majority of --replicas");
  }
  if (flags.catalogue !== undefined) put(["catalogue"], resolve(flags.catalogue), "--catalogue");
  for (const name of Object.keys(flags.inputs ?? {})) {
    const source = config.sources.find((one) => one.name === name);
    if (source !== undefined && source.kind !== "generated")
      put(["sources", name, source.kind], placesOf(source), "--input");
  }
  for (const name of Object.keys(flags.ranges ?? {})) {
    const source = config.sources.find((one) => one.name === name);
    if (source === undefined || source.kind === "file" || source.kind === "generated") continue;
    const at = ["sources", name, "range"];
    put([...at, "from"], source.from, "--range");
    if (source.to === null) values.delete(JSON.stringify([...at, "to"]));
    else put([...at, "to"], source.to, "--range");
  }
  return [...values.values()];
}

/** Modules that are given by their path alone, in full. */
function expanded(written: Omit<LoadedConfig["written"], "$schema">): object {
  const modules = Object.entries(written.modules ?? {}).map(([name, module]) => [
    name,
    typeof module === "string" ? moduleOfPath(module) : module,
  ]);
  return { ...written, ...(written.modules === undefined ? {} : { modules: Object.fromEntries(modules) as object }) };
}

function flatten(value: unknown, path: ConfigPath, put: (path: ConfigPath, value: WrittenValue) => void): void {
  if (value === undefined) return;
  const isLeaf = typeof value !== "object" || value === null;
  const isList = Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null);
  if (isLeaf || isList) return put(path, value as WrittenValue);
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value as object);
  for (const [key, item] of entries) flatten(item, [...path, key], put);
}

/** The value's own place; of a short form, such as `late: ./late.wasm`, that of what stands for it. */
function originOf({ isWritten, locate, written }: LoadedConfig, path: ConfigPath): string {
  const parent = path.slice(0, -1);
  const isShort = path[0] === "modules" && path[2] === "file" && typeof written.modules?.[String(path[1])] === "string";
  if (!isWritten(path) && !isShort) return DEFAULT;
  const [file = "", ...place] = locate(isShort ? parent : path).split(/:(?=\d+:\d+$)/);
  return [basename(file), ...place].join(":");
}

/** What follows from other values, or from where the file stands. */
function* derived(config: Config): Generator<[ConfigPath, WrittenValue, string]> {
  const { domain } = config;
  yield [["domain", "id"], domain.id, "default: the pipeline's name"];
  yield [["domain", "replicas"], domain.replicas, DEFAULT];
  yield [["domain", "quorum"], domain.quorum, "default: majority of replicas"];
  yield [["domain", "verify"], domain.verify.kind, DEFAULT];
  if (domain.verify.kind === "sample") yield [["domain", "share"], domain.verify.share, DEFAULT];
  for (const source of config.sources) {
    const at = ["sources", source.name];
    if (source.kind === "generated") {
      yield [[...at, "generate", "rate"], source.spec.rate, DEFAULT];
      continue;
    }
    yield [[...at, source.kind], placesOf(source), DEFAULT];
    if (source.kind === "file") {
      yield [[...at, "format"], source.format, "default: the file's ending"];
      continue;
    }
    yield [[...at, "verify"], source.verify, DEFAULT];
    yield [[...at, "finality"], source.finality, DEFAULT];
  }
  for (const module of config.modules) yield* ofModule(module);
}

function* ofModule(module: ModuleConfig): Generator<[ConfigPath, WrittenValue, string]> {
  const at = ["modules", module.name];
  const { policy } = module;
  const why = "default of its trust";
  yield [[...at, "file"], module.file.path, DEFAULT];
  if (module.unit !== null) yield [[...at, "unit"], module.unit, DEFAULT];
  if (module.stdin !== undefined) yield [[...at, "stdin"], module.stdin, DEFAULT];
  yield [[...at, "isolation"], module.isolation, why];
  yield [[...at, "fuel", "call"], policy.fuelPerCall, why];
  yield [[...at, "fuel", "row"], policy.fuelPerRow, why];
  yield [[...at, "memory"], sizeText(policy.memoryBytesMax), why];
  yield [[...at, "stack"], policy.stackValuesMax, why];
  yield [[...at, "output"], sizeText(policy.outputBytesMax), why];
  yield [[...at, "capabilities"], policy.capabilities, why];
}

function placesOf(source: FileSourceConfig | ChainSourceConfig): WrittenValue {
  if (source.kind === "file") return (source satisfies FileSourceConfig).file.path;
  const [first, ...others] = source.places.map(({ path, written }) => (/^https?:/i.test(written) ? written : path));
  return others.length === 0 ? (first ?? "") : [first ?? "", ...others];
}
