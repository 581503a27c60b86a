import { IpdmError } from "../core/errors.ts";
import type { ColumnType, Field } from "./schema.ts";
import { COLUMN_TYPES } from "./schema.ts";

/** What other systems call column types, and the type here that holds all their values. */
const SYNONYMS: ReadonlyMap<string, string> = new Map([
  ...["int", "integer", "bigint", "long", "int64"].map((name) => [name, "i64"] as const),
  ...["string", "text", "str", "char", "varchar"].map((name) => [name, "utf8"] as const),
  ...["double", "float", "float64", "number", "numeric", "decimal", "real"].map((name) => [name, "f64"] as const),
  ...["date", "datetime", "time", "timestamptz"].map((name) => [name, "timestamp"] as const),
  ...["bytes", "blob", "bytea"].map((name) => [name, "binary"] as const),
  ...["category", "enum"].map((name) => [name, "dict"] as const),
  ["boolean", "bool"],
  ["int8", "i8"],
  ["int16", "i16"],
  ["smallint", "i16"],
  ["int32", "i32"],
  ["uint", "u64"],
  ["uint8", "u8"],
  ["uint16", "u16"],
  ["uint32", "u32"],
  ["uint64", "u64"],
  ["float32", "f32"],
  ["uuid", "fixed(16)"],
]);

/** The column type that other systems call so, or `undefined`. */
export function columnTypeMeant(type: string): string | undefined {
  return SYNONYMS.get(type.toLowerCase());
}

/** The nullable field that a user's `name: type` declares; `fixed` takes its width as `fixed(32)`. Throws `COLUMN_TYPE_UNKNOWN`. */
export function declaredField(name: string, type: string): Field {
  const fixed = /^fixed\((\d{1,5})\)$/.exec(type);
  if (fixed !== null) return { name, type: "fixed", nullable: true, width: Number(fixed[1]) };
  if (type !== "fixed" && (COLUMN_TYPES as readonly string[]).includes(type))
    return { name, type: type as ColumnType, nullable: true };
  const known = COLUMN_TYPES.map((known) => (known === "fixed" ? "fixed(<bytes>)" : known)).join(", ");
  const meant = columnTypeMeant(type);
  throw new IpdmError("COLUMN_TYPE_UNKNOWN", `column ${name} is declared as ${type}, which is no column type`, {
    kind: "config",
    hint: `${meant === undefined ? "" : `did you mean ${meant}? `}column types: ${known}`,
    facts: { column: name },
  });
}
