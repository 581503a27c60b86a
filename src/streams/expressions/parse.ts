import type { Value } from "../../batch/column.ts";
import { parseTimestamp } from "../../batch/text/timestamp.ts";
import { parseDuration } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Node, Operation } from "./node.ts";
import { type Token, tokensOf } from "./tokens.ts";

/** Nodes that one expression may have, and how deep they may lie in one another. */
export const NODES_MAX = 1024;
export const DEPTH_MAX = 64;

/** Signs between two operands, from the loosest on; those of one line bind alike, from left to right. */
const BINARY: readonly Readonly<Record<string, Operation>>[] = [
  { or: "or" },
  { and: "and" },
  { "=": "eq", "==": "eq", "!=": "ne", "<>": "ne", "<": "lt", "<=": "lte", ">": "gt", ">=": "gte" },
  { "+": "plus", "-": "minus" },
  { "*": "times", "/": "div", "%": "mod" },
];
const COMPARING = 2;

/** Functions, with how many operands they take and what follows them: a text, a text and a number, a type, a duration. */
const FUNCTIONS: Readonly<
  Record<string, { readonly op: Operation; readonly operands: number; readonly option?: Option }>
> = {
  abs: { op: "abs", operands: 1 },
  lower: { op: "lower", operands: 1 },
  upper: { op: "upper", operands: 1 },
  length: { op: "length", operands: 1 },
  startsWith: { op: "startsWith", operands: 1, option: "text" },
  endsWith: { op: "endsWith", operands: 1, option: "text" },
  includes: { op: "includes", operands: 1, option: "text" },
  part: { op: "part", operands: 1, option: "part" },
  cast: { op: "cast", operands: 1, option: "type" },
  truncate: { op: "truncate", operands: 1, option: "duration" },
  orElse: { op: "orElse", operands: 2 },
  when: { op: "when", operands: 3 },
};
type Option = "text" | "part" | "type" | "duration";

const CASTS = ["i32", "i64", "f64", "timestamp"];

/**
 * Reads an expression over columns: `delay > 15 and origin in ('ATL', 'ORD')`. Operators, from the loosest on: `or`, `and`, `not`,
 * comparisons (also `in (…)`, `is null`, `is not null`), `+ -`, `* / %`, a sign. Operands: numbers, `'texts'`, `true`, `false`, `null`,
 * `timestamp('2001-01-01T00:00:00Z')`, columns by name (any name in double quotes), parentheses, and functions. What they mean stands at
 * `Expression`. Throws `EXPRESSION_INVALID` (kind `config`) with the line and column in the text.
 */
export function parseExpression(text: string): Node {
  const parser = new Parser(text);
  return parser.whole();
}

