import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";

// Columns of a window's state as little-endian bytes: small, and the same for the same state.

/** The slots' numbers as f64; every NaN has the one bit pattern 0x7ff8000000000000. */
export function bytesOfF64(values: Float64Array, slots: Int32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(8 * slots.length));
  slots.forEach((slot, i) => {
    const value = values[slot] as number;
    if (Number.isNaN(value)) view.setUint32(8 * i + 4, 0x7ff8_0000, true);
    else view.setFloat64(8 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

/** The reverse of {@link bytesOfF64}. */
export function f64OfBytes(state: Ipld | undefined, values: Float64Array, slots: Int32Array): void {
  const view = viewOf(state, 8 * slots.length);
  slots.forEach((slot, i) => {
    values[slot] = view.getFloat64(8 * i, true);
  });
}

/** Unsigned 32-bit numbers as bytes. */
export function bytesOfU32(values: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * values.length));
  values.forEach((value, i) => {
    view.setUint32(4 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

/** The reverse of {@link bytesOfU32}. */
export function u32OfBytes(state: Ipld | undefined): Uint32Array {
  const view = viewOf(state);
  return Uint32Array.from({ length: view.byteLength >> 2 }, (_, i) => view.getUint32(4 * i, true));
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

function viewOf(state: Ipld | undefined, length?: number): DataView {
  const bytes = bytesPart(state);
  if (length !== undefined && bytes.length !== length) throw malformed("length of a column");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
