import { Buffer, isUtf8 } from "node:buffer";
import type { Field } from "../../batch/schema.ts";
import { typeWidth } from "../../batch/schema.ts";
import type { ParquetColumn } from "./mapping.ts";
import type { Vector } from "./vector.ts";
import { fixedVector } from "./vector.ts";

/** The file is as it should be, but a timestamp of it is none of ours: not whole microseconds of 64 bits. */
export class InexactTimestamp extends RangeError {}

const SAFE = Number.MAX_SAFE_INTEGER;

/** Turns physical values into those of the batch column; texts are checked to be UTF-8. Throws RangeError on values that do not convert exactly. */
export function convertValues(values: Vector, column: ParquetColumn): Vector {
  const { field, conversion, unsigned } = column;
  if (values.kind === "text") {
    if (field.type !== "binary") checkUtf8(values);
    return values;
  }
  if (values.kind === "bits") return values;
  switch (conversion) {
    case "none":
      return values;
    case "integer":
      return integers(values, field, unsigned);
    case "float32": {
      const source = new Float32Array(values.bytes.buffer, values.bytes.byteOffset, values.count);
      return fixedVector(Float64Array.from(source), 8);
    }
    case "days": {
      const source = new Int32Array(values.bytes.buffer, values.bytes.byteOffset, values.count);
      return fixedVector(
        BigInt64Array.from(source, (day) => BigInt(day) * 86_400_000_000n),
        8,
      );
    }
    case "int96":
      return int96(values);
    case "millis":
    case "nanos":
      return scaled(values, conversion === "millis");
  }
}

function integers(values: Vector & { kind: "fixed" }, field: Field, unsigned: boolean): Vector {
  const { buffer, byteOffset } = values.bytes;
  const { count } = values;
  const source: Int32Array | Uint32Array | BigInt64Array | BigUint64Array =
    values.width === 8
      ? unsigned
        ? new BigUint64Array(buffer, byteOffset, count)
        : new BigInt64Array(buffer, byteOffset, count)
      : unsigned
        ? new Uint32Array(buffer, byteOffset, count)
        : new Int32Array(buffer, byteOffset, count);
  const width = typeWidth(field);
  if (width === 8)
    return fixedVector(
      BigInt64Array.from(source as Int32Array, (value) => BigInt(value)),
      8,
    );
  const bits = 8 * width;
  const signed = field.type.startsWith("i");
  const low = signed ? -(2 ** (bits - 1)) : 0;
  const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  const target = width === 1 ? new Uint8Array(count) : width === 2 ? new Uint16Array(count) : new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const value = Number(source[i]);
    if (value < low || value > high) throw new RangeError(`${value} does not fit ${field.type}`);
    target[i] = value;
  }
  return fixedVector(target, width);
}

function scaled(values: Vector & { kind: "fixed" }, fromMillis: boolean): Vector {
  const words = new Int32Array(values.bytes.buffer, values.bytes.byteOffset, 2 * values.count);
  const source = new BigInt64Array(values.bytes.buffer, values.bytes.byteOffset, values.count);
  const target = new BigInt64Array(values.count);
  const out = new Int32Array(target.buffer);
  for (let i = 0; i < values.count; i++) {
    const number = (words[2 * i + 1] as number) * 4_294_967_296 + ((words[2 * i] as number) >>> 0);
    const micros = fromMillis ? number * 1000 : number / 1000;
    if (Math.abs(number) <= SAFE && Number.isSafeInteger(micros)) {
      // The usual case without a bigint a row.
      out[2 * i] = micros | 0;
      out[2 * i + 1] = Math.floor(micros / 4_294_967_296);
    } else {
      target[i] = scaledExactly(source[i] as bigint, fromMillis);
    }
  }
  return fixedVector(target, 8);
}

function scaledExactly(value: bigint, fromMillis: boolean): bigint {
  if (!fromMillis && value % 1000n !== 0n)
    throw new InexactTimestamp(`the timestamp ${value} ns is not a whole number of microseconds`);
  const micros = fromMillis ? value * 1000n : value / 1000n;
  if (BigInt.asIntN(64, micros) !== micros)
    throw new InexactTimestamp(`the timestamp ${value} ms lies beyond 64-bit microseconds`);
  return micros;
}

/** Legacy timestamps: nanoseconds of the day (64 bits) and Julian day (32 bits). */
function int96(values: Vector & { kind: "fixed" }): Vector {
  const view = new DataView(values.bytes.buffer, values.bytes.byteOffset, values.bytes.byteLength);
  const target = new BigInt64Array(values.count);
  for (let i = 0; i < values.count; i++) {
    const nanos = view.getBigInt64(12 * i, true);
    const days = BigInt(view.getUint32(12 * i + 8, true)) - 2_440_588n;
    target[i] = days * 86_400_000_000n + scaledExactly(nanos, false);
  }
  return fixedVector(target, 8);
}

function checkUtf8(values: Vector & { kind: "text" }): void {
  const { bytes, offsets, count } = values;
  const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isUtf8(whole)) throw new RangeError("a text is not UTF-8");
  // The whole is valid; each part is too when none starts inside a sequence.
  for (let i = 0; i < count; i++) {
    const start = offsets[i] as number;
    if (start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80) throw new RangeError("a text is not UTF-8");
  }
}
