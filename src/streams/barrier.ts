import type { Schema } from "../batch/schema.ts";
import type { Hash } from "../core/ports.ts";
import type { SavedState } from "./window/state-tree.ts";

/**
 * A mark in the stream at which every operator behind adds its state: since operators take one item after the other, all states are of one place in the
 * input. It passes through all of them before the next row does.
 */
export interface Barrier {
  readonly kind: "barrier";
  /** Name of the savepoint that it makes. */
  readonly name: string;
  readonly hash: Hash;
  /** Adds the state of the operator at a place, and the schema of its input. Throws `SAVEPOINT_PLACE` when the place has one already. */
  add(place: string, state: SavedState, schema: Schema): void;
}
