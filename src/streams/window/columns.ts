import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Ipld } from "../../dag/block.ts";
import { Arena } from "../kernels/arena.ts";
import type { Kernels } from "../kernels/kernels.ts";
import { CHUNK_ROWS } from "../limits.ts";
import type { Accumulator } from "./accumulator.ts";
import { accumulatorFor, Counter, i64Of } from "./accumulators.ts";
import { addJoined, Joins, type Rows } from "./joins.ts";
import { Lane, type Scratch, scratchIn } from "./lanes.ts";
import type { Aggregate, WindowPlan } from "./plan.ts";
import { isInteger } from "./plan.ts";
import { richAccumulator } from "./rich-accumulators.ts";
import { malformed } from "./state-bytes.ts";
import { Kept } from "./windows.ts";

interface Part {
  readonly column: string | undefined;
  readonly accumulator: Accumulator;
}

/**
 * The aggregates of a plan over all open groups. Aggregates that need the same (the sum of a mean, a count) share it.
 */
export class AggregateColumns {
  private readonly parts: Part[] = [];
  private readonly named = new Map<string, Accumulator>();
  private readonly readers: readonly ((slot: number) => Value)[];
  private readonly masked = new Map<string, Int32Array>();
  private readonly rows: Counter;
  private readonly arena: Arena;
  /** Parts that kernels fold, by column, and the others. */
  private readonly lanes = new Map<string | undefined, Lane>();
  private readonly others: Part[] = [];
  private scratch: Scratch | undefined;
  /** Accumulators whose values come out as they are, never null. */
  private readonly plain: readonly (Accumulator | undefined)[];

  constructor(plan: WindowPlan, schema: Schema, arena = new Arena()) {
    this.arena = arena;
    this.rows = new Counter(arena);
    this.part("count", undefined, () => this.rows);
    this.readers = plan.aggregates.map((aggregate) => this.reader(aggregate, schema));
    this.plain = plan.aggregates.map((aggregate) => this.plainPart(aggregate, schema));
    for (const part of this.parts) {
      const { column, accumulator } = part;
      if (accumulator === this.rows) continue;
      const lane =
        this.lanes.get(column) ?? new Lane(column, column === undefined ? undefined : fieldOf(schema, column));
      if (lane.take(accumulator)) this.lanes.set(column, lane);
      else this.others.push(part);
    }
  }

  /** Numbers kept a group. */
  get size(): number {
    return this.parts.length;
  }

  grow(capacity: number): void {
    for (const { accumulator } of this.parts) accumulator.grow(capacity);
  }

  clear(slot: number): void {
    for (const { accumulator } of this.parts) accumulator.clear(slot);
  }

  /** Clears many slots. */
  clearAll(slots: Int32Array): void {
    for (const { accumulator } of this.parts) {
      if (accumulator.clearAll !== undefined) accumulator.clearAll(slots);
      else for (const slot of slots) accumulator.clear(slot);
    }
  }

  /** Folds rows `from` to `to`, at most 4096, into their slots; groups join between them as `joins` says. */
  add(batch: Batch, from: number, to: number, slots: Int32Array, times: Float64Array, joins = NO_JOINS): void {
    const { kernels, holds } = { kernels: this.arena.kernels, holds: this.arena.holds(slots) };
    const part = { batch, from, to, slots, times, joins };
    if (kernels === undefined || !holds) {
      this.addParts(this.parts, part);
    } else {
      this.addLanes(kernels, part);
      if (this.others.length > 0) this.addParts(this.others, part);
    }
    // Keeps what is in the bin small: nobody reads it, but a large sum would leave the fast path.
    this.clear(0);
  }

  private addParts(parts: readonly Part[], rows: Rows): void {
    const { batch, from, to, slots, times, joins } = rows;
    for (const { column: name, accumulator } of parts) {
      if (accumulator instanceof Kept) continue;
      const column = batch.column(name ?? (batch.schema.fields[0]?.name as string));
      const withValue = name === undefined || column.nulls === 0 ? slots : this.withoutNulls(column, from, to, slots);
      if (joins.count === 0) accumulator.add(column, from, to, withValue, times);
      else addJoined(accumulator, column, { ...rows, slots: withValue });
    }
  }

