import { fieldOf } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import type { ColumnType, Field, Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";
import { COLLECTED_MAX, PANES_MAX } from "../limits.ts";

/** Kinds of aggregates. */
export const AGGREGATE_KINDS = ["count", "sum", "min", "max", "mean"] as const;

/** One of {@link AGGREGATE_KINDS}. */
export type AggregateKind = (typeof AGGREGATE_KINDS)[number];

/** Kinds that programs have beside {@link AGGREGATE_KINDS}. */
export type MoreKind =
  | "variance"
  | "first"
  | "last"
  | "distinct"
  | "approxDistinct"
  | "quantile"
  | "topK"
  | "collect"
  | "custom";

/** One output column of a window: `count` without a column counts rows, with one the rows that have a value there. */
export interface Aggregate {
  readonly name: string;
  readonly kind: AggregateKind | MoreKind;
  readonly column?: string;
  /** What `quantile` (0 to 1), `topK` and `collect` (how many) are told. */
  readonly option?: number;
  /** What `custom` does. */
  readonly custom?: CustomAggregate;
}

/**
 * An aggregate of a program's own over the values of one column. States are plain data that IPLD can hold (no undefined, no NaN),
 * and `add`, `merge` and `value` depend on their arguments alone; they return new states or change those given.
 */
export interface CustomAggregate {
  /** Type of the result, the width of a `fixed` one, and whether it may be null: true when left out. */
  readonly type: ColumnType;
  readonly width?: number;
  readonly nullable?: boolean;
  readonly zero: () => Ipld;
  readonly add: (state: Ipld, value: NonNullable<Value>) => Ipld;
  /** The state of the rows of both, those of `first` before those of `second`. */
  readonly merge: (first: Ipld, second: Ipld) => Ipld;
  readonly value: (state: Ipld) => Value;
}

/** What windows there are. */
export const WINDOW_KINDS = ["tumble", "hop", "cumulate", "session", "count", "global"] as const;

/** One of {@link WINDOW_KINDS}. */
export type WindowKind = (typeof WINDOW_KINDS)[number];

/** What there is of {@link Emission}. */
export const EMISSIONS = ["final", "upsert", "retract"] as const;

/**
 * What comes out of a window when: once, when it takes no more rows (`final`); or when the watermark reaches its end, and again for
 * each late row that changes it, as a row that replaces the one before (`upsert`), or as that row taken back and the new one (`retract`,
 * with a column `change`).
 */
export type Emission = (typeof EMISSIONS)[number];

/** When windows come out besides: after every so many rows of a group, or as event time passes multiples of a step. */
export interface Trigger {
  readonly rows?: number;
  readonly timeUs?: number;
}

/**
 * A keyed window in event time. Durations are microseconds; tumbling windows are `[start, end)` with `start = offset +
 * k·size`.
 */
export interface WindowPlan {
  /** Default `tumble`. */
  readonly shape?: WindowKind;
  /**
   * How far `hop` windows are apart, or how much longer each `cumulate` window is than the one before. `sizeUs` is the length of
   * the longest, the gap of a `session`, and no matter to `count` and `global`.
   */
  readonly stepUs?: number | bigint;
  /** Rows of a `count` window. */
  readonly rows?: number;
  /** Default `final`. */
  readonly emit?: Emission;
  readonly trigger?: Trigger;
  /**
   * Column whose values are the watermark after their rows, where they are not null; nothing else moves it then. True where
   * watermarks between rows alone move it.
   */
  readonly punctuated?: string | true | undefined;
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
  /** Of the windows that rows are collected in: for `hop` and `cumulate` the panes that windows are made of. */
  readonly size: number;
  /** Of the longest window. */
  readonly whole: number;
  readonly step: number;
  readonly offset: number;
  readonly outOfOrder: number;
  readonly slack: number;
}

/** Checks a plan's times. Throws `WINDOW_INVALID`. */
export function windowTimes(plan: WindowPlan): WindowTimes {
  const whole = duration("size", plan.sizeUs, 1);
  const step = plan.shape === "hop" || plan.shape === "cumulate" ? duration("step", plan.stepUs ?? 0, 1) : whole;
  checkShape(plan, whole, step);
  const size = plan.shape === "hop" ? commonDivisor(whole, step) : step;
  const outOfOrder = duration("outOfOrder", plan.outOfOrderUs, 0);
  const slack = duration("outOfOrder and lateness together", outOfOrder + duration("lateness", plan.latenessUs, 0), 0);
  const period = plan.shape === "hop" ? step : whole;
  const offset = duration("offset", plan.offsetUs ?? 0, Number.MIN_SAFE_INTEGER) % period;
  return { size, whole, step, outOfOrder, slack, offset: offset < 0 ? offset + period : offset };
}

/** What cannot go together. Throws `WINDOW_INVALID`. */
function checkShape(
  { shape: kind = "tumble", rows, emit = "final", trigger }: WindowPlan,
  whole: number,
  step: number,
): void {
  const refuse = (what: string, hint: string): never => {
    throw config("WINDOW_INVALID", what, hint);
  };
  if (kind === "hop" && (step > whole || whole / commonDivisor(whole, step) > PANES_MAX))
    refuse(`a hop of ${step} µs does not fit windows of ${whole} µs`, `hop by 1/${PANES_MAX} to 1/1 of the size`);
  if (kind === "cumulate" && (whole % step !== 0 || whole / step > PANES_MAX))
    refuse(`a step of ${step} µs does not divide ${whole} µs`, `take a size of 1 to ${PANES_MAX} whole steps`);
  if (kind === "count" && !(Number.isSafeInteger(rows) && (rows ?? 0) >= 1))
    refuse(`a window of ${String(rows)} rows`, "give a whole number from 1");
  if (kind === "session" && emit === "upsert")
    refuse("sessions that grow cannot replace each other: their bounds change", "emit 'retract' or 'final'");
  if (trigger === undefined) {
    if (kind === "global") refuse("a global window without a trigger", "give everyRows or everyTime");
    return;
  }
  for (const each of [trigger.rows ?? 1, trigger.timeUs ?? 1])
    if (!Number.isSafeInteger(each) || each < 1) refuse(`a trigger at every ${each}`, "give a whole number from 1");
  if (kind !== "tumble" && kind !== "global")
    refuse(`a ${kind} window has no trigger`, "trigger tumble or global windows");
  if (emit !== "upsert") refuse(`a trigger with emission '${emit}'`, "rows replace each other then: emit 'upsert'");
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
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
  if (typeof plan.punctuated === "string") timeField(input, plan.punctuated);
  timeField(input, plan.time);
  const keys = plan.keys.map((name) => keyField(fieldOf(input, name)));
  const aggregates = plan.aggregates.map((aggregate) => aggregateField(aggregate, input));
  const bound = (name: string): Field => ({ name, type: "timestamp", nullable: false });
  const change: readonly Field[] = plan.emit === "retract" ? [{ name: "change", type: "dict", nullable: false }] : [];
  return schemaOf([bound("start"), bound("end"), ...keys, ...aggregates, ...change]);
}

/** The event time's field. Throws `COLUMN_MISSING` and `TIME_COLUMN_TYPE`. */
export function timeField(input: Schema, name: string): Field {
  const time = fieldOf(input, name);
  if (time.type !== "timestamp") {
    throw config(
      "TIME_COLUMN_TYPE",
      `event time ${time.name} is ${time.type}, not a timestamp`,
      "name a column of type timestamp",
    );
  }
  return time;
}

/** True for the column types whose values are whole numbers. */
export function isInteger(field: Field): boolean {
  return /^[iu](8|16|32|64)$/.test(field.type);
}

/** True for the column types whose values lie in 64-bit words. */
export function isWide(field: Field): boolean {
  return field.type === "i64" || field.type === "u64" || field.type === "timestamp";
}

/** A field that may be part of a key. Throws `KEY_TYPE`. */
export function keyField(field: Field): Field {
  if (field.type === "f32" || field.type === "f64") {
    throw config(
      "KEY_TYPE",
      `${field.name} is ${field.type}; floats cannot be keys`,
      "key by an integer, a text or bytes",
    );
  }
  return field;
}

function aggregateField({ name, kind, column, option, custom }: Aggregate, input: Schema): Field {
  if (column === undefined) {
    if (kind === undefined)
      throw config("WINDOW_INVALID", `${name} is no aggregate`, "write count(), sum(column) or another");
    if (kind !== "count") throw config("WINDOW_INVALID", `${kind} needs a column`, `write ${kind}(column)`);
    return { name, type: "i64", nullable: false };
  }
  const field = fieldOf(input, column);
  const { nullable } = field;
  const float = field.type === "f32" || field.type === "f64";
  const isNumber = isInteger(field) || float;
  switch (kind) {
    case "count":
    case "distinct":
    case "approxDistinct":
      return { name, type: "i64", nullable: false };
    case "first":
    case "last":
      return { ...field, name };
    case "collect":
    case "topK":
      if (!(Number.isSafeInteger(option) && (option ?? 0) >= 1 && (option ?? 0) <= COLLECTED_MAX))
        throw config(
          "WINDOW_INVALID",
          `${kind} of ${String(option)} values`,
          `give a whole number from 1 to ${COLLECTED_MAX}`,
        );
      if (kind === "topK" && !isNumber && field.type !== "timestamp") throw undefinedFor(kind, field);
      return { name, type: "utf8", nullable: false };
    case "custom":
      return { name, type: "utf8", nullable: true, ...resultOf(custom) };
    default:
      break;
  }
  if (kind === "quantile" && !((option ?? -1) >= 0 && (option ?? -1) <= 1))
    throw config("WINDOW_INVALID", `a quantile of ${String(option)}`, "give a number from 0 to 1");
  const ordered = kind === "min" || kind === "max";
  if (!isNumber && !(ordered && field.type === "timestamp")) throw undefinedFor(kind, field);
  if (ordered) return { name, type: field.type, nullable };
  return { name, type: kind === "sum" && !float ? "i64" : "f64", nullable: nullable || kind === "variance" };
}

function resultOf(custom: CustomAggregate | undefined): Partial<Field> {
  if (custom === undefined) return {};
  const { type, width, nullable = true } = custom;
  return { type, nullable, ...(width === undefined ? {} : { width }) };
}

function undefinedFor(kind: string, { name, type }: Field): IpdmError {
  return config(
    "AGGREGATE_TYPE",
    `${kind}(${name}) is not defined: ${name} is ${type}`,
    `${kind} takes a column of numbers`,
  );
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