class Parser {
  private readonly tokens: readonly Token[];
  private readonly text: string;
  private at = 0;
  private nodes = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokensOf(text, (at, what) => invalid(text, at, what));
  }

  whole(): Node {
    const node = this.binary(0);
    const rest = this.peek();
    if (rest.kind !== "end") throw this.fail(rest, `${shown(rest)} is not expected`);
    return node;
  }

  private binary(level: number): Node {
    const signs = BINARY[level];
    if (signs === undefined) return this.unary();
    if (level === COMPARING && this.takesWord("not")) return this.made("not", [this.deeper(() => this.binary(level))]);
    let left = this.deeper(() => this.binary(level + 1));
    for (;;) {
      const token = this.peek();
      if (
        level === COMPARING &&
        token.kind === "word" &&
        (token.text === "in" || token.text === "is" || token.text === "not")
      ) {
        left = this.membership(left);
        continue;
      }
      const isSign = token.kind === "sign" || token.kind === "word";
      const op = isSign && Object.hasOwn(signs, token.text) ? signs[token.text] : undefined;
      if (op === undefined) return left;
      this.at++;
      left = this.made(op, [left, this.deeper(() => this.binary(level + 1))]);
    }
  }

  /** `is null`, `is not null`, `in (…)`, `not in (…)`. */
  private membership(left: Node): Node {
    if (this.takesWord("is")) {
      const isNot = this.takesWord("not");
      if (!this.takesWord("null")) throw this.fail(this.peek(), "null is expected after is");
      const test = this.made("isNull", [left]);
      return isNot ? this.made("not", [test]) : test;
    }
    const isNot = this.takesWord("not");
    if (!this.takesWord("in")) throw this.fail(this.peek(), "in is expected after not");
    this.expect("(");
    const values: Node[] = [];
    do {
      const token = this.peek();
      const value = this.unary();
      if (value.op !== "value" || value.value === null) throw this.fail(token, "in takes numbers and texts");
      values.push(value);
    } while (this.takesSign(","));
    this.expect(")");
    const test = this.made("oneOf", [left, ...values]);
    return isNot ? this.made("not", [test]) : test;
  }

  private unary(): Node {
    if (!this.takesSign("-")) return this.primary();
    const inner = this.deeper(() => this.unary());
    if (inner.op !== "value" || (typeof inner.value !== "number" && typeof inner.value !== "bigint"))
      return this.made("negated", [inner]);
    return inner.value === 0 ? inner : { op: "value", value: -inner.value };
  }

  private primary(): Node {
    const token = this.peek();
    this.at++;
    this.count(token);
    if (token.kind === "value") return valueNode(token);
    if (token.kind === "word" && token.text === "null") return { op: "value", value: null };
    if (token.kind === "column") return { op: "column", name: token.text };
    if (token.kind === "sign" && token.text === "(") {
      const inner = this.deeper(() => this.binary(0));
      this.expect(")");
      return inner;
    }
    if (token.kind === "name") return this.takesSign("(") ? this.call(token) : { op: "column", name: token.text };
    this.at--;
    throw this.fail(
      token,
      token.kind === "end" ? "it ends where an operand is expected" : `${shown(token)} is no operand`,
    );
  }

  private call(token: Token): Node {
    const { text } = token;
    if (text === "timestamp") return this.instant();
    const known = Object.hasOwn(FUNCTIONS, text) ? FUNCTIONS[text] : undefined;
    if (known === undefined)
      throw this.fail(
        token,
        `there is no function ${text}`,
        `functions are ${Object.keys(FUNCTIONS).join(", ")}, timestamp`,
      );
    const args: Node[] = [];
    for (let i = 0; i < known.operands; i++) {
      if (i > 0) this.expect(",");
      args.push(this.deeper(() => this.binary(0)));
    }
    const option = known.option === undefined ? {} : this.option(known.option, args);
    this.expect(")");
    return { ...this.made(known.op, args), ...option };
  }

  private option(kind: Option, args: Node[]): { readonly option: string | number } {
    this.expect(",");
    const token = this.peek();
    const value = this.constant("string", "a text in single quotes") as string;
    if (kind === "type" && !CASTS.includes(value))
      throw this.fail(token, `'${value}' is no type`, `cast to ${CASTS.join(", ")}`);
    if (kind === "duration") {
      try {
        return { option: parseDuration(value) };
      } catch {
        throw this.fail(token, `'${value}' is no duration`, "write '10s', '1h' or '1d'");
      }
    }
    if (kind === "part") {
      this.expect(",");
      args.push({ op: "value", value: this.constant("number", "a number") });
    }
    return { option: value };
  }

  private instant(): Node {
    const token = this.peek();
    const at = parseTimestamp(this.constant("string", "a date and time in single quotes") as string);
    if (at === undefined) throw this.fail(token, "it is no date and time", "write timestamp('2001-01-01T00:00:00Z')");
    this.expect(")");
    return { op: "value", value: at, type: "timestamp" };
  }

  private constant(type: "string" | "number", what: string): Value {
    const token = this.peek();
    if (token.kind !== "value" || typeof token.value !== type) throw this.fail(token, `${what} is expected`);
    this.at++;
    return token.value;
  }

  private made(op: Operation, args: readonly Node[]): Extract<Node, { args: readonly Node[] }> {
    this.count(this.peek());
    return { op, args };
  }

  private count(token: Token): void {
    if (++this.nodes > NODES_MAX) throw this.fail(token, `it has more than ${NODES_MAX} parts`);
  }

  private deeper<T>(work: () => T): T {
    if (++this.depth > 8 * DEPTH_MAX) throw this.fail(this.peek(), `it is nested more than ${DEPTH_MAX} deep`);
    const done = work();
    this.depth--;
    return done;
  }

  private peek(): Token {
    return this.tokens[this.at] as Token; // the last is the end
  }

  private takesWord(word: string): boolean {
    return this.takes("word", word);
  }

  private takesSign(sign: string): boolean {
    return this.takes("sign", sign);
  }

  private takes(kind: Token["kind"], text: string): boolean {
    const token = this.peek();
    if (token.kind !== kind || token.text !== text) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.takesSign(sign)) throw this.fail(this.peek(), `${sign} is expected, not ${shown(this.peek())}`);
  }

  private fail(token: Token, what: string, hint?: string): IpdmError {
    return invalid(this.text, token.at, what, hint);
  }
}

/** A number with a point is a float, also where it is a whole one. */
function valueNode({ value, text }: Token): Node {
  const node: Node = { op: "value", value };
  const isWholeFloat = Number.isSafeInteger(value) && !/^\d+$/.test(text);
  return isWholeFloat ? { op: "cast", args: [node], option: "f64" } : node;
}

function shown(token: Token): string {
  return token.kind === "end" ? "the end" : token.text;
}

/** An error at a place of the text. */
function invalid(
  text: string,
  at: number,
  what: string,
  hint = "write it as in delay > 15 and origin = 'ATL'",
): IpdmError {
  const before = text.slice(0, at).split("\n");
  const [line, column] = [before.length, (before.at(-1) ?? "").length + 1];
  return new IpdmError("EXPRESSION_INVALID", `expression at ${line}:${column}: ${what}`, {
    kind: "config",
    hint,
    facts: { line, column },
  });
}
