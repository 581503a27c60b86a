import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import { assembleBatch } from "../../batch/gather.ts";
import type { ColumnData } from "../../batch/layout.ts";
import { type Field, type Schema, schemaOf } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { loadNulls, loadNumbers } from "../expressions/load.ts";
import { type Vector, vector } from "../expressions/vector.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { AggregateSpec } from "../operators/specs.ts";
import { isInteger } from "../window/plan.ts";
import type { KeyExpiry } from "./key-expiry.ts";
import { KeyedValues } from "./keyed-values.ts";

/** What runs along with the rows, by the name of its column. */
export type RunningSpecs = Readonly<Record<string, AggregateSpec<string, unknown>>>;

/** Columns of a scan of rows of a schema: theirs, then the running ones. Throws `COLUMN_MISSING`, `AGGREGATE_TYPE`, `KEY_TYPE`. */
export function scanSchema(schema: Schema, keys: readonly string[], running: RunningSpecs): Schema {
  return new RunningTotals(schema, keys, Object.entries(running)).output;
}

interface Part {
  readonly kind: "count" | "sum" | "min" | "max" | "mean";
  readonly column: Field | undefined;
  readonly field: Field;
}

/** Running totals by key: for each aggregate how many values there were, and what they come to. */
export class RunningTotals {
  readonly schema: Schema;
  readonly output: Schema;
  readonly values: KeyedValues;
  private readonly parts: readonly Part[];
  private readonly ids = new Int32Array(CHUNK_ROWS);
  /** All rows have the one key. */
  private readonly isOne: boolean;
  private readonly loaded: Vector = vector(CHUNK_ROWS);
  /** Present where keys have a time-to-live. */
  readonly expiry: KeyExpiry | undefined;

  constructor(
    schema: Schema,
    keys: readonly string[],
    specs: readonly (readonly [string, AggregateSpec<string, unknown>])[],
    expiry?: KeyExpiry,
  ) {
    if (specs.length === 0)
      throw new IpdmError("AGGREGATE_TYPE", "a scan adds nothing", { kind: "config", hint: "write { rows: count() }" });
    this.expiry = expiry;
    this.schema = schema;
    this.isOne = keys.length === 0;
    this.parts = specs.map(([name, spec]) => partOf(schema, name, spec));
    this.output = schemaOf([
      ...schema.fields.filter(({ name }) => !specs.some(([each]) => each === name)),
      ...this.parts.map(({ field }) => field),
    ]);
    this.values = new KeyedValues(schema, keys, 2 * specs.length + (expiry === undefined ? 0 : 1));
  }

  run(batch: Batch): Batch {
    const { values, ids, parts, expiry } = this;
    const data = parts.map(() => new Float64Array(batch.rows));
    for (let from = 0; from < batch.rows; from += CHUNK_ROWS) {
      const to = Math.min(batch.rows, from + CHUNK_ROWS);
      values.fill(batch, from, to, ids);
      if (expiry === undefined) {
        const [known] = values.numbers as [Float64Array];
        for (let i = 0; i < (this.isOne ? 1 : to - from); i++)
          if (Number.isNaN(known[ids[i] as number])) this.begin(ids[i] as number, batch, from + i);
        this.add(batch, from, to, ids, data);
      } else this.addLiving(expiry, batch, { from, to }, data);
    }
    const made = parts.map((part, p) => columnOf(part, data[p] as Float64Array));
    const kept = this.output.fields.slice(0, this.output.fields.length - parts.length);
    return assembleBatch(this.output, batch.rows, [...kept.map(({ name }) => batch.column(name)), ...made]);
  }

  /** Forgets keys that are over. */
  forget(): void {
    const { expiry, values } = this;
    if (expiry !== undefined) values.forget((id) => expiry.isOver(values.numbers.at(-1)?.[id] as number));
  }

  /** Adds rows in runs, each of which ends before a row whose key begins anew. */
  private addLiving(
    expiry: KeyExpiry,
    batch: Batch,
    { from, to }: { readonly from: number; readonly to: number },
    data: readonly Float64Array[],
  ): void {
    const { values, ids } = this;
    const until = values.numbers.at(-1) as Float64Array;
    expiry.open(batch, from, to);
    let begun = from;
    for (let row = from; row < to; row++) {
      const id = ids[row - from] as number;
      const lives = expiry.at(row);
      const last = until[id] as number;
      if (Number.isNaN(last)) this.begin(id, batch, row);
      else if (expiry.isOver(last)) {
        this.add(batch, begun, row, ids.subarray(begun - from), data);
        this.reset(id);
        begun = row;
      }
      until[id] = Number.isNaN(last) ? lives : Math.max(last, lives);
    }
    this.add(batch, begun, to, ids.subarray(begun - from), data);
    values.tidy((id) => expiry.isOver(values.numbers.at(-1)?.[id] as number));
  }

