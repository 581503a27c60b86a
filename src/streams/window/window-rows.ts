import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import { isNull, wordsOf, wordsToNumber } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { Punctuation } from "../keyed/punctuation.ts";
import { CHUNK_ROWS, KEYS_IDLE_MAX, WINDOW_VALUES_MAX } from "../limits.ts";
import { checkSchema, newestAfter, timesOf, windowStart } from "./event-clock.ts";
import { KeyTable } from "./key-table.ts";
import type { WindowPlan, WindowTimes } from "./plan.ts";
import { isInteger, outputSchema, windowTimes } from "./plan.ts";
import { windowText } from "./window-text.ts";

/** One group: the start of a window in microseconds, and a value for each key column in the plan's order. */
export interface WatchedWindow {
  readonly start: number | bigint;
  readonly keys: readonly Value[];
}

/** What a watched group was made of. */
export interface WatchedRows {
  readonly start: number;
  readonly keys: readonly Value[];
  /** Rows that counted, nulls included. */
  readonly rows: number;
  /** The column's values in row order, without nulls. */
  readonly values: readonly bigint[];
}

/** Options of {@link WindowRows}. */
export interface WindowRowsOptions {
  /** Integer column whose values are collected. */
  readonly column: string;
  readonly windows: readonly WatchedWindow[];
  /** Most values a window may have; default 2^22. */
  readonly valuesMax?: number;
}

/**
 * Collects the values that the windows drawn for a proof were made of: push the same input again, and it decides window
 * and lateness of each row as {@link WindowAggregate} does. Throws `WINDOW_ROWS_COLUMN` (no integer column),
 * `WINDOW_ROWS_LIMIT`, and what the aggregate throws about schema and times.
 */
export class WindowRows {
  private readonly plan: WindowPlan;
  private readonly schema: Schema;
  private readonly times: WindowTimes;
  private readonly options: WindowRowsOptions;
  private readonly found: { start: number; keys: readonly Value[]; rows: number; values: bigint[] }[];
  private keys: KeyTable;
  /** Watched groups by window start, then by key id. */
  private watched = new Map<number, Map<number, number>>();
  private readonly ids = new Int32Array(CHUNK_ROWS);
  private readonly clock: Punctuation;
  private newest = Number.NEGATIVE_INFINITY;
  private seen = 0;

  constructor(plan: WindowPlan, inputSchema: Schema, options: WindowRowsOptions) {
    outputSchema(plan, inputSchema);
    const field = fieldOf(inputSchema, options.column);
    if (!isInteger(field)) {
      throw new IpdmError("WINDOW_ROWS_COLUMN", `${field.name} is ${field.type}; only whole numbers can be proved`, {
        kind: "config",
        hint: "prove an aggregate over an integer column",
      });
    }
    this.plan = plan;
    this.schema = inputSchema;
    this.times = windowTimes(plan);
    this.clock = new Punctuation(plan.punctuated, this.times.outOfOrder);
    this.options = options;
    this.found = options.windows.map(({ start, keys }) => ({ start: Number(start), keys, rows: 0, values: [] }));
    this.keys = this.freshKeys();
  }

  /** Takes the next batch of the input. */
  push(batch: Batch): void {
    checkSchema(this.schema, batch);
    for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
      const to = Math.min(batch.rows, from + CHUNK_ROWS);
      this.collect(batch, from, to);
      this.seen += to - from;
      if (this.keys.size > KEYS_IDLE_MAX + this.found.length) this.keys = this.freshKeys();
    }
  }

  /** Does what {@link WindowAggregate.advance} does to lateness. */
  advance(watermarkUs: number): void {
    this.newest = newestAfter(this.newest, watermarkUs, this.times);
  }

  /** What was collected, in the order of `windows`. */
  result(): readonly WatchedRows[] {
    return this.found;
  }

  private collect(batch: Batch, from: number, to: number): void {
    const words = wordsOf(timesOf(batch, this.plan.time, from, to, this.seen));
    const { times, ids } = this;
    this.clock.open(batch);
    this.keys.fill(batch, from, to, ids);
    let start = Number.NaN;
    let groups: Map<number, number> | undefined;
    for (let row = from; row < to; row++) {
      const time = wordsToNumber(words, row);
      if (!(time >= start && time < start + times.size)) {
        start = windowStart(time, times, this.seen + row - from);
        groups = this.watched.get(start);
      }
      const isLate = start + times.size + times.slack <= this.newest;
      const mark = this.clock.at(row, time);
      if (mark > this.newest) this.newest = mark;
      if (isLate || groups === undefined) continue;
      const group = groups.get(ids[row - from] as number);
      if (group !== undefined) this.keep(batch, row, group);
    }
  }

  private keep(batch: Batch, row: number, group: number): void {
    const into = this.found[group];
    const column = batch.column(this.options.column);
    if (into === undefined) return;
    into.rows++;
    if (isNull(column, row)) return;
    const max = this.options.valuesMax ?? WINDOW_VALUES_MAX;
    if (into.values.length >= max) {
      const where = windowText(into.start, into.keys);
      throw new IpdmError("WINDOW_ROWS_LIMIT", `${where} has more than ${max} values`, {
        where,
        hint: "prove smaller windows or finer keys",
        facts: { window: into.start, max },
      });
    }
    into.values.push(BigInt(column.values[row] as number | bigint));
  }

  /** A key table that knows the watched keys alone. */
  private freshKeys(): KeyTable {
    const keys = new KeyTable(this.plan.keys.map((name) => fieldOf(this.schema, name)));
    this.watched = new Map();
    this.found.forEach(({ start, keys: values }, group) => {
      const byKey = this.watched.get(start) ?? new Map<number, number>();
      byKey.set(keys.idOf(values), group);
      this.watched.set(start, byKey);
    });
    return keys;
  }
}
