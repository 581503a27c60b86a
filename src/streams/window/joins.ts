import type { Batch } from "../../batch/batch.ts";
import type { Column } from "../../batch/column.ts";
import type { Accumulator } from "./accumulator.ts";

/** Groups that become one while rows of a part are assigned: before the row, `from` is added to `into` and begins anew. */
export class Joins {
  rows = new Int32Array(64);
  into = new Int32Array(64);
  from = new Int32Array(64);
  count = 0;

  /** `row` counts from the beginning of the part; rows never go back. */
  push(row: number, into: number, from: number): void {
    if (this.count === this.rows.length) {
      for (const name of ["rows", "into", "from"] as const) {
        const larger = new Int32Array(2 * this.count);
        larger.set(this[name]);
        this[name] = larger;
      }
    }
    this.rows[this.count] = row;
    this.into[this.count] = into;
    this.from[this.count++] = from;
  }
}

/** Rows of a batch and the slots beside them. */
export interface Rows {
  readonly batch: Batch;
  readonly from: number;
  readonly to: number;
  readonly slots: Int32Array;
  readonly times: Float64Array;
  readonly joins: Joins;
}

/** Folds rows into an accumulator, and joins groups between them. */
export function addJoined(accumulator: Accumulator, column: Column, { from, to, slots, times, joins }: Rows): void {
  for (let at = 0, join = 0; join <= joins.count; join++) {
    const end = join < joins.count ? (joins.rows[join] as number) : to - from;
    if (end > at) accumulator.add(column, from + at, from + end, slots.subarray(at), times.subarray(at));
    at = end;
    if (join === joins.count) return;
    accumulator.merge(joins.into.subarray(join, join + 1), joins.from.subarray(join, join + 1));
    accumulator.clear(joins.from[join] as number);
  }
}
