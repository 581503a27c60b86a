import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import { isNull, wordsOf, wordsToNumber } from "../../batch/column.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import { within } from "../../core/errors.ts";
import { Arena } from "../kernels/arena.ts";
import { CHUNK_ROWS, KEYS_IDLE_ANYWAY, KEYS_IDLE_BYTES_MAX, KEYS_IDLE_MAX } from "../limits.ts";
import { AggregateColumns } from "./columns.ts";
import { timesOf } from "./event-clock.ts";
import { Groups } from "./groups.ts";
import { Joins } from "./joins.ts";
import { KeyTable } from "./key-table.ts";
import { BatchCutter } from "./output.ts";
import type { WindowPlan, WindowTimes } from "./plan.ts";
import { outputSchema, windowTimes } from "./plan.ts";
import { groupBytes } from "./snapshot.ts";
import { windowText } from "./window-text.ts";

/** Whether a row of a window's output is one, or takes one back. */
export type Change = "insert" | "retract";

/** Work that stops whenever a batch is finished, so that it can be taken before there is another. */
export type Steps = Generator<undefined, void, undefined>;

/** A bound of the windows written: the same for all, or by slot. */
export type Bound = number | Float64Array;

/** What all kinds of windows work on: rows of the present chunk, keys, groups and their aggregates, the watermark, the output. */
export class WindowCore {
  readonly plan: WindowPlan;
  readonly inputSchema: Schema;
  readonly outputSchema: Schema;
  readonly windowTimes: WindowTimes;
  readonly groups: Groups;
  readonly columns: AggregateColumns;
  readonly out: BatchCutter;
  keys: KeyTable;
  /** Newest event time so far in microseconds; -∞ before the first row, +∞ after the end. */
  newest = Number.NEGATIVE_INFINITY;
  seen = 0;
  /** Rows of the chunk: event times, what they move the newest time to, key ids, and the slots where they count (0: nowhere). */
  times: Float64Array = new Float64Array(CHUNK_ROWS);
  marks: Float64Array = this.times;
  ids: Int32Array = new Int32Array(CHUNK_ROWS);
  slots: Int32Array = new Int32Array(CHUNK_ROWS);
  readonly arena = new Arena();
  /** The bytes of {@link times}, once kernels work. */
  private timeWords: Int32Array = new Int32Array(0);
  /** Groups of the part at hand that join. */
  readonly joins = new Joins();
  private batch: Batch | undefined;
  private from = 0;
  private groupBytes = 0;
  private picked = new Int32Array(256);
  /** Most open groups since the key table was last rebuilt. */
  private peak = 0;

  constructor(plan: WindowPlan, inputSchema: Schema, batchRows = BATCH_ROWS_DEFAULT) {
    this.plan = plan;
    this.inputSchema = inputSchema;
    this.outputSchema = outputSchema(plan, inputSchema);
    this.windowTimes = windowTimes(plan);
    this.keys = this.emptyKeys();
    this.columns = new AggregateColumns(plan, inputSchema, this.arena);
    this.groups = new Groups((capacity) => this.columns.grow(capacity), this.arena);
    this.out = new BatchCutter(this.outputSchema, batchRows);
  }

  /** Reads times and keys of rows `from` to `to`, at most 4096. */
  open(batch: Batch, from: number, to: number): void {
    const { plan } = this;
    this.readTimes(wordsOf(timesOf(batch, plan.time, from, to, this.seen)), from, to);
    if (plan.punctuated !== undefined) this.readMarks(batch, plan.punctuated, from, to);
    this.keys.fill(batch, from, to, this.ids);
    this.groups.idSpace = this.keys.size;
    this.batch = batch;
    this.from = from;
  }

  private readTimes(words: Int32Array, from: number, to: number): void {
    const { times } = this;
    const { kernels } = this.arena;
    if (kernels !== undefined) {
      this.timeWords.set(2 * (to - from) === words.length ? words : words.subarray(2 * from, 2 * to));
      kernels.widen(times.byteOffset, to - from, 0);
      return;
    }
    for (let i = 0, row = from; row < to; i++, row++) {
      times[i] = (words[2 * row + 1] as number) * 4_294_967_296 + ((words[2 * row] as number) >>> 0);
    }
  }

  /**
   * Moves what rows touch to a memory that kernels in WebAssembly work on, from when on they do; what comes out stays the same. It takes
   * a moment, so streams of few rows go without.
   */
  accelerate(): boolean {
    const { arena } = this;
    if (!arena.accelerate()) return false;
    const hasMarks = this.marks !== this.times;
    // One behind the other, as kernels expect them.
    const { buffer, byteOffset } = arena.f64(2 * CHUNK_ROWS);
    this.times = new Float64Array(buffer, byteOffset, CHUNK_ROWS);
    this.timeWords = new Int32Array(buffer, byteOffset, 2 * CHUNK_ROWS);
    this.marks = hasMarks ? arena.f64(CHUNK_ROWS) : this.times;
    this.ids = new Int32Array(buffer, byteOffset + 8 * CHUNK_ROWS, CHUNK_ROWS);
    this.slots = new Int32Array(buffer, byteOffset + 12 * CHUNK_ROWS, CHUNK_ROWS);
    this.groups.relocate();
    this.keys.relocate();
    return true;
  }

