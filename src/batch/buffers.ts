import type { Values } from "./column.ts";
import type { ColumnType } from "./schema.ts";

/** Bytes of a bitmap over that many rows. */
export function bitBytes(rows: number): number {
  return (rows + 7) >> 3;
}

/** The bytes of a column's `data` buffer as values of its type. */
export function typedView(type: ColumnType, data: Uint8Array): Values {
  const { buffer, byteOffset, byteLength } = data;
  switch (type) {
    case "i8":
      return new Int8Array(buffer, byteOffset, byteLength);
    case "i16":
      return new Int16Array(buffer, byteOffset, byteLength >> 1);
    case "u16":
      return new Uint16Array(buffer, byteOffset, byteLength >> 1);
    case "i32":
      return new Int32Array(buffer, byteOffset, byteLength >> 2);
    case "u32":
    case "dict":
      return new Uint32Array(buffer, byteOffset, byteLength >> 2);
    case "i64":
    case "timestamp":
      return new BigInt64Array(buffer, byteOffset, byteLength >> 3);
    case "u64":
      return new BigUint64Array(buffer, byteOffset, byteLength >> 3);
    case "f32":
      return new Float32Array(buffer, byteOffset, byteLength >> 2);
    case "f64":
      return new Float64Array(buffer, byteOffset, byteLength >> 3);
    default:
      return data;
  }
}

/** A longer array with the values of a shorter one. */
export function longer<T extends Int32Array | Uint8Array>(values: T, grown: T): T {
  grown.set(values);
  return grown;
}
