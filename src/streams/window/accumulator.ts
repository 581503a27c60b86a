import type { Column, Value } from "../../batch/column.ts";
import type { Ipld } from "../../dag/block.ts";

/**
 * One number a slot, for all open groups together. `add` folds rows `from` to `to` of a column into the slots given for
 * them; slot 0 is a bin for rows that do not count (late, or null), so that the loops need no conditions.
 */
export interface Accumulator {
  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void;
  /** Puts a slot into the state of a group without rows. */
  clear(slot: number): void;
  /** The same for many. */
  clearAll?(slots: Int32Array): void;
  /** `times` are the rows' event times in microseconds, beginning at 0 like `slots`. */
  add(column: Column, from: number, to: number, slots: Int32Array, times: Float64Array): void;
  /** Adds to each slot of `into` what the slot of `from` beside it holds: rows that count after those that `into` holds. */
  merge(into: Int32Array, from: Int32Array): void;
  valueOf(slot: number): Value;
  /** Its values by slot where all of them are numbers as they come out, for writing many at once. */
  numbers?(): Float64Array | undefined;
  /** State of the slots in the order given, little-endian. */
  save(slots: Int32Array): Ipld;
  load(slots: Int32Array, state: Ipld): void;
}

/** A copy with room for `capacity` slots; the new ones hold `fill`. */
export function grown<T extends Float64Array | Int32Array | Uint32Array>(array: T, capacity: number, fill = 0): T {
  const larger = new (array.constructor as new (length: number) => T)(capacity);
  larger.set(array);
  if (fill !== 0) larger.fill(fill, array.length);
  return larger;
}

/** Puts a number at places. */
export function putAll(values: Float64Array, slots: Int32Array, value: number): void {
  for (let i = 0; i < slots.length; i++) values[slots[i] as number] = value;
}