  /** By kernels; where a sum is no safe integer any more, the rows behind it in TypeScript. */
  private addLanes(kernels: Kernels, given: Rows): void {
    const { batch, from, to, slots } = given;
    let rows: Counter | undefined = this.rows;
    for (const lane of this.lanes.values()) {
      const column = batch.column(lane.column as string);
      const isFull = column.nulls === 0;
      const withValue = isFull ? slots : this.withoutNulls(column, from, to, slots);
      const counted = isFull && lane.counts === undefined ? rows : undefined;
      this.addLane(kernels, lane, column, { ...given, slots: withValue }, counted);
      if (counted !== undefined) rows = undefined;
    }
    if (rows !== undefined) this.addParts([{ column: undefined, accumulator: rows }], given);
  }

  private addLane(kernels: Kernels, lane: Lane, column: Column, rows: Rows, counted: Counter | undefined): void {
    const { from, to, slots, times, joins } = rows;
    const scratch = this.scratchOf();
    const { values, into, from: other } = scratch;
    const isExact = lane.load(kernels, column, from, to, scratch);
    const parts = counted === undefined ? lane.parts : [...lane.parts, counted];
    let at = 0;
    let join = 0;
    if (isExact && joins.count > 0 && joins.count <= CHUNK_ROWS) {
      lane.foldJoined(kernels, slots.byteOffset, to - from, scratch, joins, counted);
      at = scratch.progress[0] as number;
      join = scratch.progress[1] as number;
    }
    for (; join <= joins.count; join++) {
      const end = join < joins.count ? (joins.rows[join] as number) : to - from;
      const [slotsAt, valuesAt] = [slots.byteOffset + 4 * at, values.byteOffset + 8 * at];
      const done = isExact ? at + lane.fold(kernels, slotsAt, end - at, valuesAt, counted) : at;
      if (done < end) {
        const [rest, when] = [slots.subarray(done), times.subarray(done)];
        for (const part of parts) part.add(column, from + done, from + end, rest, when);
      }
      at = end;
      if (join === joins.count) return;
      into[0] = joins.into[join] as number;
      other[0] = joins.from[join] as number;
      if (lane.merge(kernels, into.byteOffset, other.byteOffset, 1, counted) === 0)
        for (const part of parts) part.merge(into.subarray(0, 1), other.subarray(0, 1));
      for (const part of parts) part.clear(other[0] as number);
    }
  }

  /** Adds to each slot of `into` what the slot of `from` beside it holds, as rows that come after its own. */
  merge(into: Int32Array, from: Int32Array): void {
    const { kernels } = this.arena;
    if (kernels === undefined || into.length < MERGED_MIN) {
      for (const { accumulator } of this.parts) accumulator.merge(into, from);
      return;
    }
    this.rows.merge(into, from);
    for (const { accumulator } of this.others) accumulator.merge(into, from);
    const scratch = this.scratchOf();
    for (let at = 0; at < into.length; at += CHUNK_ROWS) {
      const count = Math.min(CHUNK_ROWS, into.length - at);
      scratch.into.set(into.subarray(at, at + count));
      scratch.from.set(from.subarray(at, at + count));
      for (const lane of this.lanes.values()) {
        const done = lane.merge(kernels, scratch.into.byteOffset, scratch.from.byteOffset, count);
        if (done === count) continue;
        const rest = [into.subarray(at + done, at + count), from.subarray(at + done, at + count)] as const;
        for (const part of lane.parts) part.merge(...rest);
      }
    }
  }

  /** Keeps numbers of its own for each group, which stand in the state behind the aggregates. */
  keep(numbers: Accumulator): void {
    this.parts.push({ column: undefined, accumulator: numbers });
    this.others.push({ column: undefined, accumulator: numbers });
  }

  private scratchOf(): Scratch {
    this.scratch ??= scratchIn(this.arena);
    return this.scratch;
  }

