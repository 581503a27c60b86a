import type { CID } from "multiformats/cid";
import { Frontier } from "../../../proofs/merkle/frontier.ts";
import { leafHash } from "../../../proofs/merkle/tree.ts";
import type { Batch } from "../../batch/batch.ts";
import { RowEncoder } from "../../batch/rows.ts";
import type { Slot } from "../../consensus/slot.ts";
import {
  parseTaskState,
  type Statement,
  type StatementOutput,
  type Table,
  type TaskState,
} from "../../consensus/statement.ts";
import { assert, IpdmError, within } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import type { Block } from "../../dag/block.ts";
import { cborBlock, decodeBlock, rawBlock } from "../../dag/block.ts";
import type { ModuleHandle } from "../../sandbox/port.ts";
import { timeField } from "../../streams/window/plan.ts";
import type { StateSource } from "../../streams/window/state-tree.ts";
import type { TaskPlan } from "../plan.ts";
import { CopyOperator } from "./copy-operator.ts";
import { moduleSeed } from "./module-operator.ts";
import { openModuleStage } from "./module-stage.ts";
import type { PortBatches, StageOperator } from "./operator.ts";
import { recut } from "./recut.ts";
import { StreamOperator } from "./stream-operator.ts";
import { streamInputs } from "./stream-schema.ts";
import { WindowOperator } from "./window-operator.ts";

/** Where a runner finds states it did not just compute itself. With a signal it rejects with the signal's reason. */
export type ReadBlock = (cid: CID, signal?: AbortSignal) => Promise<Uint8Array>;

/** A module as a node runs it: the handle, and what statements say of it. */
export interface LoadedModule {
  readonly handle: ModuleHandle;
  readonly original: CID;
  readonly instrumented: CID;
  readonly costTable: string;
  readonly hostTable: string;
}

/** A slot carried out: the statement, and every block it names. */
export interface Executed {
  readonly statement: Statement;
  readonly statementBlock: Block;
  /** Output batches, the state, and of the operator's state what the one before did not have. */
  readonly blocks: readonly Block[];
  readonly outputs: PortBatches;
}

/** What a runner works with. */
export interface RunnerPorts {
  readonly hash: Hash;
  readonly read: ReadBlock;
  /** The module that a slot of the task runs; null where its operator is none. It may change from slot to slot. */
  readonly module: (slot: Slot, signal: AbortSignal) => Promise<LoadedModule | null>;
}

interface PortState {
  rows: number;
  frontier: Frontier;
}

interface Position {
  readonly cid: CID | null;
  readonly rowsIn: number;
  readonly module: LoadedModule | null;
  readonly operator: StageOperator;
  readonly ports: ReadonlyMap<string, PortState>;
}

/**
 * Carries out a task's slots on one node. It keeps the newest state in memory and goes on from it when the next slot asks
 * for that state; any other state it reads back. Given the same slot, batches and state, every node produces the same statement.
 */
export class StageRunner {
  private readonly task: TaskPlan;
  private readonly ports: RunnerPorts;
  private readonly encoder = new RowEncoder();
  private position: Position | undefined;
  /** The operator that went to work last, also while it is at work. */
  private operatorAtWork: StageOperator | undefined;

  constructor(task: TaskPlan, ports: RunnerPorts) {
    this.task = task;
    this.ports = ports;
  }

  /**
   * Executes a slot over its input batches, from the state before it. Throws what the module or the operator throws; `where`
   * names the task and, as near as the error knows, the row of its input, the window, or the slot.
   */
  async execute(
    slotCid: CID,
    slot: Slot,
    batches: readonly Batch[],
    before: CID | null,
    signal: AbortSignal,
  ): Promise<Executed> {
    try {
      return await this.carryOut(slotCid, slot, batches, before, signal);
    } catch (error) {
      throw this.placed(slot, error);
    }
  }

  /** Begins with the batches of a slot that is executed later, where that is possible: see {@link StageOperator.prepare}. */
  prepare(batches: readonly Batch[], firstRow: number, signal: AbortSignal): void {
    this.operatorAtWork?.prepare?.(batches, firstRow, signal);
  }

