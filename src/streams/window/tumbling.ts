import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import { wordsOf } from "../../batch/column.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Hash } from "../../core/ports.ts";
import { CHUNK_ROWS, KEYS_IDLE_ANYWAY, KEYS_IDLE_BYTES_MAX, KEYS_IDLE_MAX } from "../limits.ts";
import { AggregateColumns } from "./columns.ts";
import { checkSchema, newestAfter, timesOf, windowStart } from "./event-clock.ts";
import type { Pane } from "./groups.ts";
import { Groups } from "./groups.ts";
import { KeyTable } from "./key-table.ts";
import { BatchCutter } from "./output.ts";
import type { WindowPlan, WindowTimes } from "./plan.ts";
import { outputSchema, windowTimes } from "./plan.ts";
import type { WindowState } from "./snapshot.ts";
import { groupBytes } from "./snapshot.ts";
import type { SavedState, StateSource } from "./state-tree.ts";
import { StateTree } from "./state-tree.ts";

/** What a step of a window gives: finished windows, and late rows with the input's schema, both in order. */
export interface WindowOutput {
  readonly rows: Batch[];
  readonly late: Batch[];
}

/** Options of {@link TumblingAggregate}. */
export interface TumblingOptions {
  /** Most rows of an output batch; default 4096. */
  readonly batchRows?: number;
}

/**
 * Keyed aggregates over tumbling windows in event time, decided row by row:
 *
 * - the watermark after a row is the newest event time so far minus `outOfOrder`;
 * - a row is late when its window's `end + lateness` is at or before the watermark as it stands before that row (its
 *   own time lies before that end, so counting it in makes no difference);
 * - a window fires once, when the watermark reaches `end + lateness`; its rows are ordered by canonical key bytes,
 *   windows by end. A fired window takes no row afterwards, since each would be late.
 *
 * Rows out, late rows and state after a row depend on the rows alone: not on how they were cut into batches, not on
 * snapshots. Null keys are a key; null values are skipped by everything but `count()`. After an error the object is of
 * no further use. Throws what {@link outputSchema} throws, and `SCHEMA_MISMATCH`, `TIME_NULL`, `TIME_RANGE`,
 * `AGGREGATE_OVERFLOW`, `WINDOW_STATE_FULL`.
 */
export class TumblingAggregate {
  readonly plan: WindowPlan;
  readonly inputSchema: Schema;
  readonly outputSchema: Schema;
  private readonly times: WindowTimes;
  private keys: KeyTable;
  private readonly groups: Groups;
  private readonly columns: AggregateColumns;
  private readonly out: BatchCutter;
  private readonly lateOut: BatchCutter;
  private readonly tree = new StateTree();
  private readonly ids = new Int32Array(CHUNK_ROWS);
  private readonly slots = new Int32Array(CHUNK_ROWS);
  /** Newest event time so far in microseconds; -∞ before the first row, +∞ after the end. */
  private newest = Number.NEGATIVE_INFINITY;
  private nextDeadline = Number.POSITIVE_INFINITY;
  private seen = 0;
  private readonly groupBytes: number;
  /** Most open groups since the key table was last rebuilt. */
  private peak = 0;

  constructor(plan: WindowPlan, inputSchema: Schema, { batchRows = BATCH_ROWS_DEFAULT }: TumblingOptions = {}) {
    this.plan = plan;
    this.inputSchema = inputSchema;
    this.outputSchema = outputSchema(plan, inputSchema);
    this.times = windowTimes(plan);
    this.keys = this.emptyKeys();
    this.columns = new AggregateColumns(plan, inputSchema);
    this.groups = new Groups((capacity) => this.columns.grow(capacity));
    this.groupBytes = groupBytes(this.state());
    this.out = new BatchCutter(this.outputSchema, batchRows);
    this.lateOut = new BatchCutter(inputSchema, batchRows);
  }

  /**
   * Goes on from a saved state as if nothing had happened. Throws `WINDOW_SNAPSHOT_MALFORMED`, `DAG_CID_MISMATCH`,
   * `DAG_MALFORMED`, `WINDOW_STATE_FULL`, and what reading throws.
   */
  static async restore(
    plan: WindowPlan,
    inputSchema: Schema,
    saved: StateSource,
    options: TumblingOptions = {},
  ): Promise<TumblingAggregate> {
    const made = new TumblingAggregate(plan, inputSchema, options);
    const { newest, seen } = await made.tree.load(saved, made.state(), made.times);
    made.newest = newest;
    made.seen = seen;
    made.findDeadline();
    return made;
  }

  /** Watermark in microseconds: -∞ before the first row, +∞ after {@link end}. */
  get watermark(): number {
    return this.newest - this.times.outOfOrder;
  }

  /** Rows taken so far, late ones included. */
  get rowsIn(): number {
    return this.seen;
  }

  /** Keys remembered: about four times the most groups that were open, and 65,536, at most. */
  get keysKnown(): number {
    return this.keys.size;
  }

