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

/** What a step of a window gives, piece by piece as it is asked for; the last piece is returned. */
export type WindowPieces = Generator<WindowOutput, WindowOutput, undefined>;

/** How far a batch has been taken: rows `at` to `stop` of the chunk of `count` rows from row `from` are the part at hand. */
interface Taking {
  readonly batch: Batch;
  from: number;
  count: number;
  at: number;
  stop: number;
  /** What is next of that part. */
  next: "assign" | "count" | "fire";
}

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
    const taking = this.begin(batch);
    for (let due = this.goOn(taking); due !== undefined; due = this.goOn(taking)) finish(due);
    return this.take();
  }

  /** {@link push} that finishes batch by batch, as they are asked for, where windows were due; all must have been asked for before the next call. */
  pushing(batch: Batch): WindowOutput | WindowPieces {
    const taking = this.begin(batch);
    const due = this.goOn(taking);
    return due === undefined ? this.take() : this.pieces(due, taking);
  }

  /** Moves the watermark to a time (whole microseconds) that is known from elsewhere; it never goes back. */
  advance(watermarkUs: number): WindowOutput {
    const due = this.move(watermarkUs);
    if (due !== undefined) finish(due);
    return this.take();
  }

  /** {@link advance} in the way of {@link pushing}. */
  advancing(watermarkUs: number): WindowOutput | WindowPieces {
    const due = this.move(watermarkUs);
    return due === undefined ? this.take() : this.pieces(due);
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

  private begin(batch: Batch): Taking {
    checkSchema(this.inputSchema, batch);
    const { core } = this;
    if (!this.accelerated && core.seen + batch.rows >= this.kernelsAfter) {
      this.accelerated = true;
      core.accelerate();
    }
    return { batch, from: 0, count: 0, at: 0, stop: 0, next: "assign" };
  }

  /** Goes on with a batch up to where something is to be written; undefined when all its rows are taken. */
  private goOn(taking: Taking): Steps | undefined {
    const { core, windows } = this;
    const { batch } = taking;
    for (;;) {
      let due: Steps | undefined;
      if (taking.next === "assign") {
        if (taking.at === taking.count && !this.openNext(taking)) return undefined;
        taking.stop = windows.assign(taking.at, taking.count);
        if (windows.late) this.copyLate(batch, taking.from, taking.at, taking.stop);
        taking.next = "count";
        due = windows.counting?.();
      } else if (taking.next === "count") {
        this.count(batch, taking.from, taking.at, taking.stop);
        taking.next = "fire";
        due = windows.counted?.();
      } else {
        const isLast = taking.stop === taking.count;
        if (isLast) core.forgetIdleKeys((idOf) => windows.renumber(idOf));
        taking.at = taking.stop;
        taking.next = "assign";
        due = windows.fire(isLast) ?? (core.out.isFull ? NOTHING : undefined);
      }
      if (due !== undefined) return due;
    }
  }

  /** Opens the next chunk of a batch, if there is one. */
  private openNext(taking: Taking): boolean {
    const { batch, from, count } = taking;
    const next = from + count;
    if (next >= batch.rows) return false;
    taking.from = next;
    taking.count = Math.min(CHUNK_ROWS, batch.rows - next);
    taking.at = 0;
    this.core.open(batch, next, next + taking.count);
    return true;
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

  private move(watermarkUs: number): Steps | undefined {
    this.core.newest = newestAfter(this.core.newest, watermarkUs, this.core.windowTimes);
    return this.windows.fire(true);
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

  private *pieces(first: Steps, taking?: Taking): WindowPieces {
    const { out } = this.core;
    for (let due: Steps | undefined = first; due !== undefined; due = taking && this.goOn(taking)) {
      while (due.next().done !== true) yield { rows: out.takeFull(), late: this.lateOut.takeFull() };
      if (out.isFull) yield { rows: out.takeFull(), late: this.lateOut.takeFull() };
    }
    return this.take();
  }

  private take(): WindowOutput {
    return { rows: this.core.out.take(), late: this.lateOut.take() };
  }
}

/** Steps of which none is left. */
const NOTHING: Steps = (function* none() {})();

function finish(steps: Steps): void {
  while (steps.next().done !== true);
}

function windowsOf(core: WindowCore): Windows {
  const { shape: kind = "tumble" } = core.plan;
  if (kind === "session") return new SessionWindows(core);
  return kind === "count" || kind === "global" ? new CountWindows(core) : new PaneWindows(core);
}
