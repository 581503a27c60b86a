import { CHUNK_ROWS } from "../limits.ts";
import type { Compiled, Complain } from "./compiled.ts";
import type { Kind, Vector } from "./vector.ts";
import { putWides, vector, widesOf } from "./vector.ts";

/** Truth values, nulls and choices. */
export function compileLogic(
  op: "and" | "or" | "not" | "isNull" | "orElse" | "when",
  args: readonly Compiled[],
  fail: Complain,
): Compiled {
  const [first, second, third] = args as readonly [Compiled, Compiled, Compiled];
  if (op === "isNull") return compileIsNull(first);
  if (op === "orElse") return compileChoice(undefined, first, second, fail);
  const conditions = op === "when" ? [first] : args;
  for (const { kind, type } of conditions)
    if (kind !== "bool" && kind !== "null") throw fail(`${type} is not true or false`);
  if (op === "when") return compileChoice(first, second, third, fail);
  return op === "not" ? compileNot(first) : compileBoth(op, first, second);
}

function bool(nullable: boolean, run: Compiled["run"]): Compiled {
  return { kind: "bool", type: "bool", nullable, run };
}

function compileIsNull(arg: Compiled): Compiled {
  const into = vector(CHUNK_ROWS);
  return bool(false, (batch, from, count) => {
    const { nulls } = arg.run(batch, from, count);
    for (let i = 0; i < count; i++) into.numbers[i] = nulls?.[i] === 1 ? 1 : 0;
    return into;
  });
}

function compileNot(arg: Compiled): Compiled {
  const into = vector(CHUNK_ROWS);
  return bool(arg.nullable, (batch, from, count) => {
    const { numbers, nulls } = arg.run(batch, from, count);
    for (let i = 0; i < count; i++) into.numbers[i] = 1 - (numbers[i] as number);
    into.nulls = nulls;
    return into;
  });
}

/** Kleene's logic: a side that decides alone makes the other's null no matter. */
function compileBoth(op: "and" | "or", left: Compiled, right: Compiled): Compiled {
  const into = vector(CHUNK_ROWS);
  const decides = op === "and" ? 0 : 1;
  return bool(left.nullable || right.nullable, (batch, from, count) => {
    const a = left.run(batch, from, count);
    const b = right.run(batch, from, count);
    const { numbers } = into;
    into.nulls = undefined;
    if (a.nulls === undefined && b.nulls === undefined) {
      if (op === "and")
        for (let i = 0; i < count; i++) numbers[i] = (a.numbers[i] as number) * (b.numbers[i] as number);
      else for (let i = 0; i < count; i++) numbers[i] = Math.max(a.numbers[i] as number, b.numbers[i] as number);
      return into;
    }
    const nulls = new Uint8Array(count);
    for (let i = 0; i < count; i++) {
      const x = a.nulls?.[i] === 1 ? undefined : a.numbers[i];
      const y = b.nulls?.[i] === 1 ? undefined : b.numbers[i];
      const decided = x === decides || y === decides;
      numbers[i] = decided ? decides : 1 - decides;
      nulls[i] = !decided && (x === undefined || y === undefined) ? 1 : 0;
    }
    into.nulls = nulls;
    return into;
  });
}

/** `then` where the condition is true, `otherwise` elsewhere; without a condition `then` where it has a value. */
function compileChoice(condition: Compiled | undefined, then: Compiled, otherwise: Compiled, fail: Complain): Compiled {
  const kind = kindOfBoth(then.kind, otherwise.kind);
  if (kind === undefined) throw fail(`${then.type} and ${otherwise.type} are no values of one kind`);
  const into = vector(CHUNK_ROWS);
  const nullable = condition === undefined ? otherwise.nullable : then.nullable || otherwise.nullable;
  return {
    kind,
    type: typeOfBoth(kind, then, otherwise),
    nullable,
    run(batch, from, count) {
      const test = condition?.run(batch, from, count);
      const a = then.run(batch, from, count);
      const b = otherwise.run(batch, from, count);
      const takes = new Uint8Array(count);
      for (let i = 0; i < count; i++)
        takes[i] = (test === undefined ? a.nulls?.[i] !== 1 : test.nulls?.[i] !== 1 && test.numbers[i] === 1) ? 1 : 0;
      choose(takes, a, b, count, into, kind);
      return into;
    },
  };
}

function choose(takes: Uint8Array, a: Vector, b: Vector, count: number, into: Vector, kind: Kind): void {
  into.nulls = undefined;
  if (a.nulls !== undefined || b.nulls !== undefined) {
    into.nulls = new Uint8Array(count);
    for (let i = 0; i < count; i++) into.nulls[i] = ((takes[i] === 1 ? a : b).nulls?.[i] ?? 0) as number;
  }
  into.wides = undefined;
  if (kind === "text" || kind === "bytes") {
    into.texts = Array.from({ length: count }, (_, i) => (takes[i] === 1 ? a : b).texts[i] ?? null);
  } else if (kind !== "float" && (a.wides !== undefined || b.wides !== undefined)) {
    const [x, y] = [widesOf(a, count), widesOf(b, count)];
    putWides(
      into,
      Array.from({ length: count }, (_, i) => (takes[i] === 1 ? x : y)[i] as bigint),
      count,
    );
  } else {
    for (let i = 0; i < count; i++) {
      const { numbers, wides } = takes[i] === 1 ? a : b;
      into.numbers[i] = wides === undefined ? (numbers[i] as number) : Number(wides[i]);
    }
  }
}

function kindOfBoth(a: Kind, b: Kind): Kind | undefined {
  if (a === b || b === "null") return a;
  if (a === "null") return b;
  return (a === "int" && b === "float") || (a === "float" && b === "int") ? "float" : undefined;
}

function typeOfBoth(kind: Kind, a: Compiled, b: Compiled): Compiled["type"] {
  if (kind === "int") return "i64";
  if (kind === "float") return "f64";
  if (kind === "text") return "utf8";
  if (kind === "bytes") return "binary";
  return a.kind === "null" ? b.type : a.type;
}