  private async carryOut(
    slotCid: CID,
    slot: Slot,
    batches: readonly Batch[],
    before: CID | null,
    signal: AbortSignal,
  ): Promise<Executed> {
    const position = await this.at(before, await this.ports.module(slot, signal), signal);
    this.operatorAtWork = position.operator;
    // A failure leaves a half-advanced operator behind: whoever asks again starts from the stored state.
    this.position = undefined;
    try {
      const executed = await this.advance(position, slotCid, slot, batches, signal);
      if (slot.input.end) position.operator.close();
      else
        this.position = { ...position, cid: executed.statement.state.after, rowsIn: position.rowsIn + slot.input.rows };
      return executed;
    } catch (error) {
      position.operator.close();
      throw error;
    }
  }

  private async advance(
    position: Position,
    slotCid: CID,
    slot: Slot,
    batches: readonly Batch[],
    signal: AbortSignal,
  ): Promise<Executed> {
    const { input } = slot;
    assert(input.from === position.rowsIn, `slot ${slot.task}/${slot.seq} starts where its state ends`);
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    if (rows !== input.rows) {
      throw new IpdmError(
        "INPUT_MISMATCH",
        `slot ${slot.task}/${slot.seq} names ${input.rows} rows, its batches hold ${rows}`,
        { kind: "verification" },
      );
    }
    const { part } = slot;
    const pushed = await position.operator.push(batches, input.from, signal, part);
    const ended = input.end ? await position.operator.end(signal) : {};
    const outputs: Record<string, readonly Batch[]> = {};
    const described: Record<string, StatementOutput> = {};
    const blocks: Block[] = [];
    for (const [port, schema] of Object.entries(this.task.ports)) {
      const cut = recut(schema, [...(pushed[port] ?? []), ...(ended[port] ?? [])]);
      outputs[port] = cut;
      const stored = cut.map((batch) => rawBlock(this.ports.hash, batch.bytes));
      blocks.push(...stored);
      described[port] = this.describe(port, position.ports.get(port) as PortState, cut, stored);
    }
    const { state, stateBlocks } = await this.state(position, input.rows, signal);
    blocks.push(...stateBlocks);
    const statement: Statement = {
      v: 1,
      kind: "result",
      slot: slotCid,
      stage: this.task.stage.cid,
      module: moduleOf(position.module),
      input: { from: input.from, rows: input.rows },
      outputs: described,
      state: { before: position.cid, after: state.cid },
      fuel: position.operator.takeFuel(),
      tables: input.end ? this.tables(position) : null,
    };
    return { statement, statementBlock: cborBlock(this.ports.hash, statement), blocks, outputs };
  }

  /** Streams count rows and name windows; whose they are is known here. */
  private placed({ task, seq, input: { from, rows } }: Slot, error: unknown): unknown {
    if (!(error instanceof IpdmError)) return error;
    if (error.where === undefined)
      return within(`tasks.${task}, slot ${seq}, input rows ${from} to ${from + rows}`, error);
    if ("row" in error.facts) return within(`tasks.${task}, input ${this.task.input.name}`, error);
    return "window" in error.facts ? within(`tasks.${task}`, error) : error;
  }

  private async at(before: CID | null, module: LoadedModule | null, signal: AbortSignal): Promise<Position> {
    const kept = this.position;
    const goesOn = kept !== undefined && (before === null ? kept.cid === null : kept.cid?.equals(before));
    if (goesOn && kept.module === module) return kept;
    kept?.operator.close();
    this.position = undefined;
    if (before === null) return this.beginning(module);
    const read = (cid: CID): Promise<Uint8Array> => this.ports.read(cid, signal);
    const state = parseTaskState(decodeBlock({ cid: before, bytes: await read(before) }));
    const saved = state.operator === null ? null : { root: state.operator, hash: this.ports.hash, read };
    const ports = new Map<string, PortState>();
    for (const port of Object.keys(this.task.ports)) {
      const kept = state.outputs[port];
      const frontier = { count: kept?.leaves ?? 0, hashes: kept?.frontier ?? [] };
      ports.set(port, { rows: kept?.rows ?? 0, frontier: new Frontier(this.ports.hash, frontier) });
    }
    return { cid: before, rowsIn: state.rowsIn, module, operator: await this.operator(module, saved), ports };
  }

