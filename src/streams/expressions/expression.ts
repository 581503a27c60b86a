import type { Value } from "../../batch/column.ts";
import { parseTimestamp } from "../../batch/text/timestamp.ts";
import { parseDuration } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import type { BoolSpec, ColumnSpec, NumberSpec, TextSpec, TimeSpec, Untyped } from "../columns.ts";
import type { Node, Operation } from "./node.ts";

/** The columns that a plain value can be compared with. */
type SpecFor<V> = V extends string
  ? TextSpec
  : V extends boolean
    ? BoolSpec
    : V extends number | bigint
      ? NumberSpec | TimeSpec
      : ColumnSpec;
/** What an operand asks of the columns: another expression its own, a plain value that the column `N` beside it is of its kind. */
type Asks<N extends string, B> = B extends Expression<infer R, ColumnSpec, string> ? R : Record<N, SpecFor<B>>;
type Operand = Expression<Untyped, ColumnSpec, string> | Value;
type Amount = Expression<Untyped, ColumnSpec, string> | number | bigint;
type Text = "utf8" | "utf8?";

/**
 * A value computed from the columns of a row: `col("delay").gt(15).and(col("origin").eq("ATL"))`. It is plain data until a
 * stream uses it; then it becomes loops over columns, never text that is evaluated. `R` are the columns it needs, `T` its type, `N` the
 * name of the column that it is, all for the compiler.
 *
 * Integers are exact (a result beyond 64 bits is `EXPRESSION_OVERFLOW`), `div` gives f64, `mod` has the sign of the dividend and is
 * null for a divisor of 0. Nulls are SQL's: an operation over null is null, `and` and `or` decide where one side is enough, and a
 * filter keeps only what is true. NaN equals nothing. Texts are compared by their UTF-8 bytes.
 */
export class Expression<R, T extends ColumnSpec, N extends string = never> {
  /** What it does, as plain data. */
  readonly node: Node;
  declare private readonly known?: { readonly needs: R; readonly type: T; readonly name: N };

  constructor(node: Node) {
    this.node = node;
  }

  /** Equal. */
  eq<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("eq", this, other);
  }
  /** Not equal. */
  ne<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("ne", this, other);
  }
  /** Less than. */
  lt<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("lt", this, other);
  }
  /** Less than or equal. */
  lte<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("lte", this, other);
  }
  /** Greater than. */
  gt<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("gt", this, other);
  }
  /** Greater than or equal. */
  gte<const B extends Operand>(other: B): Expression<R & Asks<N, B>, "bool?"> {
    return made("gte", this, other);
  }
  /** Equal to one of the values. */
  oneOf<const V extends Exclude<Value, null>>(...values: readonly V[]): Expression<R & Record<N, SpecFor<V>>, "bool?"> {
    return made("oneOf", this, ...values);
  }
  /** Both; false when either is. */
  and<R2, N2 extends string>(
    other: Expression<R2, ColumnSpec, N2>,
  ): Expression<R & R2 & Record<N | N2, BoolSpec>, "bool?"> {
    return made("and", this, other);
  }
  /** Either; true when one is. */
  or<R2, N2 extends string>(
    other: Expression<R2, ColumnSpec, N2>,
  ): Expression<R & R2 & Record<N | N2, BoolSpec>, "bool?"> {
    return made("or", this, other);
  }
  /** Not. */
  not(): Expression<R & Record<N, BoolSpec>, "bool?"> {
    return made("not", this);
  }
  /** Whether there is no value; never null. */
  isNull(): Expression<R, "bool"> {
    return made("isNull", this);
  }
  /** Its value, or where there is none the other's. */
  orElse<const B extends Operand>(other: B): Expression<R & Asks<N, B>, T> {
    return made("orElse", this, other);
  }
  /** Sum; i64 of integers, f64 with a float; a timestamp and a number of microseconds give a timestamp. */
  plus<const B extends Amount>(other: B): Expression<R & Asks<N, B>, "i64?" | "f64?"> {
    return made("plus", this, other);
  }
  /** Difference, as {@link plus}; of two timestamps in microseconds. */
  minus<const B extends Amount>(other: B): Expression<R & Asks<N, B>, "i64?" | "f64?"> {
    return made("minus", this, other);
  }
  /** Product. */
  times<const B extends Amount>(other: B): Expression<R & Asks<N, B>, "i64?" | "f64?"> {
    return made("times", this, other);
  }
  /** Quotient, always f64. */
  div<const B extends Amount>(other: B): Expression<R & Asks<N, B>, "f64?"> {
    return made("div", this, other);
  }
  /** What a division leaves over. */
  mod<const B extends Amount>(other: B): Expression<R & Asks<N, B>, "i64?" | "f64?"> {
    return made("mod", this, other);
  }
  /** With the other sign. */
  negated(): Expression<R & Record<N, NumberSpec>, "i64?" | "f64?"> {
    return made("negated", this);
  }
  /** Without its sign. */
  abs(): Expression<R & Record<N, NumberSpec>, "i64?" | "f64?"> {
    return made("abs", this);
  }
  /** As another type of number or as a timestamp; a float loses its fraction towards 0 (`VALUE_MISFIT` where it does not fit). */
  cast<const S extends "i32" | "i64" | "f64" | "timestamp">(type: S): Expression<R, `${S}?`> {
    return new Expression({ op: "cast", args: [this.node], option: type });
  }
  /** A timestamp down to a whole multiple of a duration since 1970: `truncate("1h")`. */
  truncate(duration: string): Expression<R & Record<N, TimeSpec>, "timestamp?"> {
    return new Expression({ op: "truncate", args: [this.node], option: parseDuration(duration) });
  }
  /** Whether a text begins so. */
  startsWith(text: string): Expression<R & Record<N, TextSpec>, "bool?"> {
    return new Expression({ op: "startsWith", args: [this.node], option: text });
  }
  /** Whether a text ends so. */
  endsWith(text: string): Expression<R & Record<N, TextSpec>, "bool?"> {
    return new Expression({ op: "endsWith", args: [this.node], option: text });
  }
  /** Whether a text contains this. */
  includes(text: string): Expression<R & Record<N, TextSpec>, "bool?"> {
    return new Expression({ op: "includes", args: [this.node], option: text });
  }
  /** A text with the letters A to Z made small; others stay. */
  lower(): Expression<R & Record<N, TextSpec>, Text> {
    return made("lower", this);
  }
  /** A text with the letters a to z made capital; others stay. */
  upper(): Expression<R & Record<N, TextSpec>, Text> {
    return made("upper", this);
  }
  /** Characters (code points) of a text. */
  length(): Expression<R & Record<N, TextSpec>, "i64?"> {
    return made("length", this);
  }
  /** The part of a text between separators, counted from 0: `col("url").part("/", 3)`; null where there are fewer. */
  part(separator: string, index: number): Expression<R & Record<N, TextSpec>, "utf8?"> {
    const at: Node = { op: "value", value: index };
    return new Expression({ op: "part", args: [this.node, at], option: separator });
  }
}

