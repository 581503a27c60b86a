import type { Column } from "../../batch/column.ts";
import { wordsOf } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Arena } from "../kernels/arena.ts";
import { type Accumulator, putAll } from "./accumulator.ts";
import { Extreme, WideExtreme } from "./extremes.ts";
import { isInteger, isWide } from "./plan.ts";
import {
  bytesOfF64,
  bytesOfI128,
  bytesOfU32,
  f64OfBytes,
  i128OfBytes,
  malformed,
  partOf,
  u32OfBytes,
} from "./state-bytes.ts";

/** The accumulator of a sum, a minimum or a maximum over a column. */
export function accumulatorFor(kind: "sum" | "min" | "max", field: Field, arena: Arena): Accumulator {
  if (kind === "sum") return isInteger(field) ? new IntegerSum(field, arena) : new FloatSum(arena);
  return isWide(field) ? new WideExtreme(kind, field) : new Extreme(kind, arena);
}

/** Counts rows. */
export class Counter implements Accumulator {
  counts: Float64Array;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
    this.counts = arena.f64(16);
  }

  grow(capacity: number): void {
    this.counts = this.arena.grown(this.counts, capacity);
  }

  clear(slot: number): void {
    this.counts[slot] = 0;
  }

  clearAll(slots: Int32Array): void {
    putAll(this.counts, slots, 0);
  }

  add(_column: Column | undefined, from: number, to: number, slots: Int32Array): void {
    const { counts } = this;
    for (let i = 0; i < to - from; i++) {
      const slot = slots[i] as number;
      counts[slot] = (counts[slot] as number) + 1;
    }
  }

  merge(into: Int32Array, from: Int32Array): void {
    addNumbers(this.counts, into, from);
  }

  valueOf(slot: number): number {
    return this.counts[slot] as number;
  }

  numbers(): Float64Array {
    return this.counts;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.counts, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.counts, slots);
  }
}

function addNumbers(values: Float64Array, into: Int32Array, from: Int32Array): void {
  for (let i = 0; i < into.length; i++) {
    const slot = into[i] as number;
    values[slot] = (values[slot] as number) + (values[from[i] as number] as number);
  }
}

const LIMIT = Number.MAX_SAFE_INTEGER;
const HIGH = 4_294_967_296;

/** Exact sums: numbers while sum and summand are safe integers, from then on a bigint for that slot (NaN marks it). */
export class IntegerSum implements Accumulator {
  sums: Float64Array;
  private readonly field: Field;
  private readonly arena: Arena;
  private readonly big = new Map<number, bigint>();

  constructor(field: Field, arena: Arena) {
    this.field = field;
    this.arena = arena;
    this.sums = arena.f64(16);
  }

  grow(capacity: number): void {
    this.sums = this.arena.grown(this.sums, capacity);
  }

  clear(slot: number): void {
    if (this.big.size > 0) this.big.delete(slot);
    this.sums[slot] = 0;
  }

  clearAll(slots: Int32Array): void {
    if (this.big.size > 0) for (const slot of slots) this.big.delete(slot);
    putAll(this.sums, slots, 0);
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

  merge(into: Int32Array, from: Int32Array): void {
    const { sums, big } = this;
    for (let i = 0; i < into.length; i++) {
      const slot = into[i] as number;
      const other = from[i] as number;
      const sum = (sums[slot] as number) + (sums[other] as number);
      if (sum >= -LIMIT && sum <= LIMIT) sums[slot] = sum;
      else this.addBig(slot, big.get(other) ?? BigInt(sums[other] as number));
    }
  }

  valueOf(slot: number): number | bigint {
    return this.big.get(slot) ?? (this.sums[slot] as number);
  }

  numbers(): Float64Array | undefined {
    return this.big.size === 0 ? this.sums : undefined;
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
    if (partOf(state, "at") !== undefined) {
      const values = i128OfBytes(partOf(state, "big"));
      u32OfBytes(partOf(state, "at")).forEach((i, n) => this.big.set(slots[i] ?? 0, values[n] ?? 0n));
    }
    for (const slot of slots) {
      const sum = this.sums[slot] as number;
      if (this.big.has(slot) ? !Number.isNaN(sum) : !Number.isSafeInteger(sum)) throw malformed("sum");
    }
  }
}

/** Sums in row order, each addition rounded to f64: the order is part of the result. */
export class FloatSum implements Accumulator {
  sums: Float64Array;
  private readonly arena: Arena;

  constructor(arena: Arena) {
    this.arena = arena;
    this.sums = arena.f64(16);
  }

  grow(capacity: number): void {
    this.sums = this.arena.grown(this.sums, capacity);
  }

  clear(slot: number): void {
    this.sums[slot] = 0;
  }

  clearAll(slots: Int32Array): void {
    putAll(this.sums, slots, 0);
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { sums } = this;
    const values = column.values as Float64Array;
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      sums[slot] = (sums[slot] as number) + (values[row] as number);
    }
  }

  merge(into: Int32Array, from: Int32Array): void {
    addNumbers(this.sums, into, from);
  }

  valueOf(slot: number): number {
    return this.sums[slot] as number;
  }

  numbers(): Float64Array {
    return this.sums;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.sums, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.sums, slots);
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
