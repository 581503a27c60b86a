import type { Observer, OperatorFunction } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { parseDuration } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import type { Aggregate, AggregateKind, WindowPlan } from "../window/plan.ts";
import type { WindowOutput } from "../window/tumbling.ts";
import { TumblingAggregate } from "../window/tumbling.ts";

/** Which column holds the event time, and how far behind its newest value the watermark stays. */
export interface EventTime {
  readonly column: string;
  readonly outOfOrderUs: number;
}

/** A tumbling window. */
export interface Tumble {
  readonly sizeUs: number;
  readonly offsetUs: number;
  readonly latenessUs: number;
  readonly late: Partial<Observer<Batch>> | undefined;
}

/** An aggregate that has no name yet; see {@link count} and its siblings. */
export type AggregateSpec = Omit<Aggregate, "name">;

/**
 * Says which timestamp column is the event time. `outOfOrder` is a duration and has no default: `'0s'` for sorted
 * input.
 */
export function eventTime(
  column: string,
  { outOfOrder }: { readonly outOfOrder: string },
): OperatorFunction<Flow, Flow> {
  const time: EventTime = { column, outOfOrderUs: parseDuration(outOfOrder) };
  return described((header) => ({ ...header, time }));
}

/** Says which columns make the key, in this order. Without it all rows have one key. */
export function keyBy(...columns: readonly string[]): OperatorFunction<Flow, Flow> {
  return described((header) => ({ ...header, keys: columns }));
}

/** Options of {@link tumble}: durations, and who gets the late rows. */
export interface TumbleOptions {
  /** How long after its end a window takes rows; default `'0s'`. */
  readonly lateness?: string;
  /** Shift of the windows against the epoch; default `'0s'`. */
  readonly offset?: string;
  /** Late rows as batches with the input's schema; completes and fails with the stream. */
  readonly late?: Partial<Observer<Batch>>;
}

/** Says that rows are collected in windows `[start, start + size)` of event time. */
export function tumble(
  size: string,
  { lateness = "0s", offset = "0s", late }: TumbleOptions = {},
): OperatorFunction<Flow, Flow> {
  const window: Tumble = {
    sizeUs: parseDuration(size),
    offsetUs: parseDuration(offset),
    latenessUs: parseDuration(lateness),
    late,
  };
  return described((header) => ({ ...header, window }));
}

/** Options of {@link aggregate}. */
export interface AggregateOptions {
  /** Most rows of an output batch; default 4096. */
  readonly batchRows?: number;
}

/**
 * Aggregates by window and key as the operators before it have described: {@link TumblingAggregate} says which row
 * counts where. Out come `start`, `end`, the keys, and the columns named here. Throws, as the stream's error,
 * `WINDOW_UNDESCRIBED` without `eventTime` and `tumble` before it, and what {@link TumblingAggregate} throws.
 */
export function aggregate(
  columns: Readonly<Record<string, AggregateSpec>>,
  options: AggregateOptions = {},
): OperatorFunction<Flow, Flow> {
  const aggregates = Object.entries(columns).map(([name, spec]): Aggregate => ({ ...spec, name }));
  return operator((out) => {
    let plan: WindowPlan | undefined;
    let late: Partial<Observer<Batch>> | undefined;
    let window: TumblingAggregate | undefined;
    let earlyWatermark = Number.NEGATIVE_INFINITY;
    const give = ({ rows, late: lateRows }: WindowOutput): void => {
      for (const batch of lateRows) late?.next?.(batch);
      for (const batch of rows) out.next(batch);
    };
    return {
      header(header) {
        plan = planOf(header, aggregates);
        late = header.window?.late;
        return header.credits === undefined ? { kind: "header" } : { kind: "header", credits: header.credits };
      },
      batch(batch) {
        if (window === undefined) {
          window = new TumblingAggregate(plan as WindowPlan, batch.schema, options);
          window.advance(earlyWatermark);
        }
        give(window.push(batch));
      },
      watermark({ timeUs }) {
        if (window === undefined) earlyWatermark = Math.max(earlyWatermark, timeUs);
        else give(window.advance(timeUs));
      },
      end() {
        if (window !== undefined) give(window.end());
        late?.complete?.();
      },
      error(error) {
        late?.error?.(error);
      },
    };
  });
}

/**
 * Runs a window state that the caller holds: one restored from a snapshot, and snapshot again between two items. Everything
 * that {@link aggregate} reads from the operators before it is in the state already.
 */
export function windowed(state: TumblingAggregate, late: Partial<Observer<Batch>> = {}): OperatorFunction<Flow, Flow> {
  return operator((out) => {
    const give = (fired: WindowOutput): void => {
      for (const batch of fired.late) late.next?.(batch);
      for (const batch of fired.rows) out.next(batch);
    };
    return {
      batch: (batch) => give(state.push(batch)),
      watermark: ({ timeUs }) => give(state.advance(timeUs)),
      end() {
        give(state.end());
        late.complete?.();
      },
      error: (error) => late.error?.(error),
    };
  });
}

/** Counts rows; with a column, the rows that have a value there. i64. */
export function count(column?: string): AggregateSpec {
  return column === undefined ? { kind: "count" } : { kind: "count", column };
}

/** Sum of a column: exact and i64 over integers, f64 in row order over floats. */
export function sum(column: string): AggregateSpec {
  return spec("sum", column);
}

/** Smallest value of a column, in its type. */
export function min(column: string): AggregateSpec {
  return spec("min", column);
}

/** Largest value of a column, in its type. */
export function max(column: string): AggregateSpec {
  return spec("max", column);
}

/** Mean of a column, f64: its sum (exact over integers) divided once by the number of its values. */
export function mean(column: string): AggregateSpec {
  return spec("mean", column);
}

function spec(kind: AggregateKind, column: string): AggregateSpec {
  return { kind, column };
}

function described(describe: (header: Header) => Header): OperatorFunction<Flow, Flow> {
  return operator((out) => ({ header: describe, batch: (batch) => out.next(batch) }));
}

function planOf({ time, keys = [], window }: Header, aggregates: readonly Aggregate[]): WindowPlan {
  if (time === undefined || window === undefined) {
    throw new IpdmError("WINDOW_UNDESCRIBED", `aggregate needs ${time === undefined ? "an event time" : "a window"}`, {
      kind: "config",
      hint: "put eventTime(column, { outOfOrder }) and tumble(size) before aggregate in the pipe",
    });
  }
  const { sizeUs, offsetUs, latenessUs } = window;
  return { time: time.column, outOfOrderUs: time.outOfOrderUs, sizeUs, offsetUs, latenessUs, keys, aggregates };
}
