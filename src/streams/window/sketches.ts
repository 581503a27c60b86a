import type { Ipld } from "../../dag/block.ts";
import { bytesOfU32, bytesPart, malformed, partOf, u32OfBytes } from "./state-bytes.ts";

/** HyperLogLog with 2^11 registers: a standard error of 2.3 %. */
const REGISTER_BITS = 11;
const REGISTERS = 2 ** REGISTER_BITS;
/** Bits of a hash that choose no register. */
const REST_BITS = 32 - REGISTER_BITS + 32;
/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817;

/** Registers of no values. */
export function emptyRegisters(): Uint8Array {
  return new Uint8Array(REGISTERS);
}

/** Counts a value, given by bytes, in: the registers, changed. */
export function putHash(registers: Uint8Array, bytes: Uint8Array): Uint8Array {
  const high = hash32(bytes, 0x811c9dc5);
  const low = hash32(bytes, 0x9747b28c);
  const register = high >>> (32 - REGISTER_BITS);
  const rest = (high << REGISTER_BITS) >>> 0;
  const zeros = rest !== 0 ? Math.clz32(rest) : 32 - REGISTER_BITS + Math.clz32(low);
  const rank = Math.min(zeros, REST_BITS) + 1;
  if (rank > (registers[register] as number)) registers[register] = rank;
  return registers;
}

/** Registers of the values of both. */
export function mergeRegisters(first: Uint8Array, second: Uint8Array): Uint8Array {
  for (let i = 0; i < REGISTERS; i++) if ((second[i] as number) > (first[i] as number)) first[i] = second[i] as number;
  return first;
}

/**
 * How many distinct values there were, about: the estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog
 * sketches" (2017), which needs no logarithm and no table.
 */
export function estimate(registers: Uint8Array): bigint {
  const counts = new Float64Array(REST_BITS + 2);
  for (const rank of registers) counts[rank] = (counts[rank] as number) + 1;
  let sum = REGISTERS * tau(1 - (counts[REST_BITS + 1] as number) / REGISTERS);
  for (let rank = REST_BITS; rank >= 1; rank--) sum = 0.5 * (sum + (counts[rank] as number));
  sum += REGISTERS * sigma((counts[0] as number) / REGISTERS);
  return BigInt(Math.round((ALPHA * REGISTERS * REGISTERS) / sum));
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let sum = share;
  for (let before = Number.NaN; sum !== before; ) {
    x *= x;
    before = sum;
    sum += x * y;
    y += y;
  }
  return sum;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let sum = 1 - share;
  for (let before = Number.NaN; sum !== before; ) {
    x = Math.sqrt(x);
    before = sum;
    y *= 0.5;
    sum -= (1 - x) * (1 - x) * y;
  }
  return sum / 3;
}

/** FNV-1a from a seed, with the final mix of MurmurHash3. */
function hash32(bytes: Uint8Array, seed: number): number {
  let hash = seed;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const view = new DataView(new ArrayBuffer(8));

/**
 * Counts of values in buckets that the first 20 bits of their 64-bit float decide, sign, exponent and 8 bits of fraction: a quantile is off by
 * at most one part in 512. The counts do not depend on any order.
 */
export class Sketch {
  private readonly counts = new Map<number, number>();
  private total = 0;

  static of(state: Ipld): Sketch {
    const made = new Sketch();
    const buckets = u32OfBytes(partOf(state, "buckets"));
    const counts = bytesPart(partOf(state, "counts"));
    if (counts.length !== 8 * buckets.length) throw malformed("counts of a sketch");
    const numbers = new Float64Array(new Uint8Array(counts).buffer);
    buckets.forEach((bucket, i) => made.put(bucket, numbers[i] as number));
    return made;
  }

  /** Counts a value in; NaN is above all. */
  add(value: number): this {
    view.setFloat64(0, Number.isNaN(value) ? Number.NaN : value + 0);
    const head = view.getUint32(0) >>> 12;
    // Negative numbers order backwards: flipped, buckets order like their values.
    this.put(head >= 0x8_0000 ? 0xf_ffff - head : head + 0x8_0000, 1);
    return this;
  }

  merge(other: Sketch): this {
    for (const [bucket, count] of other.counts) this.put(bucket, count);
    return this;
  }

  /** The value below which that share of all values lies, or about; null of no values. */
  quantile(share: number): number | null {
    if (this.total === 0) return null;
    const rank = Math.min(this.total, Math.floor(share * this.total) + 1);
    let below = 0;
    for (const bucket of [...this.counts.keys()].sort((a, b) => a - b)) {
      below += this.counts.get(bucket) as number;
      if (below >= rank) return middleOf(bucket);
    }
    return null;
  }

  toIpld(): Ipld {
    const buckets = Uint32Array.from(this.counts.keys()).sort();
    const counts = Float64Array.from(buckets, (bucket) => this.counts.get(bucket) as number);
    return { buckets: bytesOfU32(buckets), counts: new Uint8Array(counts.buffer) };
  }

  private put(bucket: number, count: number): void {
    this.counts.set(bucket, (this.counts.get(bucket) ?? 0) + count);
    this.total += count;
  }
}

/** The middle of a bucket; 0, infinities and NaN as they are. */
function middleOf(bucket: number): number {
  const head = bucket >= 0x8_0000 ? bucket - 0x8_0000 : 0xf_ffff - bucket;
  const magnitude = head & 0x7_ffff;
  const isExact = magnitude === 0 || magnitude >= 0x7_ff00;
  view.setUint32(0, ((head << 12) | (isExact ? 0 : 0x800)) >>> 0);
  view.setUint32(4, 0);
  const value = view.getFloat64(0);
  return magnitude > 0x7_ff00 ? Number.NaN : value;
}
