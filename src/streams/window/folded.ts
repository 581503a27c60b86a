import type { Column, Value } from "../../batch/column.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Accumulator } from "./accumulator.ts";
import { malformed } from "./state-bytes.ts";

/** How states of one kind are made of values, row by row. They may be changed in place: each belongs to one group. */
export interface Folding<S> {
  readonly zero: () => S;
  readonly add: (state: S, column: Column, row: number) => S;
  readonly merge: (first: S, second: S) => S;
  readonly value: (state: S) => Value;
  readonly save: (state: S) => Ipld;
  readonly load: (state: Ipld) => S;
}

/** A state of any kind for each group. */
export class Folded<S> implements Accumulator {
  private readonly folding: Folding<S>;
  private readonly states = new Map<number, S>();

  constructor(folding: Folding<S>) {
    this.folding = folding;
  }

  grow(): void {}

  clear(slot: number): void {
    this.states.delete(slot);
  }

  add(column: Column, from: number, to: number, slots: Int32Array): void {
    const { states, folding } = this;
    for (let row = from; row < to; row++) {
      const slot = slots[row - from] as number;
      if (slot !== 0) states.set(slot, folding.add(states.get(slot) ?? folding.zero(), column, row));
    }
  }

  /** The other state stays as it is: what was copied from it must not share anything with it. */
  merge(into: Int32Array, from: Int32Array): void {
    const { states, folding } = this;
    for (let i = 0; i < into.length; i++) {
      const other = states.get(from[i] as number);
      if (other === undefined) continue;
      const slot = into[i] as number;
      const copy = folding.load(folding.save(other));
      const own = states.get(slot);
      states.set(slot, own === undefined ? copy : folding.merge(own, copy));
    }
  }

  valueOf(slot: number): Value {
    return this.folding.value(this.states.get(slot) ?? this.folding.zero());
  }

  save(slots: Int32Array): Ipld {
    const { states, folding } = this;
    return Array.from(slots, (slot) => folding.save(states.get(slot) ?? folding.zero()));
  }

  load(slots: Int32Array, state: Ipld): void {
    if (!Array.isArray(state) || state.length !== slots.length) throw malformed("states of an aggregate");
    slots.forEach((slot, i) => this.states.set(slot, this.folding.load((state as readonly Ipld[])[i] as Ipld)));
  }
}
