import type { ColumnSpec, NumberSpec, TimeSpec, ValueOf } from "../columns.ts";
import type { AggregateSpec } from "./specs.ts";

// What the compiler knows of aggregates: which columns they take, and of what type their results are.

declare const changes: unique symbol;
/** Among a stream's keys, for the compiler alone: its windows take rows back, and have a column `change`. */
export type Change = string & { readonly [changes]: true };

/** How the type of a result follows from that of its column: it is the same, a sum, a number of the same nullability; or a type of its own. */
export type Own = "own";
export type Extreme = "extreme";
export type Summed = "sum";
export type Averaged = "mean";
export type Counted = "count";

/** Types of columns whose values can be ordered by size. */
export type OrderedSpec = NumberSpec | TimeSpec;

type IsAny<T> = 0 extends 1 & T ? true : false;
type Mark<S> = S extends `${string}?` ? "?" : "";
type IsFloat<S> = S extends `f32${"" | "?"}` | `f64${"" | "?"}` ? true : false;

/** Type of an aggregate's result over a column. */
export type ResultOf<T, S> = T extends Own | Extreme
  ? S
  : T extends Summed
    ? IsAny<S> extends true
      ? "i64" | "f64"
      : `${IsFloat<S> extends true ? "f64" : "i64"}${Mark<S>}`
    : T extends Averaged
      ? IsAny<S> extends true
        ? "f64"
        : `f64${Mark<S>}`
      : T extends Counted
        ? "i64"
        : T;

/** Type of a running value over a column: a sum begins at 0, whole numbers are i64. */
export type RunningOf<T, S> = T extends Counted
  ? "i64"
  : T extends Averaged
    ? ResultOf<T, S>
    : T extends Summed
      ? IsFloat<S> extends true
        ? "f64"
        : "i64"
      : `${IsFloat<S> extends true ? "f64" : "i64"}${Mark<S>}`;

/** Aggregates by name. */
export type Specs = Readonly<Record<string, AggregateSpec<string, unknown, unknown>>>;

type NeedOf<A> = A extends AggregateSpec<infer N, unknown, infer S> ? Record<N, S & ColumnSpec> : unknown;
type RunningNeedOf<A> =
  A extends AggregateSpec<infer N, infer T, unknown> ? Record<N, T extends Counted ? ColumnSpec : NumberSpec> : unknown;
type All<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;

/** The columns that aggregates are over, and of what types. */
export type NeedsOf<A extends Specs> = All<{ [P in keyof A]: NeedOf<A[P]> }[keyof A]>;
/** The columns that running values are over. */
export type RunningNeedsOf<A extends Specs> = All<{ [P in keyof A]: RunningNeedOf<A[P]> }[keyof A]>;

/** The columns of results. */
export type Results<C, A extends Specs> = {
  readonly [P in keyof A]: A[P] extends AggregateSpec<infer N, infer T, unknown> ? ResultOf<T, C[N & keyof C]> : never;
};

/**
 * The types of columns whose values a function of values of type `V` takes. Of computed columns it is known that they are numbers, not whether
 * these are bigint: numbers pass as one.
 */
export type Taking<V> = V extends number | bigint ? OrderedSpec : Fitting<V>;
type Fitting<V, S = ColumnSpec> = S extends ColumnSpec ? (NonNullable<ValueOf<S>> extends V ? S : never) : never;
