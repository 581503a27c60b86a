import { assert } from "../core/errors.ts";
import type { CallContext } from "./port.ts";
import { Stop } from "./stop.ts";

/**
 * The 64 bytes beside a batch in a module's memory (docs/reference/abi.md), little-endian:
 * magic u32, version u32, first row u64, time i64, flags u32 (bit 0: there is a time), 0 u32, seed 32 bytes.
 */
export const DESCRIPTOR_MAGIC = 0x44445049; // "IPDD"
export const DESCRIPTOR_VERSION = 1;
export const DESCRIPTOR_BYTES = 64;
export const SEED_BYTES = 32;
/** Where the seed stands. */
export const DESCRIPTOR_SEED = 32;
const FLAG_TIME = 1;

/** The event time that stands in a descriptor, in microseconds since 1970. Stops the call of a module that asks for one that is not there. */
export function descriptorTime(descriptor: DataView, asked: string): bigint {
  if ((descriptor.getUint32(24, true) & FLAG_TIME) !== 0) return descriptor.getBigInt64(16, true);
  throw new Stop("denied", `it called ${asked}, and this call has no event time`);
}

/** The descriptor of a call. */
export function encodeDescriptor(context: CallContext): Uint8Array<ArrayBuffer> {
  const { firstRow, seed, timeUs } = context;
  assert(Number.isSafeInteger(firstRow) && firstRow >= 0, `no row number: ${firstRow}`);
  assert(seed.length === SEED_BYTES, `a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const bytes = new Uint8Array(DESCRIPTOR_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, DESCRIPTOR_MAGIC, true);
  view.setUint32(4, DESCRIPTOR_VERSION, true);
  view.setBigUint64(8, BigInt(firstRow), true);
  view.setBigInt64(16, timeUs ?? 0n, true);
  view.setUint32(24, timeUs === undefined ? 0 : FLAG_TIME, true);
  bytes.set(seed, DESCRIPTOR_SEED);
  return bytes;
}