/** A column by its name. */
export function col<const N extends string>(name: N): Expression<Record<N, ColumnSpec>, ColumnSpec, N> {
  return new Expression({ op: "column", name });
}

/** A value that is the same in every row. */
export function lit<const V extends Value>(
  value: V,
): Expression<unknown, V extends string ? "utf8" : V extends boolean ? "bool" : V extends bigint ? "i64" : ColumnSpec> {
  return new Expression({ op: "value", value });
}

/** An instant, from ISO 8601 (`2001-01-01T00:00:00Z`, in UTC where no offset is written) or from microseconds since 1970. Throws `EXPRESSION_TYPE`. */
export function instant(at: string | bigint | number): Expression<unknown, "timestamp"> {
  const value = typeof at === "string" ? parseTimestamp(at) : at;
  if (value === undefined || !(typeof value === "bigint" || Number.isSafeInteger(value))) {
    throw new IpdmError("EXPRESSION_TYPE", `${JSON.stringify(String(at).slice(0, 40))} is no instant`, {
      kind: "config",
      hint: "write it as in 2001-01-01T00:00:00Z, or as whole microseconds since 1970",
    });
  }
  return new Expression({ op: "value", value: BigInt(value), type: "timestamp" });
}

/** One value where a condition is true, another elsewhere (also where it is null). */
export function when<R, N extends string, const A extends Operand, const B extends Operand>(
  condition: Expression<R, ColumnSpec, N>,
  then: A,
  otherwise: B,
): Expression<R & Record<N, BoolSpec> & Asks<never, A> & Asks<never, B>, TypeOf<A> | TypeOf<B>> {
  return made("when", condition, then, otherwise);
}

type TypeOf<V> =
  V extends Expression<Untyped, infer T, string>
    ? T
    : V extends string
      ? "utf8"
      : V extends boolean
        ? "bool"
        : V extends bigint
          ? "i64"
          : ColumnSpec;

function made<R, T extends ColumnSpec>(op: Operation, ...args: readonly Operand[]): Expression<R, T> {
  const nodes = args.map((arg): Node => (arg instanceof Expression ? arg.node : { op: "value", value: arg }));
  return new Expression({ op, args: nodes });
}
