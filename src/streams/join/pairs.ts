import type { Batch } from "../../batch/batch.ts";
import { valueAt } from "../../batch/column.ts";
import { ColumnWriter } from "../../batch/column-writer.ts";
import { assembleBatch } from "../../batch/gather.ts";
import type { ColumnData } from "../../batch/layout.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { RowPicker } from "../../batch/pick.ts";
import type { JoinColumn, JoinPlan } from "./join-plan.ts";
import type { KeptRows } from "./kept-rows.ts";

/** One side of the pairs collected. */
class Side {
  batches: Batch[] = [];
  readonly at = new Int32Array(BATCH_ROWS_DEFAULT);
  readonly rows = new Int32Array(BATCH_ROWS_DEFAULT);
  readonly picker = new RowPicker();
  private readonly places = new Map<Batch, number>();
  private newest: Batch | undefined;
  private newestAt = 0;
  /** Places of the batches of kept rows, by their number there, plus 1; good for one version of them. */
  private keptPlaces = new Int32Array(64);
  private version = -1;

  put(i: number, batch: Batch | undefined, row: number): void {
    this.rows[i] = batch === undefined ? -1 : row;
    if (batch === undefined) return;
    if (batch !== this.newest) {
      let at = this.places.get(batch);
      if (at === undefined) {
        at = this.batches.length;
        this.batches.push(batch);
        this.places.set(batch, at);
      }
      this.newest = batch;
      this.newestAt = at;
    }
    this.at[i] = this.newestAt;
  }

  /** Puts row `row` of a kept batch, by that batch's number. */
  putKept(i: number, kept: KeptRows, number: number, row: number): void {
    if (this.version !== kept.version || number >= this.keptPlaces.length) this.readPlaces(kept);
    const place = this.keptPlaces[number] as number;
    if (place > 0) {
      this.rows[i] = row;
      this.at[i] = place - 1;
      return;
    }
    this.put(i, kept.batches[number], row);
    this.keptPlaces[number] = this.newestAt + 1;
  }

  private readPlaces({ batches, version }: KeptRows): void {
    if (batches.length > this.keptPlaces.length) this.keptPlaces = new Int32Array(2 * batches.length);
    this.keptPlaces.fill(0);
    this.version = version;
  }

  clear(): void {
    this.version = -1;
    this.batches = [];
    this.places.clear();
    this.newest = undefined;
  }
}

/** Rows of kept batches: the number of the batch, and the row. */
interface PlacedRows {
  readonly at: Int32Array;
  readonly rows: Int32Array;
}

/** Collects pairs of rows and makes batches of 4096 of them. */
export class Pairs {
  private readonly plan: JoinPlan;
  private readonly sides = [new Side(), new Side()] as const;
  private count = 0;
  private done: Batch[] = [];

  constructor(plan: JoinPlan) {
    this.plan = plan;
  }

  /** A row of the left beside one of the right; one of them may be missing. */
  put(left: Batch | undefined, leftRow: number, right: Batch | undefined, rightRow: number): void {
    this.sides[0].put(this.count, left, leftRow);
    this.sides[1].put(this.count, right, rightRow);
    this.count++;
    if (this.count === BATCH_ROWS_DEFAULT) this.cut();
  }

  /** {@link put} of kept rows, by their entries; -1 where one is missing. */
  putKept(left: KeptRows, leftEntry: number, right: KeptRows, rightEntry: number): void {
    this.putEntry(this.sides[0], left, leftEntry);
    this.putEntry(this.sides[1], right, rightEntry);
    this.count++;
    if (this.count === BATCH_ROWS_DEFAULT) this.cut();
  }

  /** {@link put} of kept rows, by their places in lists; -1 where one is missing. */
  putPlaced(kept: readonly [KeptRows, KeptRows], left: PlacedRows, l: number, right: PlacedRows, r: number): void {
    const [a, b] = this.sides;
    if (l < 0) a.put(this.count, undefined, 0);
    else a.putKept(this.count, kept[0], left.at[l] as number, left.rows[l] as number);
    if (r < 0) b.put(this.count, undefined, 0);
    else b.putKept(this.count, kept[1], right.at[r] as number, right.rows[r] as number);
    this.count++;
    if (this.count === BATCH_ROWS_DEFAULT) this.cut();
  }

  private putEntry(side: Side, kept: KeptRows, entry: number): void {
    if (entry < 0) side.put(this.count, undefined, 0);
    else side.putKept(this.count, kept, kept.at[entry] as number, kept.rows[entry] as number);
  }

  /** Whether a whole batch waits to be taken. */
  get isFull(): boolean {
    return this.done.length > 0;
  }

  /** The batches so far; the last may be short. */
  take(): Batch[] {
    this.cut();
    const { done } = this;
    this.done = [];
    return done;
  }

  private cut(): void {
    const { count, plan } = this;
    if (count === 0) return;
    for (const { picker, batches, at, rows } of this.sides) picker.choose(batches, at, rows, count);
    const parts = plan.columns.map((column) => this.column(column, count));
    this.done.push(assembleBatch(plan.schema, count, parts));
    this.sides[0].clear();
    this.sides[1].clear();
    this.count = 0;
  }

  private column({ field, side, name, other = name }: JoinColumn, count: number): ColumnData {
    if (side !== "key") return this.sides[side].picker.column(name, field);
    const [left] = this.sides;
    const isWhole = left.batches.length > 0 && left.batches[0]?.column(name).field.type === field.type;
    const hasAll = left.rows.subarray(0, count).every((row) => row >= 0);
    return isWhole && hasAll ? left.picker.column(name, field) : this.eitherKey(field, name, other, count);
  }

  private eitherKey(field: JoinColumn["field"], name: string, other: string, count: number): ColumnData {
    const [left, right] = this.sides;
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
