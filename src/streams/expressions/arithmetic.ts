import { IpdmError } from "../../core/errors.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Compiled, Complain } from "./compiled.ts";
import type { Arithmetic } from "./node.ts";
import type { Vector } from "./vector.ts";
import { eitherNull, putWides, vector, widesOf } from "./vector.ts";

const LIMIT = Number.MAX_SAFE_INTEGER;

/** Arithmetic over numbers and instants. */
export function compileArithmetic(
  op: Arithmetic | "cast" | "truncate",
  args: readonly Compiled[],
  option: string | number | undefined,
  fail: Complain,
): Compiled {
  const [left, right] = args as readonly [Compiled, Compiled | undefined];
  if (op === "cast") return compileCast(left, String(option), fail);
  if (op === "truncate") {
    if (left.kind !== "time") throw fail(`it is ${left.type}, not a timestamp`);
    const size = Number(option);
    if (!(size > 0)) throw fail("a duration must be longer than 0");
    const floor = (a: bigint): bigint => a - (((a % BigInt(size)) + BigInt(size)) % BigInt(size));
    return unary(left, "time", (a) => Math.floor(a / size) * size, floor);
  }
  for (const { kind, type } of args)
    if (kind !== "int" && kind !== "float" && kind !== "time") throw fail(`${type} is no number`);
  if (op === "negated")
    return unary(
      left,
      left.kind,
      (a) => 0 - a,
      (a) => -a,
    );
  if (op === "abs") return unary(left, left.kind, Math.abs, (a) => (a < 0n ? -a : a));
  if (right === undefined) throw fail("it needs two numbers");
  return binary(op, left, right, fail);
}

function unary(
  arg: Compiled,
  kind: Compiled["kind"],
  small: (a: number) => number,
  wide: (a: bigint) => bigint,
): Compiled {
  const into = vector(CHUNK_ROWS);
  return {
    kind,
    type: typeOf(kind),
    nullable: arg.nullable,
    run(batch, from, count) {
      const a = arg.run(batch, from, count);
      into.nulls = a.nulls;
      if (a.wides === undefined) {
        into.wides = undefined;
        for (let i = 0; i < count; i++) into.numbers[i] = small(a.numbers[i] as number);
      } else {
        putWides(into, a.wides.map(wide), count);
      }
      return into;
    },
  };
}

function typeOf(kind: Compiled["kind"]): "i64" | "f64" | "timestamp" {
  if (kind === "time") return "timestamp";
  return kind === "int" ? "i64" : "f64";
}

type TwoSided = "plus" | "minus" | "times" | "div" | "mod";

/** Kind of a result: instants take part in sums and differences alone. */
function kindOfResult(op: TwoSided, left: Compiled, right: Compiled, fail: Complain): "int" | "float" | "time" {
  const times = Number(left.kind === "time") + Number(right.kind === "time");
  if (times > 0) {
    if (left.kind === "float" || right.kind === "float") throw fail("microseconds are whole numbers");
    if (op === "minus" && left.kind === "time") return times === 2 ? "int" : "time";
    if (op === "plus" && times === 1) return "time";
    throw fail("of timestamps there are differences, and sums with microseconds");
  }
  return op === "div" || left.kind === "float" || right.kind === "float" ? "float" : "int";
}

function binary(op: TwoSided, left: Compiled, right: Compiled, fail: Complain): Compiled {
  const kind = kindOfResult(op, left, right, fail);
  const into = vector(CHUNK_ROWS);
  return {
    kind,
    type: typeOf(kind),
    nullable: left.nullable || right.nullable || (op === "mod" && kind === "int" && !isNonZero(right)),
    run(batch, from, count) {
      const a = left.run(batch, from, count);
      const b = right.run(batch, from, count);
      into.wides = undefined;
      into.nulls = eitherNull(a, b, count);
      if (kind === "float") {
        computeFloats(op, floatsOf(a, count), floatsOf(b, count), count, into.numbers);
        return into;
      }
      if (op === "mod") into.nulls = nullWhereZero(b, into.nulls, count);
      const isExact = a.wides === undefined && b.wides === undefined && computeInts(op, a, b, count, into);
      if (!isExact) putWides(into, computeWides(op, widesOf(a, count), widesOf(b, count), into.nulls, count), count);
      return into;
    },
  };
}

function isNonZero({ constant }: Compiled): boolean {
  return (typeof constant === "number" || typeof constant === "bigint") && Number(constant) !== 0;
}

