import { IpdmError } from "../../core/errors.ts";
import { Arena } from "../kernels/arena.ts";
import { STATE_BYTES_MAX } from "../limits.ts";
import type { KeyStore } from "./key-store.ts";

/** Above every slot, since no group counts less than 17 bytes. */
const SLOT_SPAN = 2 ** Math.ceil(Math.log2(STATE_BYTES_MAX / 16));
/** Longest table that a new pane begins with. */
const LIKELY_MAX = 2 ** 18;
/** A window with fewer than one in so many of all keys is put in order by sorting, others by place. */
const SORTED_SHARE = 16;

/** An open window: its bounds, the event time at which it fires, and a hash table from key id to slot. */
export interface Pane {
  readonly start: number;
  readonly end: number;
  /** The newest event time at which the last window that it belongs to is closed: end + lateness + out-of-orderness. */
  readonly deadline: number;
  /** Slots by `id & (length - 1)`, linear probing; 0 is empty. */
  table: Int32Array;
  count: number;
  /** What its groups count for {@link STATE_BYTES_MAX}. */
  bytes: number;
}

/** Hands out slots: one a group, that is one a key in an open window. Slot 0 is never handed out. */
export class Groups {
  /** Key id of a slot. */
  ids: Int32Array;
  /** 1 for a slot whose group may have changed since the state was last saved. */
  touched: Uint8Array;
  /** Slots that were given back, the last on top. */
  free: Int32Array;
  freeCount = 0;
  /** The first slot that was never handed out. */
  next = 1;
  /** What all open groups count for {@link STATE_BYTES_MAX}. */
  bytes = 0;
  /** Every key id is below it. */
  idSpace = 0;
  /** Open windows by start. */
  readonly panes = new Map<number, Pane>();
  /** Length of the table of the pane closed last, up to a bound: what the next one is likely to need. */
  private likely = 16;
  private readonly onGrow: (capacity: number) => void;
  private readonly arena: Arena;

  constructor(onGrow: (capacity: number) => void, arena = new Arena()) {
    this.onGrow = onGrow;
    this.arena = arena;
    this.ids = arena.i32(16);
    this.touched = arena.u8(16);
    this.free = arena.i32(16);
  }

  /** Groups that are open. */
  get open(): number {
    return this.next - 1 - this.freeCount;
  }

  /** Opens a window, or a pane that windows are made of. */
  openPane(start: number, end: number, deadline: number): Pane {
    const pane: Pane = { start, end, deadline, table: this.arena.i32(this.likely), count: 0, bytes: 0 };
    this.panes.set(start, pane);
    return pane;
  }

  /** A slot for a key, in no window's table; the group counts as `bytes`. Throws `WINDOW_STATE_FULL`. */
  take(id: number, bytes: number): number {
    this.bytes += bytes;
    if (this.bytes > STATE_BYTES_MAX) throw full(this.open + 1);
    this.reserve();
    const slot = this.freeCount > 0 ? (this.free[--this.freeCount] as number) : this.next++;
    this.ids[slot] = id;
    this.touched[slot] = 1;
    return slot;
  }

  /** Takes a slot back that {@link take} gave. */
  release(slot: number, bytes: number): void {
    this.bytes -= bytes;
    this.free[this.freeCount++] = slot;
  }

  /** Takes back many slots that counted as nothing. */
  releaseAll(slots: Int32Array): void {
    this.free.set(slots, this.freeCount);
    this.freeCount += slots.length;
  }

  /** Whether so many of all keys are better put in order by place than by sorting. */
  isDense(wanted: number, keys: number): boolean {
    return wanted * SORTED_SHARE >= keys;
  }

  /** Slot of a key in a window that has none yet; the group counts as `bytes`. Throws `WINDOW_STATE_FULL`. */
  allocate(pane: Pane, id: number, bytes: number): number {
    const slot = this.take(id, bytes);
    pane.bytes += bytes;
    this.reserveIn(pane);
    pane.count++;
    insert(pane.table, id, slot);
    return slot;
  }

