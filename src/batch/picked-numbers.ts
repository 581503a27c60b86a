import type { Value } from "./column.ts";
import type { ColumnType } from "./schema.ts";

/**
 * Puts the numbers at places into a column's `data` buffer, from a row on. False, and nothing that counts written, for types that
 * have no fast way, and where one is no number, or no safe integer for 64 bits; those of smaller columns fit their type.
 */
export function pickNumbers(
  type: ColumnType,
  values: ArrayLike<Value>,
  at: Int32Array,
  data: Uint8Array,
  row: number,
): boolean {
  const { buffer } = data;
  if (type === "f64") {
    return pickInto(values, at, new Float64Array(buffer, 8 * row, at.length));
  }
  if (type === "i32") return pickInto(values, at, new Int32Array(buffer, 4 * row, at.length));
  return type === "i64" && pickWides(values, at, new Int32Array(buffer, 8 * row, 2 * at.length));
}

function pickInto(values: ArrayLike<Value>, at: Int32Array, into: Float64Array | Int32Array): boolean {
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number];
    if (typeof value !== "number") return false;
    into[i] = value;
  }
  return true;
}

/** As pairs of words, low word first; false when one is no safe integer. */
function pickWides(values: ArrayLike<Value>, at: Int32Array, into: Int32Array): boolean {
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number];
    if (typeof value !== "number" || !Number.isSafeInteger(value)) return false;
    const high = Math.floor(value / 4_294_967_296);
    into[2 * i] = value - high * 4_294_967_296;
    into[2 * i + 1] = high;
  }
  return true;
}
