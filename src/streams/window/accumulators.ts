import type { Column, Value } from "../../batch/column.ts";
import { wordsOf } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";
import { isInteger, isWide } from "./plan.ts";
import { bytesOfF64, bytesOfI128, bytesOfU32, f64OfBytes, i128OfBytes, partOf, u32OfBytes } from "./state-bytes.ts";

/**
 * One number a slot, for all open groups together. `add` folds rows `from` to `to` of a column into the slots given for
 * them; slot 0 is a bin for rows that do not count (late, or null), so that the loops need no conditions.
 */
export interface Accumulator {
  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void;
  /** Puts a slot into the state of a group without rows. */
  clear(slot: number): void;
  add(column: Column, from: number, to: number, slots: Int32Array): void;
  valueOf(slot: number): Value;
  /** State of the slots in the order given, little-endian. */
  save(slots: Int32Array): Ipld;
  load(slots: Int32Array, state: Ipld): void;
}

/** The accumulator of a sum, a minimum or a maximum over a column. */
export function accumulatorFor(kind: "sum" | "min" | "max", field: Field): Accumulator {
  if (kind === "sum") return isInteger(field) ? new IntegerSum(field) : new FloatSum();
  return isWide(field) ? new WideExtreme(kind, field) : new Extreme(kind);
}

/** Counts rows. */
export class Counter implements Accumulator {
  private counts = new Float64Array(16);

  grow(capacity: number): void {
    this.counts = grown(this.counts, capacity);
  }

  clear(slot: number): void {
    this.counts[slot] = 0;
  }

  add(_column: Column | undefined, from: number, to: number, slots: Int32Array): void {
    const { counts } = this;
    for (let i = 0; i < to - from; i++) {
      const slot = slots[i] as number;
      counts[slot] = (counts[slot] as number) + 1;
    }
  }

  valueOf(slot: number): number {
    return this.counts[slot] as number;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.counts, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.counts, slots);
  }
}

const LIMIT = Number.MAX_SAFE_INTEGER;
const HIGH = 4_294_967_296;

/** Exact sums: numbers while sum and summand are safe integers, from then on a bigint for that slot (NaN marks it). */
class IntegerSum implements Accumulator {
  private readonly field: Field;
  private sums = new Float64Array(16);
  private readonly big = new Map<number, bigint>();

  constructor(field: Field) {
    this.field = field;
  }

  grow(capacity: number): void {
    this.sums = grown(this.sums, capacity);
  }

  clear(slot: number): void {
    if (this.big.size > 0) this.big.delete(slot);
    this.sums[slot] = 0;
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    if (this.field.type === "u64") this.addUnsigned(column, from, to, slots);
    else if (isWide(this.field)) this.addWide(column, from, to, slots);
    else this.addSmall(column, from, to, slots);
  }

  private addSmall(column: Column, from: number, to: number, slots: Int32Array): void {
    const { sums } = this;
    const values = column.values as Int32Array;
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      const sum = (sums[slot] as number) + (values[row] as number);
      if (sum >= -LIMIT && sum <= LIMIT) sums[slot] = sum;
      else this.addBig(slot, BigInt(values[row] as number));
    }
  }

  private addWide(column: Column, from: number, to: number, slots: Int32Array): void {
    const { sums } = this;
    const words = wordsOf(column);
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      const value = (words[2 * row + 1] as number) * HIGH + ((words[2 * row] as number) >>> 0);
      const sum = (sums[slot] as number) + value;
      if (sum >= -LIMIT && sum <= LIMIT && value >= -LIMIT && value <= LIMIT) sums[slot] = sum;
      else this.addBig(slot, column.values[row] as bigint);
    }
  }

  private addUnsigned(column: Column, from: number, to: number, slots: Int32Array): void {
    const { sums } = this;
    const words = wordsOf(column);
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      const value = ((words[2 * row + 1] as number) >>> 0) * HIGH + ((words[2 * row] as number) >>> 0);
      const sum = (sums[slot] as number) + value;
      if (sum <= LIMIT && value <= LIMIT) sums[slot] = sum;
      else this.addBig(slot, column.values[row] as bigint);
    }
  }

  private addBig(slot: number, value: bigint): void {
    if (slot === 0) return;
    const before = this.big.get(slot) ?? BigInt(this.sums[slot] as number);
    this.big.set(slot, before + value);
    this.sums[slot] = Number.NaN;
  }

  valueOf(slot: number): number | bigint {
    return this.big.get(slot) ?? (this.sums[slot] as number);
  }

  save(slots: Int32Array): Ipld {
    const sums = bytesOfF64(this.sums, slots);
    const at: number[] = [];
    if (this.big.size > 0) slots.forEach((slot, i) => this.big.has(slot) && at.push(i));
    const values = at.map((i) => this.big.get(slots[i] as number) ?? 0n);
    return at.length === 0 ? { sums } : { sums, at: bytesOfU32(Uint32Array.from(at)), big: bytesOfI128(values) };
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(partOf(state, "sums"), this.sums, slots);
    if (partOf(state, "at") === undefined) return;
    const values = i128OfBytes(partOf(state, "big"));
    u32OfBytes(partOf(state, "at")).forEach((i, n) => this.big.set(slots[i] as number, values[n] as bigint));
  }
}