function nullWhereZero(b: Vector, nulls: Uint8Array | undefined, count: number): Uint8Array | undefined {
  let result = nulls;
  for (let i = 0; i < count; i++) {
    if (b.wides === undefined ? b.numbers[i] !== 0 : b.wides[i] !== 0n) continue;
    if (result === nulls) result = nulls?.slice() ?? new Uint8Array(count);
    (result as Uint8Array)[i] = 1;
  }
  return result;
}

function floatsOf({ numbers, wides }: Vector, count: number): Float64Array {
  return wides === undefined ? numbers : Float64Array.from({ length: count }, (_, i) => Number(wides[i]));
}

function computeFloats(op: TwoSided, a: Float64Array, b: Float64Array, count: number, into: Float64Array): void {
  switch (op) {
    case "plus":
      for (let i = 0; i < count; i++) into[i] = (a[i] as number) + (b[i] as number);
      return;
    case "minus":
      for (let i = 0; i < count; i++) into[i] = (a[i] as number) - (b[i] as number);
      return;
    case "times":
      for (let i = 0; i < count; i++) into[i] = (a[i] as number) * (b[i] as number);
      return;
    case "div":
      for (let i = 0; i < count; i++) into[i] = (a[i] as number) / (b[i] as number);
      return;
    case "mod":
      for (let i = 0; i < count; i++) into[i] = (a[i] as number) % (b[i] as number);
      return;
  }
}

/** False when a result is no safe integer: then all are computed again, exactly. */
function computeInts(op: TwoSided, a: Vector, b: Vector, count: number, into: Vector): boolean {
  computeFloats(op, a.numbers, b.numbers, count, into.numbers);
  const { numbers, nulls } = into;
  for (let i = 0; i < count; i++) {
    const value = numbers[i] as number;
    if (!(value >= -LIMIT && value <= LIMIT) && nulls?.[i] !== 1) return false;
    if (value === 0) numbers[i] = 0; // never -0
  }
  return true;
}

function computeWides(
  op: TwoSided,
  a: readonly bigint[],
  b: readonly bigint[],
  nulls: Uint8Array | undefined,
  count: number,
): readonly bigint[] {
  return Array.from({ length: count }, (_, i) => {
    const x = a[i] as bigint;
    const y = b[i] as bigint;
    if (nulls?.[i] === 1) return 0n;
    if (op === "plus") return x + y;
    if (op === "minus") return x - y;
    return op === "times" ? x * y : x % y;
  });
}

function compileCast(arg: Compiled, type: string, fail: Complain): Compiled {
  if (arg.kind !== "int" && arg.kind !== "float" && arg.kind !== "time" && arg.kind !== "bool")
    throw fail(`${arg.type} cannot become ${type}`);
  const kind = type === "f64" ? "float" : type === "timestamp" ? "time" : "int";
  const into = vector(CHUNK_ROWS);
  const least = type === "i32" ? -(2 ** 31) : -(2 ** 63);
  const most = type === "i32" ? 2 ** 31 - 1 : 2 ** 63 - 1;
  return {
    kind,
    type: type as "i32" | "i64" | "f64" | "timestamp",
    nullable: arg.nullable,
    run(batch, from, count) {
      const a = arg.run(batch, from, count);
      into.nulls = a.nulls;
      into.wides = undefined;
      if (kind === "float") {
        into.numbers.set(floatsOf(a, count).subarray(0, count));
        return into;
      }
      const { numbers } = into;
      let unsafe = a.wides !== undefined;
      for (let i = 0; i < count; i++) {
        const whole = Math.trunc(a.wides === undefined ? (a.numbers[i] as number) : Number(a.wides[i])) + 0;
        if (!(whole >= least && whole <= most) && a.nulls?.[i] !== 1) throw misfit(a.numbers[i] as number, type);
        if (!Number.isSafeInteger(whole)) unsafe = a.nulls?.[i] !== 1 || unsafe;
        numbers[i] = whole;
      }
      if (unsafe) putWides(into, a.wides ?? Array.from(numbers.subarray(0, count), bigOf), count);
      return into;
    },
  };
}

function bigOf(value: number): bigint {
  return Number.isFinite(value) ? BigInt(value) : 0n;
}

function misfit(value: number, type: string): IpdmError {
  return new IpdmError("VALUE_MISFIT", `${value} is no ${type}`, { facts: { value: String(value), type } });
}
