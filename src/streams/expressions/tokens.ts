import type { Value } from "../../batch/column.ts";

/** A piece of an expression's text: a sign, a word of the language, a name, a column in quotes, a plain value, or the end. */
export interface Token {
  readonly kind: "sign" | "word" | "name" | "column" | "value" | "end";
  /** What it says; of a column its name. */
  readonly text: string;
  readonly value: Value;
  /** Where it begins, in UTF-16 units from 0. */
  readonly at: number;
}

/** Characters that an expression may have. */
export const EXPRESSION_CHARS_MAX = 4096;

const WORDS = ["and", "or", "not", "in", "is", "null", "true", "false"];
const PATTERN =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|'(?<text>(?:[^']|'')*)'|"(?<column>(?:[^"]|"")*)"|(?<name>[A-Za-z_]\w*)|(?<sign><=|>=|<>|!=|==|[-+*/%=<>(),]))/y;

/** The pieces of an expression, the end last. `fail` makes the error for a place that is none. */
export function tokensOf(text: string, fail: (at: number, what: string) => Error): readonly Token[] {
  if (text.length > EXPRESSION_CHARS_MAX)
    throw fail(EXPRESSION_CHARS_MAX, `it is longer than ${EXPRESSION_CHARS_MAX} characters`);
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  PATTERN.lastIndex = 0;
  for (let from = 0; from < end; from = PATTERN.lastIndex) {
    const at = from + (/^\s*/.exec(text.slice(from))?.[0].length ?? 0);
    const match = PATTERN.exec(text);
    if (match === null)
      throw fail(at, /['"]/.test(text[at] ?? "") ? "a quote is not closed" : `${text[at]} means nothing here`);
    tokens.push(tokenOf(match.groups ?? {}, at, fail));
  }
  tokens.push({ kind: "end", text: "", value: null, at: end });
  return tokens;
}

function tokenOf(
  { number, text, column, name, sign = "" }: Readonly<Record<string, string | undefined>>,
  at: number,
  fail: (at: number, what: string) => Error,
): Token {
  if (number !== undefined) return { kind: "value", text: number, value: numberOf(number, at, fail), at };
  if (text !== undefined) return { kind: "value", text: `'${text}'`, value: text.replaceAll("''", "'"), at };
  if (column !== undefined) return { kind: "column", text: column.replaceAll('""', '"'), value: null, at };
  if (name === undefined) return { kind: "sign", text: sign, value: null, at };
  const word = name.toLowerCase();
  if (!WORDS.includes(word)) return { kind: "name", text: name, value: null, at };
  if (word === "true" || word === "false") return { kind: "value", text: word, value: word === "true", at };
  return { kind: "word", text: word, value: null, at };
}

/** Whole numbers are exact up to 64 bits; a number with a point or an exponent is a float. */
function numberOf(text: string, at: number, fail: (at: number, what: string) => Error): number | bigint {
  if (!/^\d+$/.test(text)) return Number(text);
  const exact = BigInt(text);
  if (exact > 0xffff_ffff_ffff_ffffn) throw fail(at, `${text} does not fit 64 bits`);
  return exact <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(exact) : exact;
}
