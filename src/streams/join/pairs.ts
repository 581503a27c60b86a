import type { Batch } from "../../batch/batch.ts";
import { valueAt } from "../../batch/column.ts";
import { ColumnWriter } from "../../batch/column-writer.ts";
import { assembleBatch } from "../../batch/gather.ts";
import type { ColumnData } from "../../batch/layout.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { RowPicker } from "../../batch/pick.ts";
import type { JoinColumn, JoinPlan } from "./join-plan.ts";

/** One side of the pairs collected. */
class Side {
  batches: Batch[] = [];
  /** Row `rows[i]` of batch `at[i]` of {@link batches}; -1 where there is none. */
  readonly at = new Int32Array(BATCH_ROWS_DEFAULT);
  readonly rows = new Int32Array(BATCH_ROWS_DEFAULT);
  readonly picker = new RowPicker();
  private readonly numbers = new Map<Batch, number>();
  private newest: Batch | undefined;
  private newestNumber = 0;

  put(i: number, batch: Batch | undefined, row: number): void {
    this.rows[i] = batch === undefined ? -1 : row;
    if (batch !== undefined) this.at[i] = this.numberOf(batch);
  }

  /** Number of a batch in {@link batches}. */
  numberOf(batch: Batch): number {
    if (batch === this.newest) return this.newestNumber;
    let number = this.numbers.get(batch);
    if (number === undefined) {
      number = this.batches.length;
      this.batches.push(batch);
      this.numbers.set(batch, number);
    }
    this.newest = batch;
    this.newestNumber = number;
    return number;
  }

  /** The numbers of batches; at least one, for rows that are missing. */
  numbersOf(batches: readonly Batch[]): Int32Array {
    const numbers = new Int32Array(batches.length + 1);
    for (let i = 0; i < batches.length; i++) numbers[i] = this.numberOf(batches[i] as Batch);
    return numbers;
  }

  clear(): void {
    this.batches = [];
    this.numbers.clear();
    this.newest = undefined;
  }
}

/** Collects pairs of rows for a batch of 4096 of them. Who puts pairs looks at {@link isFull} after each, and goes on after it was taken. */
export class Pairs {
  readonly left = new Side();
  readonly right = new Side();
  count = 0;
  private readonly plan: JoinPlan;

  constructor(plan: JoinPlan) {
    this.plan = plan;
  }

  get isFull(): boolean {
    return this.count === BATCH_ROWS_DEFAULT;
  }

  /** A row of the left beside one of the right; one of them may be missing. */
  put(left: Batch | undefined, leftRow: number, right: Batch | undefined, rightRow: number): void {
    this.left.put(this.count, left, leftRow);
    this.right.put(this.count, right, rightRow);
    this.count++;
  }

  /** The pairs so far; undefined where there are none. */
  take(): Batch | undefined {
    const { count, plan, left, right } = this;
    if (count === 0) return undefined;
    for (const { picker, batches, at, rows } of [left, right]) picker.choose(batches, at, rows, count);
    const parts = plan.columns.map((column) => this.column(column, count));
    left.clear();
    right.clear();
    this.count = 0;
    return assembleBatch(plan.schema, count, parts);
  }

  private column({ field, side, name, other = name }: JoinColumn, count: number): ColumnData {
    const { left, right } = this;
    if (side !== "key") return (side === 0 ? left : right).picker.column(name, field);
    const isWhole = left.batches.length > 0 && left.batches[0]?.column(name).field.type === field.type;
    const hasAll = left.rows.subarray(0, count).every((row) => row >= 0);
    return isWhole && hasAll ? left.picker.column(name, field) : this.eitherKey(field, name, other, count);
  }

  private eitherKey(field: JoinColumn["field"], name: string, other: string, count: number): ColumnData {
    const { left, right } = this;
    const writer = new ColumnWriter(field);
    for (let i = 0; i < count; i++) {
      const row = left.rows[i] as number;
      const batch = row >= 0 ? left.batches[left.at[i] as number] : right.batches[right.at[i] as number];
      writer.push(
        batch === undefined
          ? null
          : valueAt(batch.column(row >= 0 ? name : other), row >= 0 ? row : (right.rows[i] as number)),
      );
    }
    return writer.held(count);
  }
}
