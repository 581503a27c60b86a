import { utf8 } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { COLUMNS_MAX, NAME_BYTES_MAX } from "./limits.ts";

/**
 * Logical column types. `timestamp` is signed 64-bit microseconds since the Unix epoch; `dict` is UTF-8 text stored once a
 * batch and referred to by 32-bit indices; `fixed` is binary of one width (32 bytes for hashes and 256-bit integers).
 */
export const COLUMN_TYPES = [
  "bool",
  "i8",
  "i16",
  "i32",
  "i64",
  "u8",
  "u16",
  "u32",
  "u64",
  "f32",
  "f64",
  "timestamp",
  "utf8",
  "dict",
  "binary",
  "fixed",
] as const;

/** One of {@link COLUMN_TYPES}. */
export type ColumnType = (typeof COLUMN_TYPES)[number];

/** Name, type and nullability of a column; `width` in bytes, for `fixed` only. */
export interface Field {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  readonly width?: number;
}

/** Ordered columns; names are unique. */
export interface Schema {
  readonly fields: readonly Field[];
}

/** Number of the type in a batch block (see docs/reference/batch.md). */
export function typeCode(type: ColumnType): number {
  return COLUMN_TYPES.indexOf(type) + 1;
}

/** Bytes a value takes in a fixed-width column's data buffer; 0 for `bool` (bits) and for types of variable width. */
export function typeWidth(field: Field): number {
  switch (field.type) {
    case "i8":
    case "u8":
      return 1;
    case "i16":
    case "u16":
      return 2;
    case "i32":
    case "u32":
    case "f32":
    case "dict":
      return 4;
    case "i64":
    case "u64":
    case "f64":
    case "timestamp":
      return 8;
    case "fixed":
      return field.width ?? 0;
    default:
      return 0;
  }
}

/** Checks names, count and widths. Throws `SCHEMA_INVALID`. */
export function schemaOf(fields: readonly Field[]): Schema {
  if (fields.length === 0 || fields.length > COLUMNS_MAX)
    throw invalid(`a schema has 1 to ${COLUMNS_MAX} columns, not ${fields.length}`);
  const names = new Set<string>();
  for (const field of fields) {
    const length = utf8(field.name).length;
    if (length === 0 || length > NAME_BYTES_MAX) throw invalid(`a column name has 1 to ${NAME_BYTES_MAX} bytes`);
    if (names.has(field.name)) throw invalid(`column ${field.name} stands twice`);
    names.add(field.name);
    if (
      field.type === "fixed" &&
      !(Number.isInteger(field.width) && (field.width ?? 0) >= 1 && (field.width ?? 0) <= 65_536)
    ) {
      throw invalid(`column ${field.name} needs a width of 1 to 65536 bytes`);
    }
  }
  return { fields };
}

/** The field of that name, or `undefined`. */
export function findField(schema: Schema, name: string): Field | undefined {
  return schema.fields.find((field) => field.name === name);
}

/** True when both have the same names, types, nullability and widths in the same order. */
export function sameSchema(a: Schema, b: Schema): boolean {
  return (
    a.fields.length === b.fields.length &&
    a.fields.every((field, i) => {
      const other = b.fields[i];
      return (
        other !== undefined &&
        field.name === other.name &&
        field.type === other.type &&
        field.nullable === other.nullable &&
        (field.type !== "fixed" || field.width === other.width)
      );
    })
  );
}

/** The schema as plain IPLD data: `[{name, type, nullable, width?}]`. */
export function schemaToIpld(schema: Schema): { name: string; type: string; nullable: boolean; width?: number }[] {
  return schema.fields.map(({ name, type, nullable, width }) =>
    type === "fixed" && width !== undefined ? { name, type, nullable, width } : { name, type, nullable },
  );
}

function invalid(message: string): IpdmError {
  return new IpdmError("SCHEMA_INVALID", message, { kind: "config" });
}
