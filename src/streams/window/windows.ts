import type { Ipld } from "../../dag/block.ts";
import { Arena } from "../kernels/arena.ts";
import type { Accumulator } from "./accumulator.ts";
import type { Run } from "./chunks.ts";
import type { Steps } from "./core.ts";
import { bytesOfF64, f64OfBytes } from "./state-bytes.ts";

/**
 * One kind of windows: which group a row counts in, and when groups come out. Everything is decided row by row. A chunk of rows is taken
 * in parts: a part ends after a row that something must come out behind.
 */
export interface Windows {
  /**
   * Gives rows of the chunk from `at` their slots, 0 where they are late, and moves the newest time. Returns the row before which the
   * part ends, and says with `late` whether a row of it is late.
   */
  assign(at: number, count: number): number;
  readonly late: boolean;
  /** Before the rows of a part are counted: what comes out for one row's sake. */
  counting?(): Steps | undefined;
  /** After they have been counted. */
  counted?(): Steps | undefined;
  /** Writes what the watermark has made due, if anything; not every part has to, but the last of a chunk. */
  fire(isLast: boolean): Steps | undefined;
  /** Groups in canonical order, for the state. */
  runs(): Run[];
  /** Whether one key may have several groups in a run. */
  readonly repeats: boolean;
  /** A slot for a group that a state holds. */
  place(start: number, id: number, bytes: number): number;
  /** Called once a state is loaded. */
  loaded(): void;
  /** Gives every open group's key a new id. */
  renumber(idOf: (id: number) => number): void;
}

/** A number that windows themselves keep for each group: aggregates leave it alone. */
export class Kept implements Accumulator {
  values: Float64Array;
  private sums = new Float64Array(0);
  private readonly arena: Arena;

  constructor(arena = new Arena()) {
    this.arena = arena;
    this.values = arena.f64(16);
  }

  grow(capacity: number): void {
    this.values = this.arena.grown(this.values, capacity);
  }

  clear(slot: number): void {
    this.values[slot] = 0;
  }

  add(): void {}

  merge(): void {}

  /** Its numbers and `more`, by slot, for the slots given; good until the next call. */
  plus(slots: Int32Array, more: number): Float64Array {
    const { values } = this;
    if (this.sums.length < values.length) this.sums = new Float64Array(values.length);
    for (let i = 0; i < slots.length; i++)
      this.sums[slots[i] as number] = (values[slots[i] as number] as number) + more;
    return this.sums;
  }

  valueOf(slot: number): number {
    return this.values[slot] as number;
  }

  save(slots: Int32Array): Ipld {
    return bytesOfF64(this.values, slots);
  }

  load(slots: Int32Array, state: Ipld): void {
    f64OfBytes(state, this.values, slots);
  }
}
