import type { Batch } from "../../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Hash } from "../../core/ports.ts";
import { CHUNK_ROWS, KERNELS_AFTER_ROWS } from "../limits.ts";
import { type Steps, WindowCore } from "./core.ts";
import { CountWindows } from "./count-windows.ts";
import { checkSchema, newestAfter } from "./event-clock.ts";
import { BatchCutter } from "./output.ts";
import { PaneWindows } from "./pane-windows.ts";
import type { WindowPlan } from "./plan.ts";
import { SessionWindows } from "./session-windows.ts";
import type { LoadedState, SavedState, StateSource } from "./state-tree.ts";
import { fetchState, StateTree } from "./state-tree.ts";
import type { Windows } from "./windows.ts";

/** What a step of a window gives: finished windows, and late rows with the input's schema, both in order. */
export interface WindowOutput {
  readonly rows: Batch[];
  readonly late: Batch[];
}

/** A step of a window piece by piece; the last one is returned. */
export type WindowPieces = Generator<WindowOutput, WindowOutput, undefined>;

/** Options of {@link WindowAggregate}. */
export interface WindowOptions {
  /** Most rows of an output batch; default 4096. */
  readonly batchRows?: number;
  /** Rows after which kernels in WebAssembly work, which changes nothing of what comes out; default 4096. */
  readonly kernelsAfter?: number;
}

/**
 * Keyed aggregates over windows in event time, decided row by row:
 *
 * - the watermark after a row is the newest event time so far minus `outOfOrder`, or what a punctuation says;
 * - a row is late when each window that it belongs to has its `end + lateness` at or before the watermark as it stands before that row;
 * - a window comes out once, when the watermark reaches `end + lateness`, or, with another emission, when it reaches `end` and
 *   whenever a row changes it afterwards; its rows are ordered by canonical key bytes, windows by end.
 *
 * Rows out, late rows and state after a row depend on the rows alone: not on how they were cut into batches, not on
 * snapshots. Null keys are a key; null values are skipped by everything but `count()`. After an error the object is of
 * no further use. Throws what {@link outputSchema} throws, and `SCHEMA_MISMATCH`, `TIME_NULL`, `TIME_RANGE`,
 * `AGGREGATE_OVERFLOW`, `AGGREGATE_LIMIT`, `WINDOW_STATE_FULL`.
 */
export class WindowAggregate {
  readonly plan: WindowPlan;
  readonly inputSchema: Schema;
  readonly outputSchema: Schema;
  private readonly core: WindowCore;
  private readonly windows: Windows;
  private readonly lateOut: BatchCutter;
  private readonly tree = new StateTree();
  private readonly kernelsAfter: number;
  private accelerated = false;

  constructor(plan: WindowPlan, inputSchema: Schema, { batchRows, kernelsAfter }: WindowOptions = {}) {
    this.kernelsAfter = kernelsAfter ?? KERNELS_AFTER_ROWS;
    this.plan = plan;
    this.inputSchema = inputSchema;
    this.core = new WindowCore(plan, inputSchema, batchRows);
    this.outputSchema = this.core.outputSchema;
    this.windows = windowsOf(this.core);
    this.lateOut = new BatchCutter(inputSchema, batchRows ?? BATCH_ROWS_DEFAULT);
  }

  /**
   * Goes on from a saved state as if nothing had happened. Throws `WINDOW_SNAPSHOT_MALFORMED`, `DAG_CID_MISMATCH`,
   * `DAG_MALFORMED`, `WINDOW_STATE_FULL`, and what reading throws.
   */
  static async restore(
    plan: WindowPlan,
    inputSchema: Schema,
    saved: StateSource,
    options: WindowOptions = {},
  ): Promise<WindowAggregate> {
    return WindowAggregate.resume(plan, inputSchema, await fetchState(saved), options);
  }

  /** {@link restore} from blocks that are in memory. */
  static resume(
    plan: WindowPlan,
    inputSchema: Schema,
    loaded: LoadedState,
    options: WindowOptions = {},
  ): WindowAggregate {
    const made = new WindowAggregate(plan, inputSchema, options);
    const { core, windows } = made;
    const progress = made.tree.load(loaded, { core, windows });
    core.newest = progress.newest;
    core.seen = progress.seen;
    windows.loaded();
    made.tree.check(loaded, { core, windows });
    return made;
  }

  /** Watermark in microseconds: -∞ before the first row, +∞ after {@link end}. */
  get watermark(): number {
    return this.core.newest - this.core.windowTimes.outOfOrder;
  }

