import { compareBytes, utf8 } from "../../core/bytes.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Compiled, Complain } from "./compiled.ts";
import type { Comparison } from "./node.ts";
import type { Vector } from "./vector.ts";
import { eitherNull, vector } from "./vector.ts";

/** A comparison of two values of one kind; integers and floats compare with each other. */
export function compileComparison(op: Comparison, args: readonly Compiled[], fail: Complain): Compiled {
  const [left, right] = args as readonly [Compiled, Compiled];
  const into = vector(CHUNK_ROWS);
  const compare = comparing(left, right, fail);
  const select = selecting(op, left, right);
  return {
    ...(select === undefined ? {} : { select }),
    kind: "bool",
    type: "bool",
    nullable: left.nullable || right.nullable,
    run(batch, from, count) {
      const a = left.run(batch, from, count);
      const b = right.run(batch, from, count);
      compare(op, a, b, count, into.numbers);
      into.nulls = eitherNull(a, b, count);
      return into;
    },
  };
}

/** The rows where a column of floats compares so with a constant, in one loop; undefined for other comparisons. */
function selecting(op: Comparison, left: Compiled, right: Compiled): Compiled["select"] {
  const { constant } = right;
  if (left.field?.type !== "f64" || typeof constant !== "number") return undefined;
  const { name } = left.field;
  return (batch, from, count, into, found) => {
    const { values, nulls } = batch.column(name);
    return nulls > 0 ? -1 : selectRows(op, values as Float64Array, constant, { from, to: from + count }, into, found);
  };
}

/**
 * A row is written whether it counts or not: the next one takes its place then, and the loop needs no branch. A truth value made a number is
 * the processor's flag; `? 1 : 0` would be a branch, which nobody can foresee.
 */
function selectRows(
  op: Comparison,
  values: Float64Array,
  constant: number,
  { from, to }: { readonly from: number; readonly to: number },
  into: Int32Array,
  start: number,
): number {
  let found = start;
  switch (op) {
    case "eq":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +(values[row] === constant);
      }
      return found;
    case "ne":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +(values[row] !== constant);
      }
      return found;
    case "lt":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +((values[row] as number) < constant);
      }
      return found;
    case "lte":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +((values[row] as number) <= constant);
      }
      return found;
    case "gt":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +((values[row] as number) > constant);
      }
      return found;
    case "gte":
      for (let row = from; row < to; row++) {
        into[found] = row;
        found += +((values[row] as number) >= constant);
      }
      return found;
  }
}

type Compare = (op: Comparison, a: Vector, b: Vector, count: number, into: Float64Array) => void;

function comparing(left: Compiled, right: Compiled, fail: Complain): Compare {
  const isNumber = ({ kind }: Compiled): boolean => kind === "int" || kind === "float";
  const isNone = left.kind === "null" || right.kind === "null";
  if (!isNone && left.kind !== right.kind && !(isNumber(left) && isNumber(right)))
    throw fail(`${left.kind} is compared with ${right.kind}`);
  if (left.kind === "text" || left.kind === "bytes") return compareTexts;
  return (op, a, b, count, into) => {
    if (a.wides === undefined && b.wides === undefined) compareNumbers(op, a.numbers, b.numbers, count, into);
    else compareMixed(op, a, b, count, into);
  };
}

function compareNumbers(op: Comparison, a: Float64Array, b: Float64Array, count: number, into: Float64Array): void {
  switch (op) {
    case "eq":
      for (let i = 0; i < count; i++) into[i] = +(a[i] === b[i]);
      return;
    case "ne":
      for (let i = 0; i < count; i++) into[i] = +(a[i] !== b[i]);
      return;
    case "lt":
      for (let i = 0; i < count; i++) into[i] = +((a[i] as number) < (b[i] as number));
      return;
    case "lte":
      for (let i = 0; i < count; i++) into[i] = +((a[i] as number) <= (b[i] as number));
      return;
    case "gt":
      for (let i = 0; i < count; i++) into[i] = +((a[i] as number) > (b[i] as number));
      return;
    case "gte":
      for (let i = 0; i < count; i++) into[i] = +((a[i] as number) >= (b[i] as number));
      return;
  }
}

/** JavaScript compares a bigint with a number exactly. */
function compareMixed(op: Comparison, a: Vector, b: Vector, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const x = (a.wides ?? a.numbers)[i] as bigint | number;
    const y = (b.wides ?? b.numbers)[i] as bigint | number;
    // oxlint-disable-next-line eqeqeq -- a bigint and a number of one value are equal by == alone
    const sign = x < y ? -1 : x > y ? 1 : x == y ? 0 : Number.NaN;
    into[i] = holds(op, sign) ? 1 : 0;
  }
}

function compareTexts(op: Comparison, a: Vector, b: Vector, count: number, into: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const x = a.texts[i] ?? null;
    const y = b.texts[i] ?? null;
    into[i] = x !== null && y !== null && holds(op, x === y ? 0 : compareBytes(bytesOf(x), bytesOf(y))) ? 1 : 0;
  }
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? utf8(value) : value;
}

/** Whether a comparison holds for the sign of a difference; NaN is the sign of what has no order. */
function holds(op: Comparison, sign: number): boolean {
  switch (op) {
    case "eq":
      return sign === 0;
    case "ne":
      return sign !== 0;
    case "lt":
      return sign < 0;
    case "lte":
      return sign <= 0;
    case "gt":
      return sign > 0;
    case "gte":
      return sign >= 0;
  }
}