/** Sums in row order, each addition rounded to f64: the order is part of the result. */
class FloatSum implements Accumulator {
  private sums = new Float64Array(16);

  grow(capacity: number): void {
    this.sums = grown(this.sums, capacity);
  }

  clear(slot: number): void {
    this.sums[slot] = 0;
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { sums } = this;
    const values = column.values as Float64Array;
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      sums[slot] = (sums[slot] as number) + (values[row] as number);
    }
  }

  valueOf(slot: number): number {
    return this.sums[slot] as number;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.sums, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.sums, slots);
  }
}

/** Smallest or largest value of a column of up to 32 bits or of floats. NaN is larger than every number; of equal values (0 and -0) the first stays. */
class Extreme implements Accumulator {
  private readonly kind: "min" | "max";
  private best = new Float64Array(16);

  constructor(kind: "min" | "max") {
    this.kind = kind;
    this.best.fill(this.none());
  }

  /** What any value replaces: NaN for a minimum, -∞ for a maximum. */
  private none(): number {
    return this.kind === "min" ? Number.NaN : Number.NEGATIVE_INFINITY;
  }

  grow(capacity: number): void {
    this.best = grown(this.best, capacity, this.none());
  }

  clear(slot: number): void {
    this.best[slot] = this.none();
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { best } = this;
    const values = column.values as Float64Array;
    if (this.kind === "max") {
      for (let row = from; row < to; row++) {
        const slot = slots[row - from] as number;
        if (!((values[row] as number) <= (best[slot] as number)) && !Number.isNaN(best[slot])) best[slot] = values[row] as number;
      }
    } else {
      for (let row = from; row < to; row++) {
        const slot = slots[row - from] as number;
        if (!((values[row] as number) >= (best[slot] as number)) && !Number.isNaN(values[row])) best[slot] = values[row] as number;
      }
    }
  }

  valueOf(slot: number): number {
    return this.best[slot] as number;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.best, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.best, slots);
  }
}

/** Smallest or largest value of a 64-bit column, compared word by word. For u64 the high word is kept with its top bit flipped. */
class WideExtreme implements Accumulator {
  private readonly kind: "min" | "max";
  private readonly flip: number;
  private highs = new Int32Array(16);
  private lows = new Uint32Array(16);

  constructor(kind: "min" | "max", field: Field) {
    this.kind = kind;
    this.flip = field.type === "u64" ? -0x8000_0000 : 0;
    for (let slot = 0; slot < 16; slot++) this.clear(slot);
  }

  grow(capacity: number): void {
    const before = this.highs.length;
    this.highs = grown(this.highs, capacity);
    this.lows = grown(this.lows, capacity);
    for (let slot = before; slot < capacity; slot++) this.clear(slot);
  }

  clear(slot: number): void {
    this.highs[slot] = this.kind === "min" ? 0x7fff_ffff : -0x8000_0000;
    this.lows[slot] = this.kind === "min" ? 0xffff_ffff : 0;
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { highs, lows, flip } = this;
    const words = wordsOf(column);
    const wantsMore = this.kind === "max";
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      const high = (words[2 * row + 1] as number) ^ flip;
      const low = (words[2 * row] as number) >>> 0;
      const best = highs[slot] as number;
      const more = high === best ? low > (lows[slot] as number) : high > best;
      if (more === wantsMore) {
        highs[slot] = high;
        lows[slot] = low;
      }
    }
  }

  valueOf(slot: number): bigint {
    const high = (this.highs[slot] as number) ^ this.flip;
    const value = (BigInt(high) << 32n) | BigInt(this.lows[slot] as number);
    return this.flip === 0 ? value : BigInt.asUintN(64, value);
  }

  save(slots: Int32Array): Ipld {
    const highs = Uint32Array.from(slots, (slot) => (this.highs[slot] as number) >>> 0);
    return { high: bytesOfU32(highs), low: bytesOfU32(Uint32Array.from(slots, (slot) => this.lows[slot] as number)) };
  }

  load(slots: Int32Array, state: Ipld): void {
    const highs = u32OfBytes(partOf(state, "high"));
    const lows = u32OfBytes(partOf(state, "low"));
    slots.forEach((slot, i) => {
      this.highs[slot] = (highs[i] as number) | 0;
      this.lows[slot] = lows[i] as number;
    });
  }
}

/** A whole sum as an i64. Throws `AGGREGATE_OVERFLOW`. */
export function i64Of(name: string, sum: number | bigint): number | bigint {
  if (typeof sum === "number") return sum;
  const value = sum;
  if (BigInt.asIntN(64, value) === value) return value;
  throw new IpdmError("AGGREGATE_OVERFLOW", `${name} is ${value}, which does not fit 64 bits`, {
    hint: "sum smaller windows, or a column in larger units",
    facts: { aggregate: name, value: value.toString() },
  });
}

function grown<T extends Float64Array | Int32Array | Uint32Array>(array: T, capacity: number, fill = 0): T {
  const larger = new (array.constructor as new (length: number) => T)(capacity);
  larger.set(array);
  if (fill !== 0) larger.fill(fill, array.length);
  return larger;
}
