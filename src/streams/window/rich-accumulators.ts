import type { Column, Value } from "../../batch/column.ts";
import { valueAt } from "../../batch/column.ts";
import type { Field } from "../../batch/schema.ts";
import { compareBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Ipld } from "../../dag/block.ts";
import { COLLECTED_MAX } from "../limits.ts";
import type { Accumulator } from "./accumulator.ts";
import { grown } from "./accumulator.ts";
import { Folded } from "./folded.ts";
import type { Aggregate } from "./plan.ts";
import { emptyRegisters, estimate, mergeRegisters, putHash, Sketch } from "./sketches.ts";
import { bytesOfF64, bytesPart, f64OfBytes, malformed, partOf } from "./state-bytes.ts";
import { canonical, fromIpld, jsonText, toIpld } from "./values.ts";

/** The accumulator of an aggregate that keeps more than one number a group. */
export function richAccumulator({ kind, name, option = 0, custom }: Aggregate, field: Field): Accumulator {
  switch (kind) {
    case "variance":
      return new Variance();
    case "first":
    case "last":
      return new Edge(kind, field);
    case "distinct":
      return new Folded(distinct(name, field));
    case "approxDistinct":
      return new Folded({
        zero: emptyRegisters,
        add: (state, column, row) => putHash(state, canonical(column, row)),
        merge: mergeRegisters,
        value: estimate,
        save: (state) => state,
        load: (state) => sized(bytesPart(state), emptyRegisters().length),
      });
    case "quantile":
      return new Folded({
        zero: () => new Sketch(),
        add: (state, column, row) => state.add(Number(column.values[row])),
        merge: (first, second) => first.merge(second),
        value: (state) => state.quantile(option),
        save: (state) => state.toIpld(),
        load: (state) => Sketch.of(state),
      });
    case "topK":
      return new Folded(list(field, (values) => values.sort(descending).slice(0, option)));
    case "collect":
      return new Folded(list(field, (values) => values.slice(0, option)));
    default: {
      if (custom === undefined) throw new IpdmError("INVARIANT", `aggregate ${name} has no definition`);
      return new Folded({
        zero: custom.zero,
        add: (state, column, row) => custom.add(state, valueAt(column, row) ?? 0),
        merge: custom.merge,
        value: custom.value,
        save: (state) => state,
        load: (state) => state ?? null,
      });
    }
  }
}

/**
 * Sample variance by Welford's method, in row order; states are joined by the formula of Chan, Golub and LeVeque (1979). Each step is
 * rounded to f64: the order is part of the result. Null below two values.
 */
class Variance implements Accumulator {
  private counts = new Float64Array(16);
  private means = new Float64Array(16);
  private squares = new Float64Array(16);

  grow(capacity: number): void {
    this.counts = grown(this.counts, capacity);
    this.means = grown(this.means, capacity);
    this.squares = grown(this.squares, capacity);
  }

  clear(slot: number): void {
    this.counts[slot] = 0;
    this.means[slot] = 0;
    this.squares[slot] = 0;
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { counts, means, squares } = this;
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      const count = (counts[slot] as number) + 1;
      const value = Number(column.values[row]);
      const difference = value - (means[slot] as number);
      counts[slot] = count;
      means[slot] = (means[slot] as number) + difference / count;
      squares[slot] = (squares[slot] as number) + difference * (value - (means[slot] as number));
    }
  }

  merge(into: Int32Array, from: Int32Array): void {
    const { counts, means, squares } = this;
    for (let i = 0; i < into.length; i++) {
      const a = into[i] as number;
      const b = from[i] as number;
      if (counts[b] === 0) continue;
      const count = (counts[a] as number) + (counts[b] as number);
      const difference = (means[b] as number) - (means[a] as number);
      const share = (counts[b] as number) / count;
      squares[a] =
        (squares[a] as number) + (squares[b] as number) + difference * difference * (counts[a] as number) * share;
      means[a] = (means[a] as number) + difference * share;
      counts[a] = count;
    }
  }

  valueOf(slot: number): number | null {
    const count = this.counts[slot] as number;
    return count < 2 ? null : (this.squares[slot] as number) / (count - 1);
  }

  save(slots: Int32Array): Ipld {
    return {
      n: bytesOfF64(this.counts, slots),
      mean: bytesOfF64(this.means, slots),
      squares: bytesOfF64(this.squares, slots),
    };
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(partOf(state, "n"), this.counts, slots);
    f64OfBytes(partOf(state, "mean"), this.means, slots);
    f64OfBytes(partOf(state, "squares"), this.squares, slots);
  }
}