  private add(batch: Batch, from: number, to: number, ids: Int32Array, data: readonly Float64Array[]): void {
    const { values, parts, loaded } = this;
    const count = to - from;
    parts.forEach((part, p) => {
      const counts = values.numbers[2 * p] as Float64Array;
      const totals = values.numbers[2 * p + 1] as Float64Array;
      const into = (data[p] as Float64Array).subarray(from, to);
      loaded.nulls = undefined;
      if (part.column !== undefined && part.kind === "count") {
        loaded.nulls = loadNulls(batch.column(part.column.name), from, count);
      } else if (part.column !== undefined) {
        const column = batch.column(part.column.name);
        if (this.isOne && part.kind === "sum" && part.field.type === "f64" && column.nulls === 0) {
          if (column.values instanceof Float64Array)
            return foldOne(column.values.subarray(from, to), { counts, totals, into });
        }
        loadNumbers(column, from, count, loaded);
        loaded.nulls = loadNulls(column, from, count);
        if (loaded.wides !== undefined) throw overflow(part.field.name);
      }
      fold(part, loaded, ids, count, { counts, totals, into });
    });
  }

  private begin(id: number, batch: Batch, row: number): void {
    this.values.begin(id, batch, row);
    this.reset(id);
  }

  private reset(id: number): void {
    this.parts.forEach((part, p) => {
      (this.values.numbers[2 * p] as Float64Array)[id] = 0;
      (this.values.numbers[2 * p + 1] as Float64Array)[id] =
        part.kind === "min" ? Number.POSITIVE_INFINITY : part.kind === "max" ? Number.NEGATIVE_INFINITY : 0;
    });
  }
}

interface Target {
  readonly counts: Float64Array;
  readonly totals: Float64Array;
  readonly into: Float64Array;
}

/** Floats summed for the one key: the total needs no array. */
function foldOne(values: Float64Array, { counts, totals, into }: Target): void {
  let total = totals[0] as number;
  for (let i = 0; i < values.length; i++) {
    total += values[i] as number;
    into[i] = total;
  }
  totals[0] = total;
  counts[0] = (counts[0] as number) + values.length;
}

function fold(part: Part, loaded: Vector, ids: Int32Array, count: number, target: Target): void {
  const { counts, totals, into } = target;
  const { kind, field } = part;
  const { numbers, nulls } = loaded;
  if (kind === "sum" && field.type === "f64" && nulls === undefined) {
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number;
      const total = (totals[id] as number) + (numbers[i] as number);
      counts[id] = (counts[id] as number) + 1;
      totals[id] = total;
      into[i] = total;
    }
    return;
  }
  for (let i = 0; i < count; i++) {
    const id = ids[i] as number;
    if (nulls?.[i] !== 1) {
      counts[id] = (counts[id] as number) + 1;
      const value = numbers[i] as number;
      const total = totals[id] as number;
      if (kind === "sum" || kind === "mean") totals[id] = total + value;
      else if (kind === "min" ? value < total : kind === "max" && value > total) totals[id] = value;
    }
    into[i] =
      kind === "count"
        ? (counts[id] as number)
        : kind === "mean"
          ? (totals[id] as number) / (counts[id] as number)
          : (totals[id] as number);
    if (field.type === "i64" && !Number.isSafeInteger(into[i]) && Number.isFinite(into[i])) throw overflow(field.name);
  }
}

/** A running value is null until its column has had one: ±∞ of `min` and `max`, NaN of `mean`; a sum begins at 0. */
function columnOf({ kind, field }: Part, values: Float64Array): ColumnData {
  const none = { nulls: 0, validity: undefined, offsets: undefined, extra: undefined, entries: 0 };
  if (field.type === "f64" && !field.nullable) return { ...none, data: new Uint8Array(values.buffer) };
  const data = new Uint8Array(8 * values.length);
  const validity = new Uint8Array((values.length + 7) >> 3).fill(0xff);
  if ((values.length & 7) !== 0) validity[validity.length - 1] = (1 << (values.length & 7)) - 1;
  let nulls = 0;
  const floats = new Float64Array(data.buffer);
  const words = new Int32Array(data.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    if (field.nullable && (kind === "mean" ? Number.isNaN(value) : !Number.isFinite(value))) {
      validity[i >> 3] = (validity[i >> 3] as number) & ~(1 << (i & 7));
      nulls++;
    } else if (field.type === "f64") {
      floats[i] = value;
    } else {
      const high = Math.floor(value / 4_294_967_296);
      words[2 * i] = value - high * 4_294_967_296;
      words[2 * i + 1] = high;
    }
  }
  return { data, nulls, validity: nulls > 0 ? validity : undefined, offsets: undefined, extra: undefined, entries: 0 };
}

function partOf(schema: Schema, name: string, { kind, column }: AggregateSpec<string, unknown>): Part {
  const own = column === undefined ? undefined : fieldOf(schema, column);
  const isFloat = own?.type === "f32" || own?.type === "f64";
  const isKnown = kind === "count" || kind === "sum" || kind === "min" || kind === "max" || kind === "mean";
  if (!isKnown || (kind !== "count" && (own === undefined || !(isInteger(own) || isFloat)))) {
    throw new IpdmError("AGGREGATE_TYPE", `a running ${kind}(${column ?? ""}) is not defined`, {
      kind: "config",
      hint: "scan takes count, and sum, min, max and mean over numbers",
    });
  }
  const nullable = own?.nullable === true && (kind === "min" || kind === "max" || kind === "mean");
  const type = kind === "mean" || (isFloat && kind !== "count") ? "f64" : "i64";
  return { kind, column: own, field: { name, type, nullable } };
}

function overflow(name: string): IpdmError {
  return new IpdmError("AGGREGATE_OVERFLOW", `${name} is beyond 2^53, where a running value is no longer exact`, {
    hint: "cast the column to f64, or sum smaller units",
    facts: { aggregate: name },
  });
}