  /** Counts groups that a kernel has made in a pane. Throws `WINDOW_STATE_FULL`. */
  count(pane: Pane, groups: number, bytes: number): void {
    pane.count += groups;
    pane.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes > STATE_BYTES_MAX) throw full(this.open);
  }

  /** Makes room for another slot. */
  reserve(): void {
    if (this.freeCount === 0 && this.next >= this.ids.length) this.resize(2 * this.ids.length);
  }

  /** Makes room for another group of a pane. */
  reserveIn(pane: Pane): void {
    if (2 * pane.count + 2 > pane.table.length)
      this.rehash(pane, slotsIn(pane), this.tableLength(2 * pane.table.length));
  }

  /** Forgets a window and takes its slots back. */
  close(pane: Pane, slots: Int32Array): void {
    this.panes.delete(pane.start);
    this.likely = Math.min(LIKELY_MAX, Math.max(16, powerFrom(2 * pane.count + 2)));
    this.bytes -= pane.bytes;
    this.arena.release(pane.table);
    this.free.set(slots, this.freeCount);
    this.freeCount += slots.length;
  }

  /** A window's slots in the order of their keys' canonical bytes. */
  ordered(pane: Pane, keys: KeyStore): Int32Array {
    const ranks = keys.ranks(pane.count);
    if (ranks === undefined || this.idSpace === 0 || pane.table.length < this.idSpace || 4 * pane.count < ranks.count)
      return this.inOrder(slotsIn(pane), keys);
    // A table with a place for every id is read in the order of the keys.
    const { table } = pane;
    const { order, count } = ranks;
    const slots = new Int32Array(pane.count + 1);
    let at = 0;
    // Whether a key has a slot cannot be foreseen: a loop without that branch is faster.
    for (let rank = 0; rank < count; rank++) {
      const slot = table[order[rank] as number] as number;
      slots[at] = slot;
      at += -slot >>> 31;
    }
    return slots.subarray(0, at);
  }

  /** Slots of different keys, put in the order of their keys' canonical bytes. */
  inOrder(slots: Int32Array, keys: KeyStore): Int32Array {
    const ranks = keys.ranks(slots.length);
    if (ranks === undefined) return slots.sort((a, b) => keys.compare(this.ids[a] as number, this.ids[b] as number));
    const { rankOf, count } = ranks;
    if (!this.isDense(slots.length, count)) {
      const ranked = Float64Array.from(
        slots,
        (slot) => (rankOf[this.ids[slot] as number] as number) * SLOT_SPAN + slot,
      );
      ranked.sort();
      return slots.map((_, i) => (ranked[i] as number) % SLOT_SPAN);
    }
    const byRank = new Int32Array(count);
    for (const slot of slots) byRank[rankOf[this.ids[slot] as number] as number] = slot;
    let at = 0;
    for (const slot of byRank) if (slot !== 0) slots[at++] = slot;
    return slots;
  }

  /** Gives every open group's key a new id. */
  renumber(idOf: (id: number) => number): void {
    for (const pane of this.panes.values()) {
      const slots = slotsIn(pane);
      for (const slot of slots) this.ids[slot] = idOf(this.ids[slot] as number);
      this.rehash(pane, slots, pane.table.length);
    }
  }

  /** Moves everything to where the arena makes arrays now. */
  relocate(): void {
    this.resize(this.ids.length);
    for (const pane of this.panes.values()) pane.table = this.arena.grown(pane.table, pane.table.length);
  }

  private resize(capacity: number): void {
    const { arena } = this;
    this.ids = arena.grown(this.ids, capacity);
    this.touched = arena.grown(this.touched, capacity);
    this.free = arena.grown(this.free, capacity);
    this.onGrow(capacity);
  }

  /** A table that has a place for every id needs no probing: worth up to four times the room. */
  private tableLength(least: number): number {
    const whole = powerFrom(this.idSpace);
    return whole > least && whole <= 4 * least ? whole : least;
  }

  private rehash(pane: Pane, slots: Int32Array, length: number): void {
    this.arena.release(pane.table);
    pane.table = this.arena.i32(length);
    for (const slot of slots) insert(pane.table, this.ids[slot] as number, slot);
  }
}

/** The least power of two that is at least a number. */
function powerFrom(least: number): number {
  return least <= 1 ? 1 : 2 ** (32 - Math.clz32(least - 1));
}

/** Slot of a key in a window; 0 where it has none. */
export function slotOf({ table }: Pane, ids: Int32Array, id: number): number {
  const mask = table.length - 1;
  let at = id & mask;
  let slot = table[at] as number;
  while (slot !== 0 && ids[slot] !== id) {
    at = (at + 1) & mask;
    slot = table[at] as number;
  }
  return slot;
}

/** A window's slots in no particular order; at the beginning of an array with room for one more, where one is given. */
export function slotsIn({ count, table }: Pane, room?: Int32Array): Int32Array {
  const slots = room ?? new Int32Array(count + 1);
  let found = 0;
  for (let at = 0; at < table.length; at++) {
    const slot = table[at] as number;
    slots[found] = slot;
    found += -slot >>> 31;
  }
  return slots.subarray(0, found);
}

function insert(table: Int32Array, id: number, slot: number): void {
  const mask = table.length - 1;
  let at = id & mask;
  while (table[at] !== 0) at = (at + 1) & mask;
  table[at] = slot;
}

function full(groups: number): IpdmError {
  return new IpdmError(
    "WINDOW_STATE_FULL",
    `${groups} keys in open windows take more than ${STATE_BYTES_MAX / 1024 / 1024} MiB of state`,
    {
      hint: "use smaller windows, less lateness, coarser keys or fewer aggregates",
      facts: { groups, max: STATE_BYTES_MAX },
    },
  );
}
