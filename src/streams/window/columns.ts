import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Accumulator } from "./accumulator.ts";
import { accumulatorFor, Counter, i64Of } from "./accumulators.ts";
import type { Aggregate, WindowPlan } from "./plan.ts";
import { isInteger } from "./plan.ts";
import { richAccumulator } from "./rich-accumulators.ts";
import { malformed } from "./state-bytes.ts";

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
  private readonly rows: Accumulator;
  /** Accumulators whose values come out as they are, never null. */
  private readonly plain: readonly (Accumulator | undefined)[];

  constructor(plan: WindowPlan, schema: Schema) {
    this.rows = this.part("count", undefined, () => new Counter());
    this.readers = plan.aggregates.map((aggregate) => this.reader(aggregate, schema));
    this.plain = plan.aggregates.map((aggregate) => this.plainPart(aggregate, schema));
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

  /** Folds rows `from` to `to` into their slots. */
  add(batch: Batch, from: number, to: number, slots: Int32Array, times: Float64Array): void {
    for (const { column: name, accumulator } of this.parts) {
      const column = name === undefined ? (batch.columns[0] as Column) : batch.column(name);
      const withValue = name === undefined || column.nulls === 0 ? slots : this.withoutNulls(column, from, to, slots);
      accumulator.add(column, from, to, withValue, times);
    }
    // Keeps what is in the bin small: nobody reads it, but a large sum would leave the fast path.
    this.clear(0);
  }

  /** Adds to each slot of `into` what the slot of `from` beside it holds, as rows that come after its own. */
  merge(into: Int32Array, from: Int32Array): void {
    for (const { accumulator } of this.parts) accumulator.merge(into, from);
  }

  /** Keeps numbers of its own for each group, which stand in the state behind the aggregates. */
  keep(numbers: Accumulator): void {
    this.parts.push({ column: undefined, accumulator: numbers });
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
    if (masked === undefined || masked.length < to - from) {
      masked = new Int32Array(slots.length);
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
    if (column === undefined) return reading(this.part("count", undefined, () => new Counter()));
    const field = fieldOf(schema, column);
    const counts = this.part("count", field.nullable ? column : undefined, () => new Counter());
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
    const values = this.part(base, column, () => accumulatorFor(base, field));
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

function partName(kind: string, column: string | undefined): string {
  return JSON.stringify([kind, column ?? null]);
}

function reading(accumulator: Accumulator): (slot: number) => Value {
  return (slot) => accumulator.valueOf(slot);
}
