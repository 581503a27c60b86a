import type { Column } from "../../batch/column.ts";
import { wordsOf } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import type { Arena } from "../kernels/arena.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Accumulator } from "./accumulator.ts";
import { Counter, FloatSum, IntegerSum } from "./accumulators.ts";
import { Extreme } from "./extremes.ts";
import type { Joins } from "./joins.ts";
import { isWide } from "./plan.ts";

/** Bits that tell the kernel what to keep. */
const COUNT = 1;
const SUM = 2;
const LEAST = 4;
const MOST = 8;
const EXACT = 16;

/** Where kernels find a part's values, as floats and as words of 32 bits, and slots that are merged before rows; how far they came. */
export interface Scratch {
  readonly values: Float64Array;
  readonly words: Int32Array;
  readonly rows: Int32Array;
  readonly progress: Int32Array;
  readonly into: Int32Array;
  readonly from: Int32Array;
}

/** Room for a part of a chunk. */
export function scratchIn(arena: Arena): Scratch {
  const values = arena.f64(CHUNK_ROWS);
  const words = new Int32Array(values.buffer, values.byteOffset, 2 * CHUNK_ROWS);
  const [rows, into, from] = [arena.i32(CHUNK_ROWS), arena.i32(CHUNK_ROWS), arena.i32(CHUNK_ROWS)];
  return { values, words, rows, into, from, progress: arena.i32(2) };
}

/** What aggregates keep of one column, folded together: a row's numbers are added side by side instead of one after the other. */
export class Lane {
  readonly column: string | undefined;
  readonly parts: Accumulator[] = [];
  private readonly field: Field | undefined;
  /** Counts of the rows that have a value. */
  counts: Counter | undefined;
  private sums: IntegerSum | FloatSum | undefined;
  private least: Extreme | undefined;
  private most: Extreme | undefined;
  private what = 0;

  constructor(column: string | undefined, field: Field | undefined) {
    this.column = column;
    this.field = field;
  }

  /** Takes an accumulator of the column; false where the kernel does not know its kind. */
  take(part: Accumulator): boolean {
    if (part instanceof Counter) {
      this.counts = part;
      this.what |= COUNT;
    } else if (part instanceof IntegerSum || part instanceof FloatSum) {
      this.sums = part;
      this.what |= part instanceof IntegerSum ? SUM | EXACT : SUM;
    } else if (part instanceof Extreme) {
      if (part.kind === "min") this.least = part;
      else this.most = part;
      this.what |= part.kind === "min" ? LEAST : MOST;
    } else {
      return false;
    }
    this.parts.push(part);
    return true;
  }

  /** Folds values into the slots beside them, and counts rows for another column's sake; arrays by address. Returns how many are done. */
  fold(kernels: Kernels, slots: number, count: number, values: number, rows?: Counter): number {
    return kernels.fold(
      rows === undefined ? this.what : this.what | COUNT,
      slots,
      count,
      values,
      (rows ?? this.counts)?.counts.byteOffset ?? 0,
      this.sums?.sums.byteOffset ?? 0,
      this.least?.best.byteOffset ?? 0,
      this.most?.best.byteOffset ?? 0,
    );
  }

  /**
   * {@link fold} of `count` rows, with groups that join between them. `scratch.progress` holds the rows and joins that are done.
   */
  foldJoined(kernels: Kernels, slots: number, count: number, scratch: Scratch, joins: Joins, rows?: Counter): void {
    const { values, rows: at, into, from, progress } = scratch;
    at.set(joins.rows.subarray(0, joins.count));
    into.set(joins.into.subarray(0, joins.count));
    from.set(joins.from.subarray(0, joins.count));
    kernels.foldJoined(
      rows === undefined ? this.what : this.what | COUNT,
      slots,
      count,
      values.byteOffset,
      (rows ?? this.counts)?.counts.byteOffset ?? 0,
      this.sums?.sums.byteOffset ?? 0,
      this.least?.best.byteOffset ?? 0,
      this.most?.best.byteOffset ?? 0,
      at.byteOffset,
      into.byteOffset,
      from.byteOffset,
      joins.count,
      progress.byteOffset,
    );
  }

  /** The same of slots that are added to others. */
  merge(kernels: Kernels, into: number, from: number, count: number, rows?: Counter): number {
    return kernels.merge(
      rows === undefined ? this.what : this.what | COUNT,
      into,
      from,
      count,
      (rows ?? this.counts)?.counts.byteOffset ?? 0,
      this.sums?.sums.byteOffset ?? 0,
      this.least?.best.byteOffset ?? 0,
      this.most?.best.byteOffset ?? 0,
    );
  }

  /** The column's values as floats; false where one is not exact as such. */
  load(kernels: Kernels, column: Column, from: number, to: number, into: Scratch): boolean {
    const { field } = this;
    if (field === undefined) return true;
    if (!isWide(field)) {
      const values = column.values as Float64Array;
      into.values.set(to - from === values.length ? values : values.subarray(from, to));
      return true;
    }
    into.words.set(wordsOf(column).subarray(2 * from, 2 * to));
    return kernels.widen(into.values.byteOffset, to - from, field.type === "u64" ? 1 : 0) === 1;
  }
}
