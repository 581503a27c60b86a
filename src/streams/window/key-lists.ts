/** For each key, by its id, a list of slots; a slot is in one list at most. */
export class KeyLists {
  /** First slot of a key, and the next of a slot; 0 ends a list. */
  private heads = new Int32Array(16);
  private nexts = new Int32Array(16);

  /** The slot of a key that has just one; 0 otherwise. */
  only(id: number): number {
    const slot = id < this.heads.length ? (this.heads[id] as number) : 0;
    return slot === 0 || this.nexts[slot] !== 0 ? 0 : slot;
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
    if (id >= this.heads.length) this.heads = larger(this.heads, id);
    if (slot >= this.nexts.length) this.nexts = larger(this.nexts, slot);
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

function larger(array: Int32Array, index: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(Math.max(2 * array.length, index + 1));
  made.set(array);
  return made;
}