/** The value of the earliest or latest event time; of equal times the first or the last row's. */
class Edge implements Accumulator {
  private readonly kind: "first" | "last";
  private readonly field: Field;
  private times = new Float64Array(16).fill(Number.NaN);
  private values: Value[] = [];

  constructor(kind: "first" | "last", field: Field) {
    this.kind = kind;
    this.field = field;
  }

  grow(capacity: number): void {
    this.times = grown(this.times, capacity, Number.NaN);
  }

  clear(slot: number): void {
    this.times[slot] = Number.NaN;
    this.values[slot] = null;
  }

  add(column: Column, from: number, to: number, slots: Int32Array, times: Float64Array): void {
    for (let i = 0; i < to - from; i++) {
      const slot = slots[i] as number;
      if (slot !== 0 && this.isBetter(slot, times[i] as number))
        this.put(slot, times[i] as number, valueAt(column, from + i));
    }
  }

  merge(into: Int32Array, from: Int32Array): void {
    for (let i = 0; i < into.length; i++) {
      const other = from[i] as number;
      const time = this.times[other] as number;
      if (!Number.isNaN(time) && this.isBetter(into[i] as number, time))
        this.put(into[i] as number, time, this.values[other] ?? null);
    }
  }

  private isBetter(slot: number, time: number): boolean {
    const best = this.times[slot] as number;
    return this.kind === "first" ? !(time >= best) : !(time < best);
  }

  private put(slot: number, time: number, value: Value): void {
    this.times[slot] = time;
    while (this.values.length <= slot) this.values.push(null);
    this.values[slot] = value;
  }

  valueOf(slot: number): Value {
    return this.values[slot] ?? null;
  }

  save(slots: Int32Array): Ipld {
    return {
      times: bytesOfF64(this.times, slots),
      values: Array.from(slots, (slot) => toIpld(this.values[slot] ?? null)),
    };
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(partOf(state, "times"), this.times, slots);
    const values = partOf(state, "values");
    if (!Array.isArray(values) || values.length !== slots.length) throw malformed("values");
    slots.forEach((slot, i) => {
      while (this.values.length <= slot) this.values.push(null);
      this.values[slot] = fromIpld((values as readonly Ipld[])[i] as Ipld, this.field);
    });
  }
}

/** Values as a JSON list, cut to what is wanted of them. */
function list(field: Field, cut: (values: Value[]) => Value[]): ConstructorParameters<typeof Folded<Value[]>>[0] {
  return {
    zero: () => [],
    add: (state, column, row) => cut([...state, valueAt(column, row)]),
    merge: (first, second) => cut([...first, ...second]),
    value: jsonText,
    save: (state) => state.map(toIpld),
    load: (state) => {
      if (!Array.isArray(state)) throw malformed("list");
      return (state as readonly Ipld[]).map((each) => fromIpld(each, field));
    },
  };
}

/** Exact distinct values by their canonical bytes. Throws `AGGREGATE_LIMIT`. */
function distinct(name: string, _field: Field): ConstructorParameters<typeof Folded<Set<string>>>[0] {
  const put = (state: Set<string>, each: string): Set<string> => {
    state.add(each);
    if (state.size <= COLLECTED_MAX) return state;
    throw new IpdmError("AGGREGATE_LIMIT", `${name} has more than ${COLLECTED_MAX} distinct values in one group`, {
      hint: "use approxDistinct, smaller windows or finer keys",
      facts: { aggregate: name, max: COLLECTED_MAX },
    });
  };
  return {
    zero: () => new Set(),
    add: (state, column, row) => put(state, Buffer.from(canonical(column, row)).toString("latin1")),
    merge: (first, second) => {
      for (const each of second) put(first, each);
      return first;
    },
    value: (state) => BigInt(state.size),
    save: (state) =>
      Array.from(state, (each): Uint8Array => new Uint8Array(Buffer.from(each, "latin1"))).sort(compareBytes),
    load: (state) => {
      if (!Array.isArray(state)) throw malformed("distinct values");
      return new Set((state as readonly Ipld[]).map((each) => Buffer.from(bytesPart(each)).toString("latin1")));
    },
  };
}

function descending(a: Value, b: Value): number {
  const x = a as number | bigint;
  const y = b as number | bigint;
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(y)) - Number(Number.isNaN(x));
  return x < y ? 1 : x > y ? -1 : 0;
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length !== length) throw malformed("length of a sketch");
  return bytes.slice();
}
