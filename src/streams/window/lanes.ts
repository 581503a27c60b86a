import type { Column } from "../../batch/column.ts";
import { wordsOf } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Accumulator } from "./accumulator.ts";
import { Counter, FloatSum, IntegerSum } from "./accumulators.ts";
import { Extreme } from "./extremes.ts";
import { isWide } from "./plan.ts";

/** Bits that tell the kernel what to keep. */
const COUNT = 1;
const SUM = 2;
const LEAST = 4;
const MOST = 8;
const EXACT = 16;

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
  load(kernels: Kernels, column: Column, from: number, to: number, into: Float64Array): boolean {
    const { field } = this;
    if (field === undefined) return true;
    if (!isWide(field)) {
      into.set((column.values as Float64Array).subarray(from, to));
      return true;
    }
    new Int32Array(into.buffer, into.byteOffset, 2 * CHUNK_ROWS).set(wordsOf(column).subarray(2 * from, 2 * to));
    return kernels.widen(into.byteOffset, to - from, field.type === "u64" ? 1 : 0) === 1;
  }
}
