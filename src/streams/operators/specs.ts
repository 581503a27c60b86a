import type { Value } from "../../batch/column.ts";
import type { Ipld } from "../../dag/block.ts";
import { type ColumnSpec, fieldOfSpec, type ValueOf } from "../columns.ts";
import type { Aggregate, AggregateKind, MoreKind } from "../window/plan.ts";
import { failed } from "./given.ts";

declare const about: unique symbol;

/**
 * An aggregate that has no name yet; see {@link count} and its siblings. `N` is its column, `T` the type of its result (the column's own
 * where that is `Own`), both for the compiler.
 */
export interface AggregateSpec<N extends string = string, T = ColumnSpec> extends Omit<Aggregate, "name"> {
  readonly [about]?: { readonly column: N; readonly type: T };
}

/** The type of an aggregate that is that of its column. */
export type Own = "own";

/** Counts rows; with a column, the rows that have a value there. i64. */
export function count<const N extends string = never>(column?: N): AggregateSpec<N, "i64"> {
  return column === undefined ? { kind: "count" } : { kind: "count", column };
}

/** Sum of a column: exact and i64 over integers, f64 in row order over floats. */
export function sum<const N extends string>(column: N): AggregateSpec<N, "i64" | "f64"> {
  return spec("sum", column);
}

/** Smallest value of a column, in its type. */
export function min<const N extends string>(column: N): AggregateSpec<N, Own> {
  return spec("min", column);
}

/** Largest value of a column, in its type. */
export function max<const N extends string>(column: N): AggregateSpec<N, Own> {
  return spec("max", column);
}

/** Mean of a column, f64: its sum (exact over integers) divided once by the number of its values. */
export function mean<const N extends string>(column: N): AggregateSpec<N, "f64"> {
  return spec("mean", column);
}

/** Sample variance of a column, f64 in row order; null below two values. */
export function variance<const N extends string>(column: N): AggregateSpec<N, "f64?"> {
  return spec("variance", column);
}

/** The value of the earliest event time, of equal times the first row's. Nulls are skipped. */
export function first<const N extends string>(column: N): AggregateSpec<N, Own> {
  return spec("first", column);
}

/** The value of the latest event time, of equal times the last row's. Nulls are skipped. */
export function last<const N extends string>(column: N): AggregateSpec<N, Own> {
  return spec("last", column);
}

/** How many different values there are, exactly, up to 65,536 a group (`AGGREGATE_LIMIT` beyond). i64. */
export function distinct<const N extends string>(column: N): AggregateSpec<N, "i64"> {
  return spec("distinct", column);
}

/** How many different values there are, about: HyperLogLog with 2048 registers, a standard error of 2.3 %. Same values, same number. i64. */
export function approxDistinct<const N extends string>(column: N): AggregateSpec<N, "i64"> {
  return spec("approxDistinct", column);
}

/** The value below which a share (0 to 1) of the values lies, off by at most one part in 512, whatever their order. f64. */
export function quantile<const N extends string>(column: N, share: number): AggregateSpec<N, "f64"> {
  return { kind: "quantile", column, option: share };
}

/** The largest values, as a JSON list from the largest on; utf8. */
export function topK<const N extends string>(column: N, most: number): AggregateSpec<N, "utf8"> {
  return { kind: "topK", column, option: most };
}

/** The first so many values in row order (of windows of several panes, pane after pane), as a JSON list; utf8. */
export function collect<const N extends string>(column: N, most: number): AggregateSpec<N, "utf8"> {
  return { kind: "collect", column, option: most };
}

/**
 * What {@link custom} does with the values of a column. Everything depends on the arguments alone. States are plain data that IPLD can hold
 * (no undefined, no NaN); a whole number of a state that was saved comes back as a number up to 2^53 and as a bigint beyond.
 */
export interface Custom<S extends Ipld, V, T extends ColumnSpec> {
  /** Type of the result; with a `?` where it may be null. */
  readonly type: T;
  /** The state of no values: plain data that IPLD can hold. */
  readonly zero: () => S;
  readonly add: (state: S, value: V) => S;
  /** The state of the values of both, those of `before` first. */
  readonly merge: (before: S, after: S) => S;
  readonly value: (state: S) => ValueOf<T>;
}

/** An aggregate of your own over a column; nulls are skipped. Throws `SCHEMA_INVALID`, and `FUNCTION_FAILED` as the stream's error. */
export function custom<
  const N extends string,
  S extends Ipld,
  V extends NonNullable<Value>,
  const T extends ColumnSpec,
>(column: N, { type, zero, add, merge, value }: Custom<S, V, T>): AggregateSpec<N, T> {
  const { type: bare, nullable, width } = fieldOfSpec(column, type);
  const guarded = <R>(what: string, work: () => R): R => {
    try {
      return work();
    } catch (error) {
      throw failed(`${what} of the aggregate over ${column}`, error);
    }
  };
  const own = {
    type: bare,
    nullable,
    ...(width === undefined ? {} : { width }),
    zero: () => guarded("zero", zero),
    // States and values are those that this aggregate made and its column holds.
    add: (state: Ipld, each: NonNullable<Value>) => guarded("add", () => add(state as S, each as V)),
    merge: (before: Ipld, after: Ipld) => guarded("merge", () => merge(before as S, after as S)),
    value: (state: Ipld) => guarded("value", () => value(state as S) as Value),
  };
  return { kind: "custom", column, custom: own };
}

function spec(
  kind: AggregateKind | MoreKind,
  column: string,
): { readonly kind: AggregateKind | MoreKind; readonly column: string } {
  return { kind, column };
}
