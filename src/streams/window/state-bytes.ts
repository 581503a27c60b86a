import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";

// Columns of a window's state as little-endian bytes: small, and the same for the same state. Like a batch's columns they are
// written as typed arrays, which are little-endian wherever Node.js runs.

/** The slots' numbers as f64; every NaN has the one bit pattern 0x7ff8000000000000. */
export function bytesOfF64(values: Float64Array, slots: Int32Array): Uint8Array {
  const picked = new Float64Array(slots.length);
  const words = new Uint32Array(picked.buffer);
  for (let i = 0; i < slots.length; i++) {
    const value = values[slots[i] as number] as number;
    picked[i] = value;
    if (Number.isNaN(value)) {
      words[2 * i] = 0;
      words[2 * i + 1] = 0x7ff8_0000;
    }
  }
  return new Uint8Array(picked.buffer);
}

/** The reverse of {@link bytesOfF64}. */
export function f64OfBytes(state: Ipld | undefined, values: Float64Array, slots: Int32Array): void {
  const picked = new Float64Array(bufferOf(state, 8 * slots.length));
  for (let i = 0; i < slots.length; i++) values[slots[i] as number] = picked[i] as number;
}

/** The slots' unsigned 32-bit numbers as bytes. */
export function bytesOfWords(values: Uint32Array | Int32Array, slots: Int32Array): Uint8Array {
  const picked = new Uint32Array(slots.length);
  for (let i = 0; i < slots.length; i++) picked[i] = values[slots[i] as number] as number;
  return bytesOfU32(picked);
}

/** Unsigned 32-bit numbers as bytes: a view of them. */
export function bytesOfU32(values: Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The reverse of {@link bytesOfU32}, of `length` numbers if that is given. */
export function u32OfBytes(state: Ipld | undefined, length?: number): Uint32Array {
  const buffer = bufferOf(state, length === undefined ? undefined : 4 * length);
  if (buffer.byteLength % 4 !== 0) throw malformed("length of a column");
  return new Uint32Array(buffer);
}

/** Signed 128-bit numbers as bytes: a sum of 2^53 values of 64 bits fits. */
export function bytesOfI128(values: readonly bigint[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(16 * values.length));
  values.forEach((value, i) => {
    view.setBigUint64(16 * i, BigInt.asUintN(64, value), true);
    view.setBigInt64(16 * i + 8, value >> 64n, true);
  });
  return new Uint8Array(view.buffer);
}

/** The reverse of {@link bytesOfI128}. */
export function i128OfBytes(state: Ipld | undefined): bigint[] {
  const view = viewOf(state);
  return Array.from(
    { length: view.byteLength >> 4 },
    (_, i) => (view.getBigInt64(16 * i + 8, true) << 64n) | view.getBigUint64(16 * i, true),
  );
}

/** A member of a map in a snapshot, `undefined` where it has none. */
export function partOf(state: Ipld | undefined, name: string): Ipld | undefined {
  if (typeof state !== "object" || state === null || state instanceof Uint8Array || Array.isArray(state))
    throw malformed(name);
  return (state as { readonly [key: string]: Ipld })[name];
}

/** Bytes of a snapshot. */
export function bytesPart(state: Ipld | undefined): Uint8Array {
  if (state instanceof Uint8Array) return state;
  throw malformed("bytes");
}

/** The error of a snapshot that does not fit the plan or was altered. */
export function malformed(what: string): IpdmError {
  return new IpdmError("WINDOW_SNAPSHOT_MALFORMED", `not a window's snapshot: ${what}`, {
    kind: "verification",
    hint: "restore with the plan and the input schema that the snapshot was taken with",
  });
}

function viewOf(state: Ipld | undefined): DataView {
  const bytes = bytesPart(state);
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A copy, since bytes inside a block may lie at any place and typed arrays may not. */
function bufferOf(state: Ipld | undefined, length?: number): ArrayBuffer {
  const bytes = bytesPart(state);
  if (length !== undefined && bytes.length !== length) throw malformed("length of a column");
  return new Uint8Array(bytes).buffer;
}
