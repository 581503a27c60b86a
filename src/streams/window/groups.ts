import { IpdmError } from "../../core/errors.ts";
import { GROUPS_MAX } from "../limits.ts";
import type { KeyTable } from "./key-table.ts";

const SLOT_SPAN = 2 * GROUPS_MAX;

/** An open window: its bounds, the event time at which it fires, and a hash table from key id to slot. */
export interface Pane {
  readonly start: number;
  readonly end: number;
  /** The newest event time at which the window is closed: end + lateness + out-of-orderness. */
  readonly deadline: number;
  /** Slots by `id & (length - 1)`, linear probing; 0 is empty. */
  table: Int32Array;
  count: number;
}

/** Hands out slots: one a group, that is one a key in an open window. Slot 0 is never handed out. */
export class Groups {
  /** Key id of a slot. */
  ids = new Int32Array(16);
  /** Open windows by start. */
  readonly panes = new Map<number, Pane>();
  private readonly free: number[] = [];
  private next = 1;
  private readonly onGrow: (capacity: number) => void;

  constructor(onGrow: (capacity: number) => void) {
    this.onGrow = onGrow;
  }

  /** Groups that are open. */
  get open(): number {
    return this.next - 1 - this.free.length;
  }

  /** Opens a window. */
  openPane(start: number, size: number, slack: number): Pane {
    const end = start + size;
    const pane: Pane = { start, end, deadline: end + slack, table: new Int32Array(16), count: 0 };
    this.panes.set(start, pane);
    return pane;
  }

  /** Slot of a key in a window that has none yet. Throws `WINDOW_STATE_FULL`. */
  allocate(pane: Pane, id: number): number {
    const slot = this.free.pop() ?? this.next++;
    if (slot > GROUPS_MAX) {
      throw new IpdmError("WINDOW_STATE_FULL", `more than ${GROUPS_MAX} groups in open windows`, {
        hint: "use smaller windows, less lateness or coarser keys",
      });
    }
    if (slot >= this.ids.length) {
      const ids = new Int32Array(2 * this.ids.length);
      ids.set(this.ids);
      this.ids = ids;
      this.onGrow(ids.length);
    }
    this.ids[slot] = id;
    if (2 * pane.count + 2 > pane.table.length) this.rehash(pane, slotsIn(pane), 2 * pane.table.length);
    pane.count++;
    insert(pane.table, id, slot);
    return slot;
  }

  /** Forgets a window and takes its slots back. */
  close(pane: Pane, slots: Int32Array): void {
    this.panes.delete(pane.start);
    for (const slot of slots) this.free.push(slot);
  }

  /** A window's slots in the order of their keys' canonical bytes. */
  ordered(pane: Pane, keys: KeyTable): Int32Array {
    const slots = slotsIn(pane);
    const ranks = keys.ranks(slots.length);
    if (ranks === undefined) return slots.sort((a, b) => keys.compare(this.ids[a] as number, this.ids[b] as number));
    const ranked = Float64Array.from(
      slots,
      (slot) => (ranks[this.ids[slot] as number] as number) * SLOT_SPAN + slot,
    ).sort();
    return slots.map((_, i) => (ranked[i] as number) % SLOT_SPAN);
  }

  /** Gives every open group's key a new id. */
  renumber(idOf: (id: number) => number): void {
    for (const pane of this.panes.values()) {
      const slots = slotsIn(pane);
      for (const slot of slots) this.ids[slot] = idOf(this.ids[slot] as number);
      this.rehash(pane, slots, pane.table.length);
    }
  }

  private rehash(pane: Pane, slots: Int32Array, length: number): void {
    pane.table = new Int32Array(length);
    for (const slot of slots) insert(pane.table, this.ids[slot] as number, slot);
  }
}

/** A window's slots in no particular order. */
export function slotsIn(pane: Pane): Int32Array {
  const slots = new Int32Array(pane.count);
  const { table } = pane;
  let count = 0;
  for (let at = 0; at < table.length; at++) {
    if (table[at] !== 0) slots[count++] = table[at] as number;
  }
  return slots;
}

function insert(table: Int32Array, id: number, slot: number): void {
  const mask = table.length - 1;
  let at = id & mask;
  while (table[at] !== 0) at = (at + 1) & mask;
  table[at] = slot;
}
