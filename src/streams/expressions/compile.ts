import { fieldOf } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import { bytesAt, dictionaryOf, isNull, valueAt } from "../../batch/column.ts";
import type { ColumnType, Field, Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { CHUNK_ROWS } from "../limits.ts";
import { isInteger } from "../window/plan.ts";
import { compileArithmetic } from "./arithmetic.ts";
import { compileComparison } from "./comparison.ts";
import type { Compiled, Complain } from "./compiled.ts";
import { loadNulls, loadNumbers } from "./load.ts";
import { compileLogic } from "./logic.ts";
import type { Node } from "./node.ts";
import { nodeText } from "./node.ts";
import { compileText } from "./text.ts";
import type { Kind } from "./vector.ts";
import { vector } from "./vector.ts";

/** Ties an expression to the columns of a stream. Throws `COLUMN_MISSING` and `EXPRESSION_TYPE`, of kind `config`. */
export function compile(node: Node, schema: Schema): Compiled {
  if (node.op === "column") return compileColumn(fieldOf(schema, node.name));
  if (node.op === "value") return compileValue(node.value, node.type);
  const args = node.args.map((arg) => compile(arg, schema));
  const fail: Complain = (why) => typeError(node, why);
  switch (node.op) {
    case "eq":
    case "ne":
    case "lt":
    case "lte":
    case "gt":
    case "gte":
      return compileComparison(node.op, args, fail);
    case "plus":
    case "minus":
    case "times":
    case "div":
    case "mod":
    case "negated":
    case "abs":
    case "cast":
    case "truncate":
      return compileArithmetic(node.op, args, node.option, fail);
    case "and":
    case "or":
    case "not":
    case "isNull":
    case "orElse":
    case "when":
      return compileLogic(node.op, args, fail);
    case "oneOf":
      return compile(anyOf(node.args), schema);
    default:
      return compileText(node.op, args, node.option, fail);
  }
}

/** A condition. Throws `EXPRESSION_TYPE` when it is not one. */
export function compileCondition(node: Node, schema: Schema): Compiled {
  const compiled = compile(node, schema);
  if (compiled.kind !== "bool") throw typeError(node, `it gives ${compiled.type}, not true or false`);
  return compiled;
}

function compileColumn(field: Field): Compiled {
  const kind = kindOf(field);
  const into = vector(CHUNK_ROWS);
  const about = { kind, type: field.type, nullable: field.nullable, field };
  if (kind === "text" || kind === "bytes") {
    return {
      ...about,
      run(batch, from, count) {
        const column = batch.column(field.name);
        into.nulls = loadNulls(column, from, count);
        into.texts = Array.from({ length: count }, (_, i) => textOrBytes(column, from + i));
        return into;
      },
    };
  }
  return {
    ...about,
    run(batch, from, count) {
      const column = batch.column(field.name);
      into.nulls = loadNulls(column, from, count);
      if (column.values instanceof Float64Array) {
        return { ...into, numbers: column.values.subarray(from, from + count), wides: undefined };
      }
      loadNumbers(column, from, count, into);
      return into;
    },
  };
}

function textOrBytes(column: Column, row: number): string | Uint8Array | null {
  if (isNull(column, row)) return null;
  if (column.field.type === "dict") return dictionaryOf(column)[Number(column.values[row])] ?? null;
  return column.field.type === "utf8" ? (valueAt(column, row) as string) : bytesAt(column, row);
}

function compileValue(value: Value, type: "timestamp" | undefined): Compiled {
  const into = vector(CHUNK_ROWS);
  const { kind, column } = valueKind(value, type);
  if (value === null) into.nulls = new Uint8Array(CHUNK_ROWS).fill(1);
  else if (typeof value === "string" || value instanceof Uint8Array)
    into.texts = Array.from({ length: CHUNK_ROWS }, () => value);
  else {
    into.numbers.fill(Number(value));
    if (typeof value === "bigint" && !Number.isSafeInteger(Number(value)))
      into.wides = Array.from({ length: CHUNK_ROWS }, () => value);
  }
  return { kind, type: column, nullable: value === null, constant: value, run: () => into };
}

function valueKind(value: Value, type: "timestamp" | undefined): { kind: Kind; column: ColumnType } {
  if (value === null) return { kind: "null", column: "bool" };
  if (type === "timestamp") return { kind: "time", column: "timestamp" };
  switch (typeof value) {
    case "boolean":
      return { kind: "bool", column: "bool" };
    case "string":
      return { kind: "text", column: "utf8" };
    case "object":
      return { kind: "bytes", column: "binary" };
    default:
      return Number.isSafeInteger(value) || typeof value === "bigint"
        ? { kind: "int", column: "i64" }
        : { kind: "float", column: "f64" };
  }
}

function kindOf(field: Field): Kind {
  if (isInteger(field)) return "int";
  switch (field.type) {
    case "f32":
    case "f64":
      return "float";
    case "timestamp":
      return "time";
    case "bool":
      return "bool";
    case "utf8":
    case "dict":
      return "text";
    default:
      return "bytes";
  }
}

/** `x` is one of some values: any of the comparisons. */
function anyOf([subject, ...values]: readonly Node[]): Node {
  const tests = values.map((value): Node => ({ op: "eq", args: [subject as Node, value] }));
  return tests.reduce(
    (all, test): Node => ({ op: "or", args: [all, test] }),
    tests.shift() ?? { op: "value", value: false },
  );
}

/** An operation that its arguments do not allow. */
function typeError(node: Node, why: string): IpdmError {
  return new IpdmError("EXPRESSION_TYPE", `${nodeText(node)} is not defined: ${why}`, {
    kind: "config",
    hint: "compare values of one kind; cast() changes numbers and timestamps",
    facts: { expression: nodeText(node) },
  });
}
