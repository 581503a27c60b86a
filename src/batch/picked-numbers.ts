import type { Value } from "./column.ts";
import type { ColumnType } from "./schema.ts";

/**
 * Puts the numbers at places into a column's `data` buffer, from a row on. False, and nothing that counts written, for types that
 * have no fast way, and where one is no number, or no safe integer for 64 bits; those of smaller columns fit their type. NaN has
 * the one bit pattern that JavaScript gives it.
 */
export function pickNumbers(
  type: ColumnType,
  values: readonly Value[] | Float64Array,
  at: Int32Array,
  data: Uint8Array,
  row: number,
): boolean {
  if (!(values instanceof Float64Array)) return pickValues(type, values, at, data, row);
  const { buffer } = data;
  switch (type) {
    case "f64":
      return pickFloats(values, at, new Float64Array(buffer, 8 * row, at.length));
    case "i32":
    case "u32":
      return pickInts(values, at, new Int32Array(buffer, 4 * row, at.length));
    case "i64":
    case "timestamp":
      return pickWides(values, at, new Int32Array(buffer, 8 * row, 2 * at.length), Number.MIN_SAFE_INTEGER);
    case "u64":
      return pickWides(values, at, new Int32Array(buffer, 8 * row, 2 * at.length), 0);
    default:
      return false;
  }
}

function pickFloats(values: Float64Array, at: Int32Array, into: Float64Array): boolean {
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number] as number;
    into[i] = Number.isNaN(value) ? Number.NaN : value;
  }
  return true;
}

function pickInts(values: Float64Array, at: Int32Array, into: Int32Array): boolean {
  for (let i = 0; i < at.length; i++) into[i] = values[at[i] as number] as number;
  return true;
}

/** As pairs of words, low word first; false when one is no safe integer, or below the least. */
function pickWides(values: Float64Array, at: Int32Array, into: Int32Array, least: number): boolean {
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number] as number;
    if (!Number.isSafeInteger(value) || value < least) return false;
    const high = Math.floor(value / 4_294_967_296);
    into[2 * i] = value - high * 4_294_967_296;
    into[2 * i + 1] = high;
  }
  return true;
}

/** The same of values of any kind: floats and small integers alone have a fast way. */
function pickValues(
  type: ColumnType,
  values: readonly Value[],
  at: Int32Array,
  data: Uint8Array,
  row: number,
): boolean {
  if (type !== "f64" && type !== "i32") return false;
  const { buffer } = data;
  const into =
    type === "f64" ? new Float64Array(buffer, 8 * row, at.length) : new Int32Array(buffer, 4 * row, at.length);
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number];
    if (typeof value !== "number") return false;
    into[i] = value;
  }
  return true;
}