  /** Rows of a group. */
  rowsOf(slot: number): number {
    return this.rows.valueOf(slot) as number;
  }

  /** A group's value of the aggregate at that position of the plan. */
  valueOf(aggregate: number, slot: number): Value {
    return this.readers[aggregate]?.(slot) ?? null;
  }

  /** Values of an aggregate by slot, where all of them are numbers as they come out. */
  numbersOf(aggregate: number): Float64Array | undefined {
    return this.plain[aggregate]?.numbers?.();
  }

  save(slots: Int32Array): Ipld {
    return this.parts.map(({ accumulator }) => accumulator.save(slots));
  }

  load(slots: Int32Array, state: Ipld | undefined): void {
    if (!Array.isArray(state) || state.length !== this.parts.length) throw malformed("aggregates");
    this.parts.forEach(({ accumulator }, i) => {
      accumulator.load(slots, (state as readonly Ipld[])[i] as Ipld);
    });
  }

  /** Slots with the rows that are null in the column sent to the bin. */
  private withoutNulls(column: Column, from: number, to: number, slots: Int32Array): Int32Array {
    const { name } = column.field;
    let masked = this.masked.get(name);
    const isFit = masked !== undefined && masked.length >= to - from;
    if (masked === undefined || !isFit || this.arena.holds(masked) !== this.arena.holds(slots)) {
      masked = this.arena.i32(Math.max(CHUNK_ROWS, to - from));
      this.masked.set(name, masked);
    }
    const validity = column.validity as Uint8Array;
    for (let row = from; row < to; row++) {
      const valid = ((validity[row >> 3] as number) >> (row & 7)) & 1;
      masked[row - from] = valid === 0 ? 0 : (slots[row - from] as number);
    }
    return masked;
  }

  private reader(aggregate: Aggregate, schema: Schema): (slot: number) => Value {
    const { name, kind, column } = aggregate;
    if (column === undefined) return reading(this.part("count", undefined, () => new Counter(this.arena)));
    const field = fieldOf(schema, column);
    const counts = this.part("count", field.nullable ? column : undefined, () => new Counter(this.arena));
    const countOf = (slot: number): number => counts.valueOf(slot) as number;
    switch (kind) {
      case "count":
        return countOf;
      case "sum":
      case "min":
      case "max":
      case "mean":
        break;
      default: {
        const own = kind === "custom" ? name : JSON.stringify([kind, aggregate.option ?? null]);
        return reading(this.part(own, column, () => richAccumulator(aggregate, field)));
      }
    }
    const base = kind === "mean" ? "sum" : kind;
    const values = this.part(base, column, () => accumulatorFor(base, field, this.arena));
    if (kind === "mean") return (slot) => (countOf(slot) === 0 ? null : Number(values.valueOf(slot)) / countOf(slot));
    if (kind === "sum" && isInteger(field)) {
      return (slot) => (countOf(slot) === 0 ? null : i64Of(name, values.valueOf(slot) as number | bigint));
    }
    return (slot) => (countOf(slot) === 0 ? null : values.valueOf(slot));
  }

  private plainPart({ kind, column }: Aggregate, schema: Schema): Accumulator | undefined {
    if (column === undefined) return this.rows;
    const { nullable } = fieldOf(schema, column);
    if (kind === "count") return this.named.get(partName("count", nullable ? column : undefined));
    return nullable ? undefined : this.named.get(partName(kind, column));
  }

  private part(kind: string, column: string | undefined, make: () => Accumulator): Accumulator {
    const id = partName(kind, column);
    let accumulator = this.named.get(id);
    if (accumulator === undefined) {
      accumulator = make();
      this.named.set(id, accumulator);
      this.parts.push({ column, accumulator });
    }
    return accumulator;
  }
}

const NO_JOINS = new Joins();

/** Below so many slots a call of the kernel is not worth it. */
const MERGED_MIN = 16;

function partName(kind: string, column: string | undefined): string {
  return JSON.stringify([kind, column ?? null]);
}

function reading(accumulator: Accumulator): (slot: number) => Value {
  return (slot) => accumulator.valueOf(slot);
}
