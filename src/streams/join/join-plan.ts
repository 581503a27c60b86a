import { fieldOf } from "../../batch/batch.ts";
import type { Field, Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { isInteger } from "../window/plan.ts";

/** Which rows without a partner come out: none, the left's, the right's, both. */
export type JoinKind = "inner" | "left" | "right" | "full";

/** One side of a join. */
export interface JoinInput {
  readonly name: string;
  readonly schema: Schema;
  readonly time: string;
  readonly keys: readonly string[];
}

/** A column that comes out: from which side (a key from either), and its name there. */
export interface JoinColumn {
  readonly field: Field;
  readonly side: 0 | 1 | "key";
  readonly name: string;
  /** Of a key: its name on the right. */
  readonly other?: string;
}

/** What comes out of a join. */
export interface JoinPlan {
  readonly kind: JoinKind;
  readonly schema: Schema;
  readonly columns: readonly JoinColumn[];
}

/**
 * Columns of a join: the keys under their names on the left, the left's other columns, the right's other columns; a name of the
 * right that is taken gets the right input's name and `_` before it. Columns of a side that may be missing may be null. Throws `JOIN_KEYS`,
 * `COLUMN_MISSING` and `SCHEMA_INVALID`, of kind `config`.
 */
export function joinPlan(kind: JoinKind, left: JoinInput, right: JoinInput): JoinPlan {
  if (left.keys.length !== right.keys.length || left.keys.length === 0)
    throw wrong(`${left.name} has ${left.keys.length} key columns, ${right.name} ${right.keys.length}`);
  const columns: JoinColumn[] = [];
  left.keys.forEach((name, i) => {
    const other = right.keys[i] as string;
    const [field, beside] = [fieldOf(left.schema, name), fieldOf(right.schema, other)];
    if (groupOf(field) !== groupOf(beside))
      throw wrong(`${left.name}.${name} is ${field.type}, ${right.name}.${other} is ${beside.type}`);
    columns.push({ field: { ...wider(field, beside), name }, side: "key", name, other });
  });
  const mayMiss = { left: kind === "right" || kind === "full", right: kind === "left" || kind === "full" };
  for (const field of left.schema.fields)
    if (!left.keys.includes(field.name))
      columns.push({ field: { ...field, nullable: field.nullable || mayMiss.left }, side: 0, name: field.name });
  const taken = new Set(columns.map(({ field }) => field.name));
  for (const field of right.schema.fields) {
    if (right.keys.includes(field.name)) continue;
    const name = taken.has(field.name) ? `${right.name}_${field.name}` : field.name;
    columns.push({ field: { ...field, name, nullable: field.nullable || mayMiss.right }, side: 1, name: field.name });
  }
  return { kind, schema: schemaOf(columns.map(({ field }) => field)), columns };
}

/** Types whose equal values are equal keys. */
function groupOf(field: Field): string {
  if (isInteger(field)) return "integer";
  if (field.type === "utf8" || field.type === "dict") return "text";
  if (field.type === "f32" || field.type === "f64")
    throw wrong(`${field.name} is ${field.type}; floats cannot be keys`);
  return field.type === "fixed" ? `fixed${String(field.width)}` : field.type;
}

/** The field that holds the values of both. */
function wider(a: Field, b: Field): Field {
  const nullable = a.nullable || b.nullable;
  if (a.type === b.type) return { ...a, nullable };
  return { name: a.name, type: isInteger(a) ? "i64" : "utf8", nullable };
}

function wrong(what: string): IpdmError {
  return new IpdmError("JOIN_KEYS", `inputs cannot be joined: ${what}`, {
    kind: "config",
    hint: "put keyBy(…) before the join on both inputs, with as many columns of like types",
  });
}
