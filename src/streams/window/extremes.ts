import type { Column } from "../../batch/column.ts";
import { wordsOf } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Arena } from "../kernels/arena.ts";
import type { Accumulator } from "./accumulator.ts";
import { grown, putAll } from "./accumulator.ts";
import { bytesOfF64, bytesOfWords, f64OfBytes, partOf, u32OfBytes } from "./state-bytes.ts";

/**
 * Smallest or largest value of a column of up to 32 bits or of floats. NaN is larger than every number; of equal values
 * (0 and -0) the first stays.
 */
export class Extreme implements Accumulator {
  readonly kind: "min" | "max";
  best: Float64Array;
  private readonly arena: Arena;

  constructor(kind: "min" | "max", arena: Arena) {
    this.kind = kind;
    this.arena = arena;
    this.best = arena.f64(16).fill(this.none());
  }

  /** What any value replaces: NaN for a minimum, -∞ for a maximum. */
  private none(): number {
    return this.kind === "min" ? Number.NaN : Number.NEGATIVE_INFINITY;
  }

  grow(capacity: number): void {
    this.best = this.arena.grown(this.best, capacity, this.none());
  }

  clear(slot: number): void {
    this.best[slot] = this.none();
  }

  clearAll(slots: Int32Array): void {
    putAll(this.best, slots, this.none());
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { best } = this;
    const values = column.values as Float64Array;
    if (this.kind === "max") {
      for (let row = from; row < to; row++) {
        const slot = slots[row - from] as number;
        if (!((values[row] as number) <= (best[slot] as number)) && !Number.isNaN(best[slot]))
          best[slot] = values[row] as number;
      }
    } else {
      for (let row = from; row < to; row++) {
        const slot = slots[row - from] as number;
        if (!((values[row] as number) >= (best[slot] as number)) && !Number.isNaN(values[row]))
          best[slot] = values[row] as number;
      }
    }
  }

  merge(into: Int32Array, from: Int32Array): void {
    const { best } = this;
    for (let i = 0; i < into.length; i++) {
      const slot = into[i] as number;
      const value = best[from[i] as number] as number;
      const isBetter =
        this.kind === "max"
          ? !(value <= (best[slot] as number)) && !Number.isNaN(best[slot])
          : !(value >= (best[slot] as number)) && !Number.isNaN(value);
      if (isBetter) best[slot] = value;
    }
  }

  valueOf(slot: number): number {
    return this.best[slot] as number;
  }

  numbers(): Float64Array {
    return this.best;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.best, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.best, slots);
  }
}

/**
 * Smallest or largest value of a 64-bit column, compared word by word. For u64 the high word is kept with its top bit
 * flipped.
 */
export class WideExtreme implements Accumulator {
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

  merge(into: Int32Array, from: Int32Array): void {
    const { highs, lows } = this;
    for (let i = 0; i < into.length; i++) {
      const slot = into[i] as number;
      const other = from[i] as number;
      const high = highs[other] as number;
      const best = highs[slot] as number;
      const more = high === best ? (lows[other] as number) > (lows[slot] as number) : high > best;
      if (more !== (this.kind === "max")) continue;
      highs[slot] = high;
      lows[slot] = lows[other] as number;
    }
  }

  valueOf(slot: number): bigint {
    const high = (this.highs[slot] as number) ^ this.flip;
    const value = (BigInt(high) << 32n) | BigInt(this.lows[slot] as number);
    return this.flip === 0 ? value : BigInt.asUintN(64, value);
  }

  save(slots: Int32Array): Ipld {
    return { high: bytesOfWords(this.highs, slots), low: bytesOfWords(this.lows, slots) };
  }

  load(slots: Int32Array, state: Ipld): void {
    const highs = u32OfBytes(partOf(state, "high"), slots.length);
    const lows = u32OfBytes(partOf(state, "low"), slots.length);
    slots.forEach((slot, i) => {
      this.highs[slot] = (highs[i] as number) | 0;
      this.lows[slot] = lows[i] as number;
    });
  }
}
