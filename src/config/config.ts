import type { TextFormat } from "../batch/text/spelling.ts";
import type { StreamStep } from "../consensus/stream-form.ts";
import { IpdmError } from "../core/errors.ts";
import type { Abi, AbiOptions } from "../sandbox/abi/port.ts";
import type { Feature, Isolation, SandboxPolicy } from "../sandbox/policy.ts";
import type { ChainKind, ChainVerify, EndpointMode, TrustedHash } from "../sources/chain/kind.ts";
import type { GeneratedSpec } from "../sources/generated/kind.ts";
import type { ColumnTypeName } from "../sources/port.ts";
import type { AggregateKind } from "../streams/window/plan.ts";
import { REPLICAS_MAX } from "./limits.ts";

/** A file named in the configuration: as it is written there, and the absolute path it stands for. */
export interface FileReference {
  readonly written: string;
  readonly path: string;
}

/** Forms a table is read from. */
export const TABLE_FORMATS = ["parquet", "csv", "ndjson"] as const;

/** One of {@link TABLE_FORMATS}. */
export type TableFormat = (typeof TABLE_FORMATS)[number];

/** The column that holds a row's event time, and how far a row may come after a later one before it counts as late. */
export interface TimeConfig {
  readonly column: string;
  readonly outOfOrderUs: number;
  /** Column whose timestamps are the watermark after their row; nothing else moves it then. */
  readonly punctuated?: string;
}

/** How voters check a statement before they sign it: re-execute it always, or a share (above 0, at most 1) drawn by the challenges. */
export type VerifyConfig = { readonly kind: "full" } | { readonly kind: "sample"; readonly share: number };

/** The nodes that compute and sign together: `quorum` of `replicas` matching votes make a certificate; quorum > replicas / 2. */
export interface DomainConfig {
  readonly id: string;
  readonly replicas: number;
  readonly quorum: number;
  readonly verify: VerifyConfig;
}

/** A file. `columns` selects and orders the columns to read and declares their types; `format` is said or follows from the name. */
export interface FileSourceConfig {
  readonly kind: "file";
  readonly name: string;
  readonly file: FileReference;
  readonly format: TableFormat;
  readonly columns?: Readonly<Record<string, ColumnTypeName>>;
  readonly time?: TimeConfig;
}

/** Rows that are generated. */
export interface GeneratedSourceConfig {
  readonly kind: "generated";
  readonly name: string;
  readonly spec: GeneratedSpec;
  readonly time?: TimeConfig;
}

/**
 * Blocks of a chain, one row each. All `places` are files and folders, or all are endpoints. `from` is given with endpoints; where
 * `to` is null there, the run follows the head. `senders` is what tables say of a transaction's sender: nothing, the block's
 * claim, or what its signature gives.
 */
export interface ChainSourceConfig {
  readonly kind: ChainKind;
  readonly name: string;
  readonly places: readonly FileReference[];
  readonly chain: string | null;
  readonly verify: ChainVerify;
  readonly senders: "omit" | "trust" | "recover";
  readonly from: number | null;
  readonly to: number | null;
  readonly anchor: TrustedHash | null;
  /** What several endpoints are for. */
  readonly endpoints: EndpointMode;
  /** Blocks that must follow a block before it is final. */
  readonly finality: number;
}

/** An input: one of the kinds. */
export type SourceConfig = FileSourceConfig | GeneratedSourceConfig | ChainSourceConfig;

/** True for blocks of a chain. */
export function isChainSource(source: SourceConfig): source is ChainSourceConfig {
  return source.kind !== "file" && source.kind !== "generated";
}

/** A WASM program and what it may do; `time` is the event time of its output unless the task says otherwise. */
export interface ModuleConfig {
  readonly name: string;
  readonly file: FileReference;
  readonly abi: Abi;
  /** Rows of a unit for a `batch` or `stateful` module; null for one of kind `rows`. */
  readonly unit: number | null;
  /** It keeps memory and globals from one unit to the next. */
  readonly stateful: boolean;
  /** Columns of the output, where its ABI needs them said. */
  readonly columns: Readonly<Record<string, ColumnTypeName>> | null;
  /** Texts that the module may ask for by key; for a plugin of `extism/1` also the exported function that is called. */
  readonly options?: AbiOptions;
  /** Form of the text that a program of `wasi/1` reads; other modules have none. */
  readonly stdin?: TextFormat;
  readonly policy: SandboxPolicy;
  /** What of WebAssembly it may use beyond what every module may, where there is anything. */
  readonly features?: readonly Feature[];
  readonly timeoutUs: number;
  /** What separates its lanes from the node; it decides no result. */
  readonly isolation: Isolation;
  readonly time?: TimeConfig;
}

