import type { ParquetType } from "hyparquet";
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from "hyparquet/src/delta.js";
import { byteStreamSplit } from "hyparquet/src/encoding.js";
import { decodeHybrid } from "./hybrid.ts";
import type { Vector } from "./vector.ts";
import { fixedVector, textVector } from "./vector.ts";

/** Numbers of the encodings (parquet.thrift, Encoding). */
export const ENCODING = {
  plain: 0,
  plainDictionary: 2,
  rle: 3,
  deltaBinaryPacked: 5,
  deltaLengthByteArray: 6,
  deltaByteArray: 7,
  rleDictionary: 8,
  byteStreamSplit: 9,
} as const;

const WIDTHS: Partial<Record<ParquetType, number>> = { INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8 };

/** Decodes `count` values that are not dictionary indices. Throws RangeError where the bytes do not hold them. */
export function decodeValues(
  bytes: Uint8Array,
  encoding: number,
  type: ParquetType,
  count: number,
  typeLength: number,
): Vector {
  if (count === 0) return empty(type, typeLength);
  const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  switch (encoding) {
    case ENCODING.plain:
      return plain(bytes, type, count, typeLength);
    case ENCODING.rle: {
      if (type !== "BOOLEAN" || bytes.length < 4) break;
      const out = new Uint32Array(count);
      decodeHybrid(bytes, 4, Math.min(bytes.length, 4 + reader.view.getUint32(0, true)), 1, out);
      return { kind: "bits", count, bytes: Uint8Array.from(out) };
    }
    case ENCODING.deltaBinaryPacked: {
      if (type !== "INT32" && type !== "INT64") break;
      const out = type === "INT32" ? new Int32Array(count) : new BigInt64Array(count);
      deltaBinaryUnpack(reader, count, out);
      return fixedVector(out, WIDTHS[type] ?? 8);
    }
    case ENCODING.deltaLengthByteArray:
    case ENCODING.deltaByteArray: {
      const out: Uint8Array[] = new Array(count);
      (encoding === ENCODING.deltaByteArray ? deltaByteArray : deltaLengthByteArray)(reader, count, out);
      return type === "FIXED_LEN_BYTE_ARRAY" ? fixedFrom(out, typeLength) : textVector(out);
    }
    case ENCODING.byteStreamSplit: {
      const width = type === "FIXED_LEN_BYTE_ARRAY" ? typeLength : (WIDTHS[type] ?? 0);
      const out = byteStreamSplit(reader, count, type, typeLength);
      return Array.isArray(out) ? fixedFrom(out as Uint8Array[], width) : fixedVector(out, width);
    }
    default:
  }
  throw new RangeError(`encoding ${encoding} of ${type} values is not supported`);
}

function empty(type: ParquetType, typeLength: number): Vector {
  if (type === "BYTE_ARRAY") return textVector([]);
  if (type === "BOOLEAN") return { kind: "bits", count: 0, bytes: new Uint8Array(0) };
  return { kind: "fixed", count: 0, width: WIDTHS[type] ?? typeLength, bytes: new Uint8Array(0) };
}

function plain(bytes: Uint8Array, type: ParquetType, count: number, typeLength: number): Vector {
  if (type === "BOOLEAN") {
    if (bytes.length * 8 < count) throw new RangeError("a page of bits ends early");
    const out = new Uint8Array(count);
    for (let i = 0; i < count; i++) out[i] = ((bytes[i >> 3] as number) >> (i & 7)) & 1;
    return { kind: "bits", count, bytes: out };
  }
  if (type === "BYTE_ARRAY") return plainText(bytes, count);
  const width = type === "FIXED_LEN_BYTE_ARRAY" ? typeLength : (WIDTHS[type] ?? 0);
  if (width === 0 || bytes.length < width * count) throw new RangeError(`a page of ${count} values ends early`);
  return fixedVector(bytes.subarray(0, width * count), width);
}

function plainText(bytes: Uint8Array, count: number): Vector {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = new Int32Array(count + 1);
  const out = new Uint8Array(bytes.length);
  let at = 0;
  let used = 0;
  for (let i = 0; i < count; i++) {
    if (at + 4 > bytes.length) throw new RangeError("a page of byte strings ends early");
    const length = view.getUint32(at, true);
    at += 4;
    if (at + length > bytes.length) throw new RangeError("a byte string ends beyond its page");
    if (length <= 16) for (let k = 0; k < length; k++) out[used + k] = bytes[at + k] as number;
    else out.set(bytes.subarray(at, at + length), used);
    at += length;
    used += length;
    offsets[i + 1] = used;
  }
  return { kind: "text", count, bytes: out.subarray(0, used), offsets };
}

function fixedFrom(values: readonly Uint8Array[], width: number): Vector {
  const bytes = new Uint8Array(values.length * width);
  values.forEach((value, i) => {
    if (value.length !== width) throw new RangeError(`a value of ${value.length} bytes in a column of ${width}`);
    bytes.set(value, i * width);
  });
  return { kind: "fixed", count: values.length, width, bytes };
}
