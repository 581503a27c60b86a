import { Arena } from "../kernels/arena.ts";

/** For each key, by its id, a list of slots; a slot is in one list at most. */
export class KeyLists {
  /** First slot of a key, which may be beyond the end, and the next of a slot; 0 ends a list. */
  heads: Int32Array;
  nexts: Int32Array;
  private readonly arena: Arena;

  constructor(arena = new Arena()) {
    this.arena = arena;
    this.heads = arena.i32(16);
    this.nexts = arena.i32(16);
  }

  /** Moves the lists to where the arena makes arrays now. */
  relocate(): void {
    this.heads = this.arena.grown(this.heads, this.heads.length);
    this.nexts = this.arena.grown(this.nexts, this.nexts.length);
  }

  /** Takes the memory back; the lists are of no further use. */
  release(): void {
    this.arena.release(this.heads);
    this.arena.release(this.nexts);
  }

  /** The first slot of a key; 0 where it has none. */
  first(id: number): number {
    return id < this.heads.length ? (this.heads[id] as number) : 0;
  }

  /** The slot behind one in its list; 0 where it is the last. */
  next(slot: number): number {
    return this.nexts[slot] as number;
  }

  /** Takes out the slot that stands behind `before`; of 0 the first of the list. */
  cut(before: number, slot: number, id: number): void {
    const after = this.nexts[slot] as number;
    if (before === 0) this.heads[id] = after;
    else this.nexts[before] = after;
    this.nexts[slot] = 0;
  }

  link(slot: number, id: number): void {
    if (id >= this.heads.length) this.heads = this.arena.grown(this.heads, Math.max(2 * this.heads.length, id + 1));
    if (slot >= this.nexts.length) this.nexts = this.arena.grown(this.nexts, Math.max(2 * this.nexts.length, slot + 1));
    this.nexts[slot] = this.heads[id] as number;
    this.heads[id] = slot;
  }

  /** Takes a slot out of its key's list; one that is in none stays as it is. */
  unlink(slot: number, id: number): void {
    let before = 0;
    for (let at = this.first(id); at !== 0; at = this.next(at)) {
      if (at === slot) return this.cut(before, slot, id);
      before = at;
    }
  }
}
