import type { Batch } from "../../batch/batch.ts";
import { type Column, isNull, type Value, valueAt, wordsOf, wordsToNumber } from "../../batch/column.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { KeptRows } from "../join/kept-rows.ts";
import { KEPT_ROWS_MAX } from "../limits.ts";
import type { Steps } from "../window/core.ts";
import { BatchCutter } from "../window/output.ts";

/** Which rows are the best. */
export interface TopPlan {
  readonly n: number;
  readonly by: string;
  readonly sign: 1 | -1;
  readonly per: readonly string[];
  /** Keeps the rows that are as good as the last of them, too. */
  readonly ties: boolean;
}

/** What rows are ordered by; null comes last. */
type Rank = number | bigint | string | null;

interface Candidate {
  readonly batch: Batch;
  readonly row: number;
  readonly rank: Rank;
}

/** The best rows of the group at hand, the best first. */
export class TopRows {
  readonly schema: Schema;
  readonly out: BatchCutter;
  private readonly plan: TopPlan;
  private best: Candidate[] = [];
  private group: readonly Value[] | undefined;

  constructor(schema: Schema, plan: TopPlan) {
    this.schema = schema;
    this.plan = plan;
    this.out = new BatchCutter(schema, BATCH_ROWS_DEFAULT);
  }

  /** 32 for each row that is kept, beside the batches that they are in. */
  get stateBytes(): number {
    return 32 * this.best.length;
  }

  /** Takes rows, and writes the best of groups that are over; stops whenever a batch is finished. */
  *pushing(batch: Batch): Steps {
    const by = batch.column(this.plan.by);
    const per = this.plan.per.map((name) => batch.column(name));
    const ranks = numbersOf(by);
    for (let from = 0; from < batch.rows; ) {
      if (per.length > 0 && !this.isSame(per, from)) {
        while (!this.write()) yield;
        this.group = per.map((column) => valueAt(column, from));
      }
      const to = endOfRun(per, from, batch.rows);
      if (ranks === undefined) for (let row = from; row < to; row++) this.offer(batch, row, rankOf(by, row));
      else this.offerAll(batch, ranks, from, to);
      from = to;
    }
  }

  /** Writes the best of the last group, which is over. */
  *finishing(): Steps {
    while (!this.write()) yield;
  }

  /** The best so far, as batches: pushed again they give the same state. */
  kept(): Batch[] {
    const rows = new KeptRows(this.schema);
    for (const { batch, row } of this.best) rows.add(batch, row, 0, 0);
    return rows.toBatches();
  }

  /** Goes on from what {@link kept} gave. */
  restore(batches: readonly Batch[]): void {
    for (const batch of batches) Array.from(this.pushing(batch));
  }

  /** Writes the best of a group that is over, up to the row that finishes a batch; whether those were all. */
  private write(): boolean {
    const { best, out } = this;
    let at = 0;
    for (; at < best.length && !out.isFull; at++) {
      const { batch, row } = best[at] as Candidate;
      out.copy(batch, row, row + 1);
    }
    this.best = at === best.length ? [] : best.slice(at);
    return this.best.length === 0;
  }

  private isSame(per: readonly Column[], row: number): boolean {
    const { group } = this;
    return group !== undefined && per.every((column, i) => sameValue(valueAt(column, row), group[i] ?? null));
  }

  /** Offers rows of one group: most are worse than the last of the best, which one comparison tells. */
  private offerAll(batch: Batch, ranks: Float64Array, from: number, to: number): void {
    const { plan } = this;
    const { sign, ties } = plan;
    let bound = this.bound();
    for (let row = from; row < to; row++) {
      const rank = ranks[row] as number;
      const value = sign * rank;
      if (value > bound || (value === bound && !ties) || (Number.isNaN(value) && !Number.isNaN(bound))) continue;
      this.offer(batch, row, Number.isNaN(rank) ? null : rank);
      bound = this.bound();
    }
  }

  /** The rank of the last of the best, signed so that less is better; NaN where there is no such row, or it has none: all rows have to be looked at. */
  private bound(): number {
    const last = this.best[this.plan.n - 1];
    return last === undefined || last.rank === null ? Number.NaN : this.plan.sign * Number(last.rank);
  }

  private offer(batch: Batch, row: number, rank: Rank): void {
    const { best, plan } = this;
    const { n, ties } = plan;
    const candidate = { batch, row, rank };
    if (best.length >= n) {
      const order = this.order(candidate, best[n - 1] as Candidate);
      if (order > 0 || (order === 0 && !ties)) return;
    }
    let at = best.length;
    while (at > 0 && this.order(candidate, best[at - 1] as Candidate) < 0) at--;
    best.splice(at, 0, candidate);
    if (best.length <= n) return;
    if (!ties) best.pop();
    else if (this.order(best[n] as Candidate, best[n - 1] as Candidate) > 0) best.length = n;
    else if (best.length > KEPT_ROWS_MAX) throw full();
  }

  private order({ rank: x }: Candidate, { rank: y }: Candidate): number {
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : x < y ? -this.plan.sign : this.plan.sign;
  }
}

/** The ranks of a column of numbers, NaN where there is none; undefined where numbers cannot say them. */
function numbersOf(column: Column): Float64Array | undefined {
  const { type } = column.field;
  const ranks = new Float64Array(column.rows);
  if (type === "i64" || type === "timestamp") {
    const words = wordsOf(column);
    for (let row = 0; row < column.rows; row++) {
      const high = words[2 * row + 1] as number;
      if (high >= 2 ** 20 || high < -(2 ** 20)) return undefined;
      ranks[row] = wordsToNumber(words, row);
    }
  } else if (type === "f64" || type === "f32" || /^[iu](8|16|32)$/.test(type)) {
    for (let row = 0; row < column.rows; row++) ranks[row] = Number(column.values[row]);
  } else return undefined;
  if (column.nulls > 0) for (let row = 0; row < column.rows; row++) if (isNull(column, row)) ranks[row] = Number.NaN;
  return ranks;
}

/** Whole numbers of any size compare with each other: a bigint equals the number of its value, but is not the same. */
function rankOf(column: Column, row: number): Rank {
  const value = valueAt(column, row);
  if (typeof value === "bigint" && value <= MAX && value >= -MAX) return Number(value);
  if (typeof value === "boolean") return Number(value);
  return value instanceof Uint8Array || Number.isNaN(value) ? null : value;
}

const MAX = BigInt(Number.MAX_SAFE_INTEGER);

/** Where the rows of the group of row `from` end, as far as this batch goes. */
function endOfRun(per: readonly Column[], from: number, rows: number): number {
  let to = rows;
  for (const column of per) to = endOfEqual(column, from, to);
  return to;
}

function endOfEqual(column: Column, from: number, to: number): number {
  const { type } = column.field;
  if (column.nulls === 0 && (type === "i64" || type === "u64" || type === "timestamp")) {
    const words = wordsOf(column);
    const [low, high] = [words[2 * from], words[2 * from + 1]];
    let row = from + 1;
    while (row < to && words[2 * row] === low && words[2 * row + 1] === high) row++;
    return row;
  }
  const first = valueAt(column, from);
  let row = from + 1;
  while (row < to && sameValue(valueAt(column, row), first)) row++;
  return row;
}

function sameValue(a: Value, b: Value): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? Buffer.compare(a, b) === 0 : a === b;
}

function full(): IpdmError {
  return new IpdmError("STREAM_STATE_FULL", `a top of equal rows keeps more than ${KEPT_ROWS_MAX} rows`, {
    hint: "leave ties out, or rank by another column",
    facts: { max: KEPT_ROWS_MAX },
  });
}
