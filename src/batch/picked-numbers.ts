import type { ColumnType } from "./schema.ts";

/**
 * Puts the numbers at places into a column's `data` buffer, from a row on. False, and nothing that counts written, for types that
 * have no fast way, and where a number is no safe integer.
 */
export function pickNumbers(
  type: ColumnType,
  values: Float64Array,
  at: Int32Array,
  data: Uint8Array,
  row: number,
): boolean {
  const { buffer } = data;
  if (type === "f64") {
    const into = new Float64Array(buffer, 8 * row, at.length);
    for (let i = 0; i < at.length; i++) into[i] = values[at[i] as number] as number;
    return true;
  }
  if (type === "i32") {
    const into = new Int32Array(buffer, 4 * row, at.length);
    for (let i = 0; i < at.length; i++) into[i] = values[at[i] as number] as number;
    return true;
  }
  return type === "i64" && pickWides(values, at, new Int32Array(buffer, 8 * row, 2 * at.length));
}

/** As pairs of words, low word first; false when one is no safe integer. */
function pickWides(values: Float64Array, at: Int32Array, into: Int32Array): boolean {
  for (let i = 0; i < at.length; i++) {
    const value = values[at[i] as number] as number;
    if (!Number.isSafeInteger(value)) return false;
    const high = Math.floor(value / 4_294_967_296);
    into[2 * i] = value - high * 4_294_967_296;
    into[2 * i + 1] = high;
  }
  return true;
}
