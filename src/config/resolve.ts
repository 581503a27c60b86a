import { resolve } from "node:path";
import { BATCH_ROWS_MAX } from "../batch/limits.ts";
import { parseDuration } from "../core/duration.ts";
import { hasCode, IpdmError } from "../core/errors.ts";
import { parseSize } from "../core/size.ts";
import { CAPABILITIES, FEATURES, ISOLATION, POLICIES, type SandboxPolicy } from "../sandbox/policy.ts";
import { formatOf } from "../sources/file.ts";
import type { ColumnTypeName } from "../sources/port.ts";
import { readAggregate } from "./aggregate.ts";
import { chainKindOf, resolveChain } from "./chain-source.ts";
import { chainTask, rejectedTask } from "./chain-task.ts";
import {
  type CatalogueConfig,
  type Config,
  type DomainConfig,
  isChainSource,
  type ModuleConfig,
  type ModuleTaskConfig,
  majorityOf,
  type ProveConfig,
  type SourceConfig,
  type StreamTaskConfig,
  type TaskConfig,
  type TimeConfig,
  type WindowTaskConfig,
} from "./config.ts";
import { locate, pathFault } from "./files.ts";
import { resolveGenerated } from "./generated-source.ts";
import { inOrder, inputNames } from "./graph.ts";
import { readInstant } from "./instant.ts";
import { SHARE_DEFAULT } from "./limits.ts";
import { moduleOfPath } from "./module-schema.ts";
import { readInput } from "./names.ts";
import type { Finding } from "./problem.ts";
import type { WrittenConfig } from "./schema.ts";
import { isStreamTask, streamSteps } from "./stream-task.ts";
import { microseconds } from "./window-schema.ts";

type Written<K extends "tasks" | "sources" | "modules"> = NonNullable<WrittenConfig[K]>[string];

/** The configuration with its defaults, units and paths resolved; `written` has passed the checks of form and of names. */
export async function resolveConfig(written: WrittenConfig, folder: string): Promise<Config> {
  const sources = await Promise.all(
    Object.entries(written.sources).map(([name, source]) => resolveSource(name, source, folder)),
  );
  const modules = await Promise.all(
    Object.entries(written.modules ?? {}).map(([name, module]) => resolveModule(name, module, folder)),
  );
  const chains = new Map(sources.filter(isChainSource).map((each) => [each.name, each] as const));
  const tasks = await Promise.all(
    Object.entries(written.tasks ?? {}).map(async ([name, task]) =>
      resolveTask(name, task, await chainTask(name, task, chains, folder)),
    ),
  );
  return {
    name: written.name,
    folder,
    domain: resolveDomain(written),
    sources,
    modules,
    ...(written.catalogue === undefined ? {} : { catalogue: resolveCatalogue(written.catalogue, folder) }),
    tasks: inOrder([...tasks, ...rejectedTasks(written, tasks)]),
    lakes: Object.entries(written.lakes ?? {}).map(([name, lake]) => ({ name, hotBytes: parseSize(lake.hot) })),
    outputs: Object.entries(written.outputs).map(([name, output]) => {
      const { name: input, side } = readInput(output.input);
      return { name, input, side, file: output.file };
    }),
  };
}

function resolveCatalogue(written: NonNullable<WrittenConfig["catalogue"]>, folder: string): CatalogueConfig {
  const { folder: named, peers } = typeof written === "string" ? { folder: written, peers: [] } : written;
  return { ...(named === undefined ? {} : { folder: resolve(folder, named) }), peers };
}

/** Faults of the paths of sources and modules that can be told without touching a disk. */
export function checkPaths(written: WrittenConfig): Finding[] {
  const findings: Finding[] = [];
  for (const [name, source] of Object.entries(written.sources)) {
    if (source.file === undefined) continue;
    const fault = pathFault(source.file);
    if (fault !== undefined)
      findings.push({ path: ["sources", name, "file"], atKey: false, message: `sources.${name}.file ${fault}` });
    try {
      formatOf(source.file, source.format);
    } catch (error) {
      if (!hasCode(error, "SOURCE_FORMAT_UNKNOWN") || !(error instanceof IpdmError)) throw error;
      const hint = error.hint === undefined ? {} : { hint: error.hint };
      findings.push({
        path: ["sources", name, "file"],
        atKey: false,
        message: `sources.${name}.file: ${error.message}`,
        ...hint,
      });
    }
  }
  for (const [name, module] of Object.entries(written.modules ?? {})) {
    const place = typeof module === "string" ? ["modules", name] : ["modules", name, "file"];
    const fault = pathFault(typeof module === "string" ? module : module.file);
    if (fault !== undefined) findings.push({ path: place, atKey: false, message: `${place.join(".")} ${fault}` });
  }
  return findings;
}

async function resolveSource(name: string, source: Written<"sources">, folder: string): Promise<SourceConfig> {
  if (source.generate !== undefined) return { ...resolveGenerated(name, source.generate), ...timeOf(source.time) };
  const chain = chainKindOf(source);
  if (chain !== undefined) return resolveChain(name, chain, source, folder);
  const written = source.file ?? ""; // checked: a source of no other kind has a file
  const file = await locate(written, folder);
  const columns = source.columns as Record<string, ColumnTypeName> | undefined; // the schema has read every type
  return {
    kind: "file",
    name,
    file,
    format: formatOf(written, source.format).format,
    ...(columns === undefined ? {} : { columns }),
    ...timeOf(source.time),
  };
}