/** A column of a window table: `name` is its name there, `column` the input column (`count` may have none: it counts rows then). */
export interface AggregateConfig {
  readonly name: string;
  readonly kind: AggregateKind;
  readonly column?: string;
}

/** A window named by the user: its start in microseconds since the Unix epoch and its key, one value a key column. */
export interface NamedWindow {
  readonly startUs: number;
  readonly key: readonly (string | number | boolean | null)[];
}

/** Which windows of a task get a zero-knowledge proof: none, some drawn after the statement is fixed, or those the user names. */
export type ProveConfig =
  | { readonly kind: "none" }
  | { readonly kind: "drawn"; readonly windows: number }
  | { readonly kind: "named"; readonly windows: readonly NamedWindow[] };

/** When a newer version of a module in the catalogue takes over. */
export const UPGRADES = ["start", "live"] as const;

/** One of {@link UPGRADES}. */
export type Upgrade = (typeof UPGRADES)[number];

/** A task that runs a module over its input. `time` redeclares the event time of the output. */
export interface ModuleTaskConfig {
  readonly kind: "module";
  readonly name: string;
  /** Name of a source or of another task. */
  readonly input: string;
  /** Name of one of `modules`, `name@range` of a catalogue, or `ipdm:<name>` of a module that comes with the runtime. */
  readonly module: string;
  /** When a newer version in the catalogue takes over: where a run starts, or between two slots of it (`live`). */
  readonly upgrade: Upgrade;
  /** What separates a module of the catalogue from the node; what follows from who published it when left out. */
  readonly isolation?: Isolation;
  /** Texts that the module may ask for by name, over those that `modules` gives it. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly time?: TimeConfig;
}

/** A task that groups its input by key and tumbling event-time window. */
export interface WindowTaskConfig {
  readonly kind: "window";
  readonly name: string;
  /** Name of a source or of another task. */
  readonly input: string;
  readonly tumbleUs: number;
  readonly latenessUs: number;
  readonly key: readonly string[];
  readonly aggregates: readonly AggregateConfig[];
  readonly prove: ProveConfig;
}

/** A task of stream operators. `time` is the event time of the rows that come out, where they have another than those that go in. */
export interface StreamTaskConfig {
  readonly kind: "stream";
  readonly name: string;
  /** Name of a source or of another task; of several inputs the first. */
  readonly input: string;
  readonly beside: readonly string[];
  readonly steps: readonly StreamStep[];
  /** What a step is called in the file, where it has two names. */
  readonly called?: Readonly<Record<string, string>>;
  readonly time?: TimeConfig;
}

/** One of the kinds of task. */
export type TaskConfig = ModuleTaskConfig | WindowTaskConfig | StreamTaskConfig;

/** A lake and the size of its hot tier. */
export interface LakeConfig {
  readonly name: string;
  readonly hotBytes: number;
}

/** A table that leaves the pipeline; `side: "late"` is the late rows of a window task or of a join's left input, `late-right` those of its right. `file` as written: see `outputPaths`. */
export interface OutputConfig {
  readonly name: string;
  readonly input: string;
  readonly side: "main" | "late" | "late-right";
  readonly file: string;
}

/** Where the modules come from that tasks name as `name@range`. */
export interface CatalogueConfig {
  /** Absolute path of the catalogue's folder, where the file names one. */
  readonly folder?: string;
  /** Multiaddrs of served catalogues that are asked as well. */
  readonly peers: readonly string[];
}

/**
 * A checked configuration: plain data, defaults filled in, durations in microseconds, sizes in bytes. Everything stands in the
 * order of the file, except `tasks`: there each task follows its input.
 */
export interface Config {
  readonly name: string;
  /** Absolute path of the folder that holds the configuration file. */
  readonly folder: string;
  readonly domain: DomainConfig;
  readonly sources: readonly SourceConfig[];
  readonly modules: readonly ModuleConfig[];
  readonly catalogue?: CatalogueConfig;
  readonly tasks: readonly TaskConfig[];
  readonly lakes: readonly LakeConfig[];
  readonly outputs: readonly OutputConfig[];
}

/**
 * The configuration with another number of replicas. The quorum stays where it is still a majority of them, and becomes the
 * smallest majority where it is not. Throws `REPLICAS_INVALID` (kind `usage`) for anything but 1 to 31.
 */
export function withReplicas(config: Config, replicas: number): Config {
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > REPLICAS_MAX) {
    throw new IpdmError("REPLICAS_INVALID", `there can be 1 to ${REPLICAS_MAX} replicas, not ${replicas}`, {
      kind: "usage",
    });
  }
  const { quorum } = config.domain;
  const stays = quorum <= replicas && quorum > replicas / 2;
  return { ...config, domain: { ...config.domain, replicas, quorum: stays ? quorum : majorityOf(replicas) } };
}

