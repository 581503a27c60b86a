import { fieldOf } from "../../batch/batch.ts";
import type { Field, Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";

/** Kinds of aggregates. */
export const AGGREGATE_KINDS = ["count", "sum", "min", "max", "mean"] as const;

/** One of {@link AGGREGATE_KINDS}. */
export type AggregateKind = (typeof AGGREGATE_KINDS)[number];

/** One output column of a window: `count` without a column counts rows, with one the rows that have a value there. */
export interface Aggregate {
  readonly name: string;
  readonly kind: AggregateKind;
  readonly column?: string;
}

/**
 * A keyed tumbling window in event time. Durations are microseconds; windows are `[start, end)` with `start = offset +
 * k·size`.
 */
export interface WindowPlan {
  /** Column of type `timestamp` that holds the event time. */
  readonly time: string;
  /** How far behind the newest event time the watermark stays. */
  readonly outOfOrderUs: number | bigint;
  readonly sizeUs: number | bigint;
  readonly offsetUs?: number | bigint;
  /** How long after its end (in event time) a window still takes rows. */
  readonly latenessUs: number | bigint;
  readonly keys: readonly string[];
  readonly aggregates: readonly Aggregate[];
}

/** A plan's times as safe integers, `0 <= offset < size`; `slack` is out-of-orderness plus lateness. */
export interface WindowTimes {
  readonly size: number;
  readonly offset: number;
  readonly outOfOrder: number;
  readonly slack: number;
}

/** Checks a plan's times. Throws `WINDOW_INVALID`. */
export function windowTimes(plan: WindowPlan): WindowTimes {
  const size = duration("size", plan.sizeUs, 1);
  const outOfOrder = duration("outOfOrder", plan.outOfOrderUs, 0);
  const slack = duration("outOfOrder and lateness together", outOfOrder + duration("lateness", plan.latenessUs, 0), 0);
  const offset = duration("offset", plan.offsetUs ?? 0, Number.MIN_SAFE_INTEGER) % size;
  return { size, outOfOrder, slack, offset: offset < 0 ? offset + size : offset };
}

/**
 * Columns of a window's output: `start` and `end` (timestamps, end exclusive), the keys with the type they have in the
 * input, then the aggregates. `count` is i64; `sum` is i64 over integers, f64 over floats; `mean` is f64; `min` and
 * `max` keep the column's type. An aggregate can be null only where its column can. Throws `COLUMN_MISSING`,
 * `TIME_COLUMN_TYPE`, `KEY_TYPE`, `AGGREGATE_TYPE`, `WINDOW_INVALID` and `SCHEMA_INVALID` (two columns of one name),
 * all of kind `config`.
 */
export function outputSchema(plan: WindowPlan, input: Schema): Schema {
  windowTimes(plan);
  checkTimeColumn(plan.time, input);
  const keys = plan.keys.map((name) => keyField(fieldOf(input, name)));
  const aggregates = plan.aggregates.map((aggregate) => aggregateField(aggregate, input));
  const bound = (name: string): Field => ({ name, type: "timestamp", nullable: false });
  return schemaOf([bound("start"), bound("end"), ...keys, ...aggregates]);
}

/** Checks the column that holds the event time. Throws `COLUMN_MISSING`, `TIME_COLUMN_TYPE`, of kind `config`. */
export function checkTimeColumn(name: string, input: Schema): void {
  const { type } = fieldOf(input, name);
  if (type === "timestamp") return;
  throw config("TIME_COLUMN_TYPE", `event time ${name} is ${type}, not a timestamp`, "name a column of type timestamp");
}

/** True for the column types whose values are whole numbers. */
export function isInteger(field: Field): boolean {
  return /^[iu](8|16|32|64)$/.test(field.type);
}

/** True for the column types whose values lie in 64-bit words. */
export function isWide(field: Field): boolean {
  return field.type === "i64" || field.type === "u64" || field.type === "timestamp";
}

function keyField(field: Field): Field {
  if (field.type === "f32" || field.type === "f64") {
    throw config(
      "KEY_TYPE",
      `${field.name} is ${field.type}; floats cannot be keys`,
      "key by an integer, a text or bytes",
    );
  }
  return field;
}

function aggregateField({ name, kind, column }: Aggregate, input: Schema): Field {
  if (column === undefined) {
    if (kind !== "count") throw config("WINDOW_INVALID", `${kind} needs a column`, `write ${kind}(column)`);
    return { name, type: "i64", nullable: false };
  }
  const field = fieldOf(input, column);
  if (kind === "count") return { name, type: "i64", nullable: false };
  const { nullable } = field;
  const float = field.type === "f32" || field.type === "f64";
  const ordered = kind === "min" || kind === "max";
  if (!isInteger(field) && !float && !(ordered && field.type === "timestamp")) {
    throw config(
      "AGGREGATE_TYPE",
      `${kind}(${column}) is not defined: ${column} is ${field.type}`,
      `${kind} takes a column of numbers`,
    );
  }
  if (ordered) return { name, type: field.type, nullable };
  return { name, type: kind === "mean" || float ? "f64" : "i64", nullable };
}

function duration(what: string, us: number | bigint, least: number): number {
  const value = Number(us);
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw config(
    "WINDOW_INVALID",
    `${what} of a window cannot be ${us} microseconds`,
    `give a whole number of at least ${least}`,
  );
}

function config(code: string, message: string, hint: string): IpdmError {
  return new IpdmError(code, message, { kind: "config", hint });
}
