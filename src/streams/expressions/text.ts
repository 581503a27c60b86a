import type { Batch } from "../../batch/batch.ts";
import { dictionaryOf } from "../../batch/column.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Compiled, Complain } from "./compiled.ts";
import { loadNulls } from "./load.ts";
import type { TextOperation } from "./node.ts";
import type { Vector } from "./vector.ts";
import { vector } from "./vector.ts";

type Answer = string | number | boolean | null;

/** Operations over a text. Of a dictionary column each entry is computed once a batch. */
export function compileText(
  op: TextOperation,
  args: readonly Compiled[],
  option: string | number | undefined,
  fail: Complain,
): Compiled {
  const [arg, at] = args as readonly [Compiled, Compiled | undefined];
  if (arg.kind !== "text" && arg.kind !== "null") throw fail(`${arg.type} is no text`);
  const answer = answering(op, String(option), Number(at?.constant ?? 0));
  const kind = op === "length" ? "int" : op === "lower" || op === "upper" || op === "part" ? "text" : "bool";
  const into = vector(CHUNK_ROWS);
  const dict = arg.field?.type === "dict" ? arg.field.name : undefined;
  return {
    kind,
    type: kind === "int" ? "i64" : kind === "text" ? "utf8" : "bool",
    nullable: arg.nullable || op === "part",
    run(batch, from, count) {
      if (dict === undefined) byRow(arg.run(batch, from, count), answer, count, into);
      else byEntry(batch, dict, answer, from, count, into);
      return into;
    },
  };
}

function answering(op: TextOperation, option: string, index: number): (text: string) => Answer {
  switch (op) {
    case "startsWith":
      return (text) => text.startsWith(option);
    case "endsWith":
      return (text) => text.endsWith(option);
    case "includes":
      return (text) => text.includes(option);
    case "lower":
      return (text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
    case "upper":
      return (text) => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
    case "length":
      return (text) => Array.from(text).length;
    case "part":
      return (text) => text.split(option)[index] ?? null;
  }
}

function byRow(given: Vector, answer: (text: string) => Answer, count: number, into: Vector): void {
  put(into, count, (i) => {
    const text = given.texts[i];
    return typeof text === "string" ? answer(text) : null;
  });
}

function byEntry(
  batch: Batch,
  name: string,
  answer: (text: string) => Answer,
  from: number,
  count: number,
  into: Vector,
): void {
  const column = batch.column(name);
  const texts = dictionaryOf(column);
  const known: (Answer | undefined)[] = new Array<Answer | undefined>(texts.length).fill(undefined);
  const nulls = loadNulls(column, from, count);
  put(into, count, (i) => {
    if (nulls?.[i] === 1) return null;
    const entry = column.values[from + i] as number;
    known[entry] ??= answer(texts[entry] as string);
    return known[entry] ?? null;
  });
}

function put(into: Vector, count: number, answerAt: (i: number) => Answer): void {
  const texts: (string | null)[] = [];
  let nulls: Uint8Array | undefined;
  for (let i = 0; i < count; i++) {
    const answer = answerAt(i);
    if (answer === null) {
      nulls ??= new Uint8Array(count);
      nulls[i] = 1;
      texts.push(null);
    } else if (typeof answer === "string") {
      texts.push(answer);
    } else {
      into.numbers[i] = Number(answer);
    }
  }
  into.texts = texts;
  into.nulls = nulls;
}
