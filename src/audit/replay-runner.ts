import type { CID } from "multiformats/cid";
import type { ShownCommit, ShownTask } from "../../proofs/receipt/contents.ts";
import type { Schema } from "../batch/schema.ts";
import { operatorOfEntry } from "../consensus/module-entry.ts";
import { parseStage } from "../consensus/result.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, decodeBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { loadModule } from "../run/modules.ts";
import { LATE, MAIN, type TaskPlan } from "../runtime/plan.ts";
import { type ModuleOperatorForm, moduleSpec } from "../runtime/stage/module-spec.ts";
import { type LoadedModule, StageRunner } from "../runtime/stage/runner.ts";
import { streamInputs, streamPorts } from "../runtime/stage/stream-schema.ts";
import { windowPlan } from "../runtime/stage/window-operator.ts";
import { outputSchema } from "../streams/window/plan.ts";
import type { ReplayPorts } from "./replay.ts";

/** A module that the reader gives, and its file. */
export interface GivenModule {
  readonly bytes: Uint8Array;
  readonly file: string;
}

/** What runs a task's statements again, and the schemas of its output ports. */
export interface ReplayRunner {
  readonly runner: StageRunner;
  readonly schemas: Readonly<Record<string, Schema>>;
}

/**
 * Makes a task of a receipt runnable: operator and module from the receipt, columns from its input. `known` is the schema of its
 * input where one has been seen, `besides` those of the inputs beside it. Throws `NEEDS_DATA` where nothing tells the columns.
 */
export async function replayRunner(
  ports: ReplayPorts,
  { task, commits }: ShownTask,
  known: Schema | undefined,
  besides: readonly (Schema | undefined)[],
): Promise<ReplayRunner> {
  const { receipt } = ports;
  const { slot } = commits[0] as ShownCommit;
  const stageBlock = receipt.blocks.get(slot.stage.toString()) as Block;
  const { operator, leaves, input, beside: others } = parseStage(decodeBlock(stageBlock));
  const inputSchema = known ?? (await ports.input.schema(task, input.name, slot.input.cut, ports.signal));
  if (inputSchema === undefined) throw schemaUnknown(input.name, String(receipt.result.inputs[input.name]));
  const modules = new ReplayModules(ports, task);
  const module = operator.kind === "module" ? await modules.load(operator) : null;
  const beside = others?.map(({ input: each }, i) => {
    const schema = besides[i];
    if (schema === undefined) throw new IpdmError("INVARIANT", `columns of ${each.name} are known`);
    return { input: each, schema };
  });
  const tied = beside === undefined ? {} : { beside };
  const schemas = await portsOf({ operator, input, inputSchema, ...tied }, module);
  const plan: TaskPlan = {
    name: task,
    input,
    ...tied,
    operator,
    stage: stageBlock,
    inputSchema,
    ports: schemas,
    leaves,
    module: null,
    prove: null,
    key: receipt.blocks.get(slot.key.toString()) as Block,
  };
  const runner = new StageRunner(plan, {
    hash: sha256,
    read: (cid) => stateOf(ports, cid),
    module: async ({ version }) => (version === undefined ? module : modules.of(version)),
  });
  return { runner, schemas };
}

/** The versions of a task's module, each loaded once: those that its slots were certified with, or what the reader gives for them. */
class ReplayModules {
  private readonly ports: ReplayPorts;
  private readonly task: string;
  private readonly loaded = new Map<string, Promise<LoadedModule>>();

  constructor(ports: ReplayPorts, task: string) {
    this.ports = ports;
    this.task = task;
  }

  load(operator: ModuleOperatorForm): Promise<LoadedModule> {
    return moduleOf(this.ports, this.task, operator);
  }

  of(version: CID): Promise<LoadedModule> {
    const key = version.toString();
    const entry = this.ports.receipt.entries.get(key);
    if (entry === undefined) throw new IpdmError("INVARIANT", `entry ${key} is in the receipt`);
    // The column of the event time is the task's: the runner knows it.
    const loading = this.loaded.get(key) ?? this.load(operatorOfEntry(entry));
    this.loaded.set(key, loading);
    return loading;
  }
}

function schemaUnknown(name: string, anchor: string): IpdmError {
  return new IpdmError("NEEDS_DATA", `input ${name} has no rows to tell its columns from: the file itself is needed`, {
    kind: "unreachable",
    where: anchor,
    hint: `pass --input ${name}=path`,
    facts: { cid: anchor },
  });
}

async function stateOf({ receipt, input }: ReplayPorts, cid: CID): Promise<Uint8Array> {
  const bytes = receipt.blocks.get(cid.toString())?.bytes ?? (await input.recorded(cid));
  if (bytes !== undefined) return bytes;
  throw new IpdmError("NEEDS_DATA", `state ${cid.toString()} is needed, and ${input.data?.lacks ?? "not at hand"}`, {
    kind: "unreachable",
    where: cid.toString(),
    hint: "pass --data <data folder of the run>",
  });
}

async function moduleOf(
  { receipt, modules, lane, timeoutMs }: ReplayPorts,
  task: string,
  operator: ModuleOperatorForm,
): Promise<LoadedModule> {
  const given = modules.get(task);
  const { bytes } = given ?? (receipt.blocks.get(operator.module.toString()) as Block);
  const loaded = loadModule(lane, moduleSpec(operator, bytes, timeoutMs));
  if (given === undefined) return loaded;
  return loaded.catch((error: unknown) => {
    throw ofGiven(error, task, given.file);
  });
}

/** An error of loading a module that the reader gave: the reader knows it by its file and by the task that it is for. */
function ofGiven(error: unknown, task: string, file: string): unknown {
  if (!(error instanceof IpdmError)) return error;
  const { code, message, kind, retry, hint, facts } = error;
  return new IpdmError(code, message, {
    kind,
    retry,
    facts: { ...facts, task },
    where: `${task}: ${file}`,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

async function portsOf(
  task: Pick<TaskPlan, "operator" | "input" | "inputSchema" | "beside">,
  module: LoadedModule | null,
): Promise<Record<string, Schema>> {
  const { operator, inputSchema } = task;
  if (operator.kind === "window")
    return { [MAIN]: outputSchema(windowPlan(operator), inputSchema), [LATE]: inputSchema };
  if (operator.kind === "stream") return { ...streamPorts(operator, streamInputs(task)) };
  return { [MAIN]: module === null ? inputSchema : await module.handle.outputSchema(inputSchema) };
}
