import * as dagCbor from "@ipld/dag-cbor";
import type { Batch } from "../../batch/batch.ts";
import { decodeBatch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import { sameSchema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Hash } from "../../core/ports.ts";
import type { Ipld } from "../../dag/block.ts";
import { checkBlock, rawBlock } from "../../dag/block.ts";
import type { Call, ModuleHandle, ModuleSession } from "../../sandbox/port.ts";
import type { SavedState, StateSource } from "../../streams/window/state-tree.ts";
import { MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";
import { latestTime } from "./unit-time.ts";

/** What a unit operator works with. */
export interface UnitOperatorParts {
  readonly module: ModuleHandle;
  readonly seed: Uint8Array;
  /** Rows of a unit; the last of an input may have fewer. */
  readonly unit: number;
  readonly input: Schema;
  /** Column of the input with the event time, a timestamp; calls have none when left out. */
  readonly time?: string | undefined;
}

/** Its state: where the next unit begins, its rows so far, and what a stateful module keeps (null before its first call). */
interface UnitState {
  readonly nextRow: number;
  readonly rows: Uint8Array;
  readonly memory?: Ipld;
}

/**
 * Runs a `batch` or `stateful` module: on units of a fixed number of rows, counted from the first row of its input, whatever
 * batches they come in. Rows of a unit that is not full yet wait, and are part of the state, as is what a stateful module keeps.
 */
export class UnitOperator implements StageOperator {
  private readonly parts: UnitOperatorParts;
  private readonly session: ModuleSession | undefined;
  private readonly waiting: BatchWriter;
  private nextRow = 0;
  private fuel = 0;

  private constructor(parts: UnitOperatorParts, session: ModuleSession | undefined, kept: UnitState | null) {
    this.parts = parts;
    this.session = session;
    this.waiting = new BatchWriter(parts.input);
    if (kept === null) return;
    this.nextRow = kept.nextRow;
    this.waiting.append(decodeBatch(kept.rows));
  }

  /**
   * An operator at the beginning of its input, or where a saved state was. Throws `MODULE_STATE_MALFORMED`, `DAG_CID_MISMATCH`,
   * what batches from outside throw, and what reading throws.
   */
  static async open(parts: UnitOperatorParts, saved: StateSource | null): Promise<UnitOperator> {
    const kept = saved === null ? null : await readState(parts, saved);
    if (parts.module.spec.kind !== "stateful") return new UnitOperator(parts, undefined, kept);
    const memory = kept?.memory ?? null;
    const source = memory === null || saved === null ? null : { state: memory, read: saved.read };
    return new UnitOperator(parts, await parts.module.openSession(source), kept);
  }

  push(batches: readonly Batch[], _firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    return this.process(this.fullUnits(batches), signal);
  }

  end(signal: AbortSignal): Promise<PortBatches> {
    return this.process(this.waiting.rows > 0 ? [this.take()] : [], signal);
  }

  takeFuel(): number {
    const { fuel } = this;
    this.fuel = 0;
    return fuel;
  }

  async save(hash: Hash, signal: AbortSignal): Promise<SavedState> {
    const kept = new BatchWriter(this.parts.input);
    const rows = this.waiting.take();
    kept.append(rows);
    this.waiting.append(rows);
    const own = { nextRow: this.nextRow, rows: kept.take().bytes };
    if (this.session === undefined) return { root: rawBlock(hash, dagCbor.encode(own)), fresh: [] };
    const { state, fresh } = await this.session.save({ signal });
    return { root: rawBlock(hash, dagCbor.encode({ ...own, memory: state })), fresh };
  }

  close(): void {
    this.session?.close();
  }

  private async process(calls: Iterable<Call>, signal: AbortSignal): Promise<PortBatches> {
    const outputs: Batch[] = [];
    for await (const { batch, fuel } of (this.session ?? this.parts.module).processAll(calls, { signal })) {
      this.fuel += fuel;
      if (batch.rows > 0) outputs.push(batch);
    }
    return { [MAIN]: outputs };
  }

  private *fullUnits(batches: readonly Batch[]): Generator<Call> {
    for (const batch of batches) {
      for (let from = 0; from < batch.rows; ) {
        const to = Math.min(batch.rows, from + this.parts.unit - this.waiting.rows);
        this.waiting.append(batch, from, to);
        from = to;
        if (this.waiting.rows === this.parts.unit) yield this.take();
      }
    }
  }

  private take(): Call {
    const batch = this.waiting.take();
    const firstRow = this.nextRow;
    this.nextRow += batch.rows;
    const { seed, time, module } = this.parts;
    // A version that took over may ask for less than the one before it.
    const latest =
      time !== undefined && module.spec.capabilities.includes("time") ? latestTime(batch, time) : undefined;
    return { batch, context: { firstRow, seed, ...(latest === undefined ? {} : { timeUs: latest }) } };
  }
}

/** Reads a state, which may have come from another node. */
async function readState(parts: UnitOperatorParts, { root, hash, read }: StateSource): Promise<UnitState> {
  const bytes = await read(root);
  checkBlock(hash, { cid: root, bytes });
  const state = unitState(bytes, parts.module.spec.kind === "stateful");
  if (
    state === undefined ||
    decodeBatch(state.rows).rows >= parts.unit ||
    !sameSchema(decodeBatch(state.rows).schema, parts.input)
  ) {
    throw new IpdmError("MODULE_STATE_MALFORMED", `${root.toString()} is no state of a module called on units`, {
      kind: "verification",
      where: root.toString(),
    });
  }
  return state;
}

function unitState(bytes: Uint8Array, isStateful: boolean): UnitState | undefined {
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { nextRow, rows, memory, ...rest } = value as { readonly [key: string]: Ipld };
  const fits =
    Object.keys(rest).length === 0 &&
    Number.isSafeInteger(nextRow) &&
    (nextRow as number) >= 0 &&
    rows instanceof Uint8Array &&
    (memory !== undefined) === isStateful;
  return fits ? { nextRow: nextRow as number, rows, ...(memory === undefined ? {} : { memory }) } : undefined;
}