  private async beginning(module: LoadedModule | null): Promise<Position> {
    const names = Object.keys(this.task.ports);
    const ports = new Map(names.map((port) => [port, { rows: 0, frontier: new Frontier(this.ports.hash) }]));
    return { cid: null, rowsIn: 0, module, operator: await this.operator(module, null), ports };
  }

  private async operator(module: LoadedModule | null, saved: StateSource | null): Promise<StageOperator> {
    const { operator, inputSchema } = this.task;
    if (operator.kind === "window") return WindowOperator.open(operator, inputSchema, saved);
    if (operator.kind === "copy") return new CopyOperator();
    if (operator.kind === "stream") return StreamOperator.open(operator, streamInputs(this.task), saved);
    assert(module !== null, `module of ${this.task.name} is loaded`);
    const { handle } = module;
    const seed = moduleSeed(this.ports.hash, this.task.stage.cid);
    const { unit, time } = operator;
    if (time !== undefined) timeField(inputSchema, time);
    return openModuleStage({ module: handle, seed, unit, input: inputSchema, time }, saved);
  }

  private describe(
    port: string,
    kept: PortState,
    batches: readonly Batch[],
    stored: readonly Block[],
  ): StatementOutput {
    const own = new Frontier(this.ports.hash);
    const from = kept.rows;
    const kind = this.task.leaves[port] ?? "batch";
    // The first leaves of a table are the same tree twice.
    const isFirst = kept.frontier.count === 0;
    const append = (leaf: Uint8Array): void => {
      own.append(leaf);
      if (!isFirst) kept.frontier.append(leaf);
    };
    for (const [i, batch] of batches.entries()) {
      if (kind === "batch") append(leafHash(this.ports.hash, (stored[i] as Block).cid.bytes));
      else for (let row = 0; row < batch.rows; row++) append(this.ports.hash(this.encoder.encode(batch, row, 0x00)));
      kept.rows += batch.rows;
    }
    if (isFirst) kept.frontier = new Frontier(this.ports.hash, own.toIpld());
    return { from, rows: kept.rows - from, batches: stored.map((block) => block.cid), leaf: kind, root: own.root() };
  }

  private async state(
    position: Position,
    rows: number,
    signal: AbortSignal,
  ): Promise<{ readonly state: Block; readonly stateBlocks: readonly Block[] }> {
    const saved = await position.operator.save(this.ports.hash, signal);
    const outputs: TaskState["outputs"] = {};
    for (const [port, kept] of position.ports) {
      const { count, hashes } = kept.frontier.toIpld();
      outputs[port] = { rows: kept.rows, leaves: count, frontier: [...hashes] };
    }
    const state: TaskState = {
      v: 1,
      stage: this.task.stage.cid,
      rowsIn: position.rowsIn + rows,
      outputs,
      operator: saved?.root.cid ?? null,
    };
    const block = cborBlock(this.ports.hash, state);
    return { state: block, stateBlocks: saved === null ? [block] : [block, saved.root, ...saved.fresh] };
  }

  private tables(position: Position): Record<string, Table> {
    const tables: Record<string, Table> = {};
    for (const [port, kept] of position.ports) {
      const leaf = this.task.leaves[port] ?? "batch";
      tables[port] = { rows: kept.rows, leaf, leaves: kept.frontier.toIpld().count, root: kept.frontier.root() };
    }
    return tables;
  }
}

function moduleOf(module: LoadedModule | null): Statement["module"] {
  if (module === null) return null;
  const { original, instrumented, costTable, hostTable } = module;
  return { original, instrumented, costTable, hostTable };
}