  /** Takes a batch of any number of rows; gives what it finished. */
  push(batch: Batch): WindowOutput {
    checkSchema(this.inputSchema, batch);
    for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
      const to = Math.min(batch.rows, from + CHUNK_ROWS);
      if (this.assign(batch, from, to)) this.copyLate(batch, from, to);
      this.columns.add(batch, from, to, this.slots);
      this.seen += to - from;
      this.forgetIdleKeys();
      this.fire();
    }
    return this.take();
  }

  /** Moves the watermark to a time (whole microseconds) that is known from elsewhere; it never goes back. */
  advance(watermarkUs: number): WindowOutput {
    this.newest = newestAfter(this.newest, watermarkUs, this.times);
    this.fire();
    return this.take();
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
    return this.tree.save(hash, this.state(), { newest: this.newest, seen: this.seen });
  }

  private state(): WindowState {
    return { keys: this.keys, groups: this.groups, columns: this.columns };
  }

  /** Gives each row of a chunk the slot of its group, 0 to late ones; true when there are such. */
  private assign(batch: Batch, from: number, to: number): boolean {
    const { ids, slots, groups, times } = this;
    const words = wordsOf(timesOf(batch, this.plan.time, from, to, this.seen));
    this.keys.fill(batch, from, to, ids);
    let { newest } = this;
    let anyLate = false;
    let start = Number.NaN;
    let end = Number.NaN;
    let deadline = Number.NaN;
    let pane: Pane | undefined;
    let table: Int32Array = slots;
    let slotIds: Int32Array = groups.ids;
    let { touched } = groups;
    for (let row = from; row < to; row++) {
      const time = (words[2 * row + 1] as number) * 4_294_967_296 + ((words[2 * row] as number) >>> 0);
      if (!(time >= start && time < end)) {
        start = windowStart(time, times);
        end = start + times.size;
        deadline = end + times.slack;
        pane = groups.panes.get(start);
        if (pane !== undefined) table = pane.table;
      }
      if (deadline <= newest) {
        slots[row - from] = 0;
        anyLate = true;
        continue;
      }
      if (time > newest) newest = time;
      if (pane === undefined) {
        pane = this.openPane(start);
        table = pane.table;
      }
      const id = ids[row - from] as number;
      const mask = table.length - 1;
      let at = id & mask;
      let slot = table[at] as number;
      while (slot !== 0 && slotIds[slot] !== id) {
        at = (at + 1) & mask;
        slot = table[at] as number;
      }
      if (slot === 0) {
        this.keys.remember(id, batch, row);
        slot = groups.allocate(pane, id, this.keys.store.lengthOf(id) + this.groupBytes);
        table = pane.table;
        slotIds = groups.ids;
        touched = groups.touched;
      }
      slots[row - from] = slot;
      touched[slot] = 1;
    }
    this.newest = newest;
    return anyLate;
  }

  private openPane(start: number): Pane {
    const pane = this.groups.openPane(start, this.times.size, this.times.slack);
    this.nextDeadline = Math.min(this.nextDeadline, pane.deadline);
    return pane;
  }

  private copyLate(batch: Batch, from: number, to: number): void {
    for (let row = from; row < to; row++) {
      if (this.slots[row - from] !== 0) continue;
      let last = row + 1;
      while (last < to && this.slots[last - from] === 0) last++;
      this.lateOut.copy(batch, row, last);
      row = last;
    }
  }

  /**
   * Writes the windows that are due. Doing it after a chunk gives what doing it after each row would: no row reaches a
   * closed window.
   */
  private fire(): void {
    if (this.nextDeadline > this.newest) return;
    const due = [...this.groups.panes.values()].filter((pane) => pane.deadline <= this.newest);
    for (const pane of due.sort((a, b) => a.start - b.start)) this.emit(pane);
    this.findDeadline();
  }

  private emit(pane: Pane): void {
    const slots = this.groups.ordered(pane, this.keys.store);
    const keyCount = this.plan.keys.length;
    const start = BigInt(pane.start);
    const end = BigInt(pane.end);
    this.out.write(slots.length, (writer, from, to) => {
      const part = slots.subarray(from, to);
      writer.at(0).repeat(start, part.length);
      writer.at(1).repeat(end, part.length);
      for (let k = 0; k < keyCount; k++) {
        const column = writer.at(2 + k);
        for (const slot of part) column.push(this.keys.store.valueOf(this.groups.ids[slot] as number, k));
      }
      for (let a = 0; a < this.plan.aggregates.length; a++) {
        const column = writer.at(2 + keyCount + a);
        for (const slot of part) column.push(this.columns.valueOf(a, slot));
      }
    });
    for (const slot of slots) this.columns.clear(slot);
    this.groups.close(pane, slots);
  }

  private findDeadline(): void {
    this.nextDeadline = Number.POSITIVE_INFINITY;
    for (const { deadline } of this.groups.panes.values()) this.nextDeadline = Math.min(this.nextDeadline, deadline);
  }

  /**
   * Rebuilds the key table with the keys of open windows when it holds many others, so that it does not grow with the input:
   * keys of windows that fired, and of late rows.
   */
  private forgetIdleKeys(): void {
    const { keys, groups } = this;
    this.peak = Math.max(this.peak, groups.open);
    const isFull = keys.size > Math.min(4 * this.peak + KEYS_IDLE_MAX, this.peak + KEYS_IDLE_ANYWAY);
    if (!isFull && keys.store.sizeBytes <= groups.bytes + KEYS_IDLE_BYTES_MAX) return;
    const before = this.keys.store;
    const after = this.emptyKeys();
    this.groups.renumber((id) => after.add(before.valuesOf(id), before.bytesOf(id)));
    this.keys = after;
    this.peak = this.groups.open;
  }

  private emptyKeys(): KeyTable {
    return new KeyTable(this.plan.keys.map((name) => fieldOf(this.inputSchema, name)));
  }

  private take(): WindowOutput {
    return { rows: this.out.take(), late: this.lateOut.take() };
  }
}
