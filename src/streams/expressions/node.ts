import type { Value } from "../../batch/column.ts";
import { instantText } from "../instant.ts";

/** What an expression does, as plain data: it can be compared, shown and sent. */
export type Node =
  | { readonly op: "column"; readonly name: string }
  | { readonly op: "value"; readonly value: Value; readonly type?: "timestamp" }
  | { readonly op: Operation; readonly args: readonly Node[]; readonly option?: string | number };

/** What {@link Node}s do with their arguments. */
export type Operation = Comparison | Arithmetic | Logic | TextOperation | "cast" | "truncate";

/** Comparisons. */
export type Comparison = "eq" | "ne" | "lt" | "lte" | "gt" | "gte";
/** Arithmetic. */
export type Arithmetic = "plus" | "minus" | "times" | "div" | "mod" | "negated" | "abs";
/** Truth values, nulls and choices. */
export type Logic = "and" | "or" | "not" | "isNull" | "orElse" | "when" | "oneOf";
/** Texts. */
export type TextOperation = "startsWith" | "endsWith" | "includes" | "lower" | "upper" | "length" | "part";

const SIGNS: Partial<Record<Operation, string>> = {
  eq: "=",
  ne: "!=",
  lt: "<",
  lte: "<=",
  gt: ">",
  gte: ">=",
  plus: "+",
  minus: "-",
  times: "*",
  div: "/",
  mod: "%",
  and: "and",
  or: "or",
};

/** An expression for people: `delay > 15 and origin = 'ATL'`. */
export function nodeText(node: Node, inside = false): string {
  if (node.op === "column") return /^[A-Za-z_]\w*$/.test(node.name) ? node.name : JSON.stringify(node.name);
  if (node.op === "value") return valueText(node.value, node.type);
  const sign = SIGNS[node.op];
  const args = node.args.map((arg) => nodeText(arg, sign !== undefined));
  if (sign !== undefined) return inside ? `(${args.join(` ${sign} `)})` : args.join(` ${sign} `);
  const option = node.option === undefined ? [] : [typeof node.option === "string" ? `'${node.option}'` : node.option];
  return `${node.op}(${[...args, ...option].join(", ")})`;
}

function valueText(value: Value, type: "timestamp" | undefined): string {
  if (type === "timestamp") return instantText(Number(value));
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
  return String(value);
}

/** Columns that an expression reads, each once, in the order of first use. */
export function columnsIn(node: Node, into: Set<string> = new Set()): Set<string> {
  if (node.op === "column") into.add(node.name);
  else if (node.op !== "value") for (const arg of node.args) columnsIn(arg, into);
  return into;
}