  private readMarks(batch: Batch, name: string | true, from: number, to: number): void {
    if (this.marks === this.times) this.marks = this.arena.f64(CHUNK_ROWS);
    if (name === true) return void this.marks.fill(Number.NEGATIVE_INFINITY, 0, to - from);
    const column = batch.column(name);
    const words = wordsOf(column);
    const { outOfOrder } = this.windowTimes;
    for (let row = from; row < to; row++) {
      const mark = isNull(column, row) ? Number.NEGATIVE_INFINITY : wordsToNumber(words, row) + outOfOrder;
      this.marks[row - from] = mark;
    }
  }

  /** Number of a row of the chunk, over the whole input. */
  rowNumber(i: number): number {
    return this.seen + i;
  }

  /** What a group of that key counts for the limit. */
  bytesOf(id: number): number {
    return this.keys.store.lengthOf(id) + this.bytesPerGroup;
  }

  /** What any group counts for the limit besides its key. */
  get bytesPerGroup(): number {
    if (this.groupBytes === 0) this.groupBytes = groupBytes(this.columns);
    return this.groupBytes;
  }

  /** Remembers the key of a row of the chunk. */
  remember(i: number): number {
    const id = this.ids[i] as number;
    this.keys.remember(id, this.batch as Batch, this.from + i);
    return id;
  }

  /** Writes groups in the order given. Errors name their window. */
  write(slots: Int32Array, start: Bound, end: Bound, change: Change = "insert"): void {
    for (let at = 0; at < slots.length; ) at = this.writeFrom(at, slots, start, end, change);
  }

  /** {@link write} that stops whenever a batch is finished. What it writes stays as it is until it is done. */
  *writing(slots: Int32Array, start: Bound, end: Bound, change: Change = "insert"): Steps {
    for (let at = 0; at < slots.length; ) {
      at = this.writeFrom(at, slots, start, end, change);
      if (this.out.isFull) yield;
    }
  }

  /** Writes groups from a place on, up to the one that finishes a batch; the place after it. */
  private writeFrom(first: number, slots: Int32Array, start: Bound, end: Bound, change: Change): number {
    const { keys, plan } = this;
    const keyCount = plan.keys.length;
    return this.out.write(first, slots.length, (writer, from, to) => {
      const part = slots.subarray(from, to);
      for (const [at, bound] of [start, end].entries()) {
        if (typeof bound === "number") writer.at(at).repeat(BigInt(bound), part.length);
        else writer.at(at).pushPicked(bound, part);
      }
      if (keyCount > 0) {
        const ids = this.idsOf(part);
        for (let k = 0; k < keyCount; k++) writer.at(2 + k).pushPicked(keys.store.column(k), ids);
      }
      for (let a = 0; a < plan.aggregates.length; a++) {
        const column = writer.at(2 + keyCount + a);
        const numbers = this.columns.numbersOf(a);
        if (numbers !== undefined) column.pushPicked(numbers, part);
        else for (const slot of part) column.push(plainNaN(this.valueOf(a, slot, start)));
      }
      if (plan.emit === "retract") writer.at(2 + keyCount + plan.aggregates.length).repeat(change, part.length);
    });
  }

  private idsOf(slots: Int32Array): Int32Array {
    const { ids } = this.groups;
    if (this.picked.length < slots.length) this.picked = new Int32Array(slots.length);
    const picked = this.picked.subarray(0, slots.length);
    for (let i = 0; i < slots.length; i++) picked[i] = ids[slots[i] as number] as number;
    return picked;
  }

  private valueOf(aggregate: number, slot: number, start: Bound): Value {
    try {
      return this.columns.valueOf(aggregate, slot);
    } catch (error) {
      const at = typeof start === "number" ? start : (start[slot] as number);
      const values = this.keys.store.valuesOf(this.groups.ids[slot] as number);
      throw within(windowText(at, values), error, { window: at });
    }
  }

  /**
   * Rebuilds the key table with the keys of open groups when it holds many others, so that it does not grow with the input: keys
   * of windows that fired, and of late rows. `renumber` gives every open group's key its new id.
   */
  forgetIdleKeys(renumber: (idOf: (id: number) => number) => void): void {
    const { keys, groups } = this;
    this.peak = Math.max(this.peak, groups.open);
    const isFull = keys.size > Math.min(4 * this.peak + KEYS_IDLE_MAX, this.peak + KEYS_IDLE_ANYWAY);
    if (!isFull && keys.store.sizeBytes <= groups.bytes + KEYS_IDLE_BYTES_MAX) return;
    const before = this.keys.store;
    const after = this.emptyKeys();
    renumber((id) => after.add(before.valuesOf(id), before.bytesOf(id)));
    this.keys.release();
    this.keys = after;
    this.peak = this.groups.open;
  }

  private emptyKeys(): KeyTable {
    return new KeyTable(
      this.plan.keys.map((name) => fieldOf(this.inputSchema, name)),
      this.arena,
    );
  }
}

/** NaN with the one bit pattern that JavaScript gives it: which one a sum has is the processor's affair. */
function plainNaN(value: Value): Value {
  return Number.isNaN(value) ? Number.NaN : value;
}