  /** Newest event time in microseconds. */
  get newest(): number {
    return this.core.newest;
  }

  /** Rows taken so far, late ones included. */
  get rowsIn(): number {
    return this.core.seen;
  }

  /** Bytes of the open groups, as the limit counts them. */
  get stateBytes(): number {
    return this.core.groups.bytes;
  }

  /** Keys remembered: about four times the most groups that were open, and 65,536, at most. */
  get keysKnown(): number {
    return this.core.keys.size;
  }

  /** Takes a batch of any number of rows; gives what it finished. */
  push(batch: Batch): WindowOutput {
    return this.whole(this.rows(batch));
  }

  /** {@link push} that gives what it finishes batch by batch, as it is asked for it. Everything must have been asked for before the next call. */
  pushing(batch: Batch): WindowPieces {
    return this.pieces(this.rows(batch));
  }

  /** Moves the watermark to a time (whole microseconds) that is known from elsewhere; it never goes back. */
  advance(watermarkUs: number): WindowOutput {
    return this.whole(this.moved(watermarkUs));
  }

  /** {@link advance} in the way of {@link pushing}. */
  advancing(watermarkUs: number): WindowPieces {
    return this.pieces(this.moved(watermarkUs));
  }

  /** End of input: the watermark goes to +∞ and every open window fires. Rows that come afterwards are late. */
  end(): WindowOutput {
    return this.advance(Number.POSITIVE_INFINITY);
  }

  /**
   * The state as blocks: equal for equal rows, however they were cut, and whenever it was saved or restored before. Output
   * already handed over is not part of it.
   */
  save(hash: Hash): SavedState {
    return this.tree.save(hash, { core: this.core, windows: this.windows });
  }

  private *rows(batch: Batch): Steps {
    checkSchema(this.inputSchema, batch);
    const { core, windows } = this;
    if (!this.accelerated && core.seen + batch.rows >= this.kernelsAfter) {
      this.accelerated = true;
      core.accelerate();
    }
    for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, batch.rows - from);
      core.open(batch, from, from + count);
      for (let at = 0; at < count; ) {
        const stop = windows.assign(at, count);
        if (windows.late) this.copyLate(batch, from, at, stop);
        const before = windows.counting?.();
        if (before !== undefined) yield* before;
        this.count(batch, from, at, stop);
        const after = windows.counted?.();
        if (after !== undefined) yield* after;
        if (stop === count) core.forgetIdleKeys((idOf) => windows.renumber(idOf));
        const due = windows.fire(stop === count);
        if (due !== undefined) yield* due;
        if (core.out.isFull) yield;
        at = stop;
      }
    }
  }

  /** Adds the rows of a part to their groups. */
  private count(batch: Batch, base: number, at: number, stop: number): void {
    const { core } = this;
    const { slots, times } = core;
    const isWhole = at === 0;
    core.columns.add(
      batch,
      base + at,
      base + stop,
      isWhole ? slots : slots.subarray(at),
      isWhole ? times : times.subarray(at),
      core.joins,
    );
    core.joins.count = 0;
    core.seen += stop - at;
  }

  private *moved(watermarkUs: number): Steps {
    this.core.newest = newestAfter(this.core.newest, watermarkUs, this.core.windowTimes);
    const due = this.windows.fire(true);
    if (due !== undefined) yield* due;
  }

  private copyLate(batch: Batch, base: number, at: number, stop: number): void {
    const { slots } = this.core;
    for (let i = at; i < stop; i++) {
      if (slots[i] !== 0) continue;
      let last = i + 1;
      while (last < stop && slots[last] === 0) last++;
      this.lateOut.copy(batch, base + i, base + last);
      i = last;
    }
  }

  private whole(steps: Steps): WindowOutput {
    while (steps.next().done !== true);
    return { rows: this.core.out.take(), late: this.lateOut.take() };
  }

  private *pieces(steps: Steps): WindowPieces {
    while (steps.next().done !== true) yield { rows: this.core.out.takeFull(), late: this.lateOut.takeFull() };
    return { rows: this.core.out.take(), late: this.lateOut.take() };
  }
}

function windowsOf(core: WindowCore): Windows {
  const { shape: kind = "tumble" } = core.plan;
  if (kind === "session") return new SessionWindows(core);
  return kind === "count" || kind === "global" ? new CountWindows(core) : new PaneWindows(core);
}