/** The smallest number of votes that is more than half of the replicas. */
export function majorityOf(replicas: number): number {
  return Math.floor(replicas / 2) + 1;
}

/** The files and folders, or addresses, that a source is read from. */
export function filesOf(source: SourceConfig): readonly FileReference[] {
  if (source.kind === "generated") return [];
  return source.kind === "file" ? [source.file] : source.places;
}

/** Event time of a source's or task's rows: its own declaration, or what its input has; `undefined` for a window's table and where none is declared. */
export function eventTimeOf(config: Config, name: string): TimeConfig | undefined {
  return declaredTime(config, name)?.time;
}

/** As {@link eventTimeOf}, with the place of the declaration in the configuration. */
export function declaredTime(config: Config, name: string): DeclaredTime | undefined {
  const source = config.sources.find((candidate) => candidate.name === name);
  if (source !== undefined)
    return isChainSource(source) || source.time === undefined
      ? undefined
      : { time: source.time, path: ["sources", name, "time"] };
  const task = config.tasks.find((candidate) => candidate.name === name);
  if (task === undefined || task.kind === "window") return undefined;
  if (task.time !== undefined) return { time: task.time, path: ["tasks", name, "time"] };
  if (task.kind === "stream") return passedTime(config, task);
  const time = config.modules.find((candidate) => candidate.name === task.module)?.time;
  return time === undefined ? declaredTime(config, task.input) : { time, path: ["modules", task.module, "time"] };
}

/** An event time, and where it is declared. */
interface DeclaredTime {
  readonly time: TimeConfig;
  readonly path: readonly string[];
}

/** The event time of a task whose rows are those of its inputs: while the column stays, and as far out of order as the furthest of them. */
function passedTime(config: Config, { input, beside, steps }: StreamTaskConfig): DeclaredTime | undefined {
  if (steps.some(({ kind }) => kind === "join" || kind === "window")) return undefined;
  const [first, ...others] = [input, ...beside].map((name) => declaredTime(config, name));
  if (first === undefined) return undefined;
  const { column, punctuated } = first.time; // a column that gets another name is declared anew
  const needed = punctuated === undefined ? [column] : [column, punctuated];
  const isKept = steps.every((step) => {
    if (step.kind === "scan") return step.running.every(({ name }) => !needed.includes(name));
    if (step.kind === "rename") return step.columns.every(({ from }) => !needed.includes(from));
    if (step.kind === "withColumns") return step.columns.every(({ name }) => !needed.includes(name));
    if (step.kind !== "select") return true;
    return needed.every((each) =>
      step.columns.some(({ name, expression }) => name === each && "name" in expression && expression.name === each),
    );
  });
  const outOfOrderUs = others.reduce(
    (most, each) => Math.max(most, each?.time.outOfOrderUs ?? 0),
    first.time.outOfOrderUs,
  );
  return isKept ? { time: { ...first.time, outOfOrderUs }, path: first.path } : undefined;
}