/** A module with its defaults, units and path resolved; `given` has passed the checks of form. */
export async function resolveModule(name: string, given: Written<"modules">, folder: string): Promise<ModuleConfig> {
  const module = typeof given === "string" ? moduleOfPath(given) : given;
  const level = POLICIES[module.trust];
  // Calls of a module of kind rows have no event time, so a level of trust does not give it.
  const offered = level.capabilities.filter((capability) => capability !== "time" || module.kind !== "rows");
  const capabilities = module.capabilities ?? offered;
  const policy: SandboxPolicy = {
    fuelPerCall: module.fuel?.call ?? level.fuelPerCall,
    fuelPerRow: module.fuel?.row ?? level.fuelPerRow,
    memoryBytesMax: module.memory === undefined ? level.memoryBytesMax : parseSize(module.memory),
    stackValuesMax: module.stack ?? level.stackValuesMax,
    outputBytesMax: module.output === undefined ? level.outputBytesMax : parseSize(module.output),
    capabilities: CAPABILITIES.filter((capability) => capabilities.includes(capability)),
  };
  return {
    name,
    file: await locate(module.file, folder),
    abi: module.abi,
    unit: module.kind === "rows" ? null : (module.unit ?? BATCH_ROWS_MAX),
    stateful: module.kind === "stateful",
    columns: (module.columns as Record<string, ColumnTypeName> | undefined) ?? null, // the schema has read every type
    ...optionsOf(module),
    ...(module.abi === "wasi/1" ? { stdin: module.stdin ?? "ndjson" } : {}),
    policy,
    ...(module.features === undefined || module.features.length === 0
      ? {}
      : { features: FEATURES.filter((feature) => module.features?.includes(feature)) }),
    timeoutUs: parseDuration(module.timeout),
    isolation: module.isolation ?? ISOLATION[module.trust],
    ...timeOf(module.time),
  };
}

function optionsOf(module: ReturnType<typeof moduleOfPath>): Pick<ModuleConfig, "options"> {
  const { export: entry, config, settings } = module;
  if (entry === undefined && config === undefined && settings === undefined) return {};
  return { options: { entry: entry ?? null, settings: settings ?? config ?? {} } };
}

function resolveDomain({ name, domain }: WrittenConfig): DomainConfig {
  const replicas = domain?.replicas ?? 1;
  return {
    id: domain?.id ?? name,
    replicas,
    quorum: domain?.quorum ?? majorityOf(replicas),
    verify: domain?.verify === "sample" ? { kind: "sample", share: domain.share ?? SHARE_DEFAULT } : { kind: "full" },
  };
}

/** Beside each task with events one of the logs that it does not decode: they are counted, whether or not they are an output. */
function rejectedTasks(written: WrittenConfig, tasks: readonly TaskConfig[]): readonly TaskConfig[] {
  return tasks.flatMap((task) =>
    task.kind === "module" && written.tasks?.[task.name]?.events !== undefined ? [rejectedTask(task)] : [],
  );
}

function resolveTask(
  name: string,
  task: Written<"tasks">,
  chain: Pick<ModuleTaskConfig, "module" | "settings"> | undefined,
): TaskConfig {
  const { module = "", window, isolation } = task;
  const [input = "", ...beside] = inputNames(task);
  if (isStreamTask(task))
    return { kind: "stream", name, input, beside, steps: streamSteps(task), ...calledOf(task), ...timeOf(task.time) };
  if (window === undefined) {
    const settings = task.settings === undefined ? {} : { settings: task.settings };
    const apart = isolation === undefined ? {} : { isolation };
    const upgrade = task.upgrade ?? "start";
    return { kind: "module", name, input, module, upgrade, ...apart, ...settings, ...chain, ...timeOf(task.time) };
  }
  return {
    kind: "window",
    name,
    input,
    tumbleUs: microseconds(window.tumble, 1),
    latenessUs: parseDuration(window.lateness),
    key: task.key ?? [],
    aggregates: Object.entries(task.aggregate ?? {}).map(([column, text]) => ({
      name: column,
      ...(readAggregate(text) as Omit<WindowTaskConfig["aggregates"][number], "name">), // a plain window has no others
    })),
    prove: resolveProve(task.prove),
  };
}

function calledOf({ project, topN }: Written<"tasks">): Pick<StreamTaskConfig, "called"> {
  if (project === undefined && topN === undefined) return {};
  return {
    called: { ...(project !== undefined && { select: "project" }), ...(topN !== undefined && { top: "topN" }) },
  };
}

function resolveProve(prove: Written<"tasks">["prove"]): ProveConfig {
  if (prove === undefined) return { kind: "none" };
  if (prove === "window") return { kind: "drawn", windows: 1 };
  if (typeof prove.windows === "number") return { kind: "drawn", windows: prove.windows };
  const windows = prove.windows.map(({ start, key }) => ({
    startUs: typeof start === "number" ? start : readInstant(start),
    key,
  }));
  return { kind: "named", windows };
}

function timeOf(time: Written<"sources">["time"]): { time?: TimeConfig } {
  if (time === undefined) return {};
  const { column, outOfOrder, punctuated } = time;
  return {
    time: { column, outOfOrderUs: parseDuration(outOfOrder), ...(punctuated === undefined ? {} : { punctuated }) },
  };
}
