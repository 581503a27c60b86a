import type { Field } from "./schema.ts";

/** A value of a row as JavaScript sees it: 64-bit integers and timestamps are bigint, everything smaller is a number. */
export type Value = boolean | number | bigint | string | Uint8Array | null;

/** Typed views over a column's `data` buffer. */
export type Values =
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

/**
 * One column of a batch: views over its buffers, never copies. `values` has the type's own width (bits for `bool`, u32
 * indices for `dict`, bytes for `utf8`, `binary` and `fixed`). A null row's bytes in `values` are zero. `validity` has one bit a row, least significant first,
 * 1 where the row has a value; it is absent when the column holds no null.
 */
export interface Column {
  readonly field: Field;
  readonly rows: number;
  readonly nulls: number;
  readonly validity: Uint8Array | undefined;
  readonly values: Values;
  /** `rows + 1` ends into `values` (utf8, binary), or `entries + 1` ends into `extra` (dict). */
  readonly offsets: Int32Array | undefined;
  /** Bytes of the dictionary's texts. */
  readonly extra: Uint8Array | undefined;
  /** Texts in the dictionary; 0 for other types. */
  readonly entries: number;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const dictionaries = new WeakMap<Column, readonly string[]>();
const words = new WeakMap<Column, Int32Array>();

/** True when the row has no value. */
export function isNull(column: Column, row: number): boolean {
  return column.validity !== undefined && (((column.validity[row >> 3] ?? 0) >> (row & 7)) & 1) === 0;
}

/** The row's value, or null. */
export function valueAt(column: Column, row: number): Value {
  if (isNull(column, row)) return null;
  const { values, field } = column;
  switch (field.type) {
    case "bool":
      return ((Number(values[row >> 3]) >> (row & 7)) & 1) === 1;
    case "utf8":
      return decoder.decode(bytesAt(column, row));
    case "binary":
    case "fixed":
      return bytesAt(column, row).slice();
    case "dict":
      return dictionaryOf(column)[Number(values[row])] ?? null;
    default:
      return values[row] ?? null;
  }
}

/** The bytes of a row of `utf8`, `binary` or `fixed`: a view, valid as long as the batch. */
export function bytesAt(column: Column, row: number): Uint8Array {
  const values = column.values as Uint8Array;
  if (column.offsets !== undefined) return values.subarray(column.offsets[row], column.offsets[row + 1]);
  const width = column.field.width ?? 0;
  return values.subarray(row * width, (row + 1) * width);
}

/** The texts of a `dict` column by index; decoded once a column. */
export function dictionaryOf(column: Column): readonly string[] {
  let texts = dictionaries.get(column);
  if (texts === undefined) {
    texts = Array.from({ length: column.entries }, (_, i) => decoder.decode(entryBytes(column, i)));
    dictionaries.set(column, texts);
  }
  return texts;
}

/** UTF-8 bytes of a dictionary's entry. */
export function entryBytes(column: Column, entry: number): Uint8Array {
  const { extra, offsets } = column;
  if (extra === undefined || offsets === undefined) return new Uint8Array(0);
  return extra.subarray(offsets[entry], offsets[entry + 1]);
}

/**
 * The 64-bit values of an `i64`, `u64` or `timestamp` column as pairs of 32-bit words, low word first. Loops that know
 * their values to be safe integers read `hi * 2 ** 32 + (lo >>> 0)` from it without making a bigint a row.
 */
export function wordsOf(column: Column): Int32Array {
  let view = words.get(column);
  if (view === undefined) {
    const { buffer, byteOffset, byteLength } = column.values;
    view = new Int32Array(buffer, byteOffset, byteLength >> 2);
    words.set(column, view);
  }
  return view;
}

/** A 64-bit value as a number: exact up to 2^53, rounded beyond (callers that can meet larger values check the high word). */
export function wordsToNumber(view: Int32Array, row: number): number {
  return (view[2 * row + 1] as number) * 4_294_967_296 + ((view[2 * row] as number) >>> 0);
}
