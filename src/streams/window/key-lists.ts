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

  /** Slots of a key, which may be unlinked meanwhile. */
  of(id: number): number[] {
    const slots: number[] = [];
    let slot = id < this.heads.length ? (this.heads[id] as number) : 0;
    for (; slot !== 0; slot = this.nexts[slot] as number) slots.push(slot);
    return slots;
  }

  link(slot: number, id: number): void {
    if (id >= this.heads.length) this.heads = larger(this.heads, id);
    if (slot >= this.nexts.length) this.nexts = larger(this.nexts, slot);
    this.nexts[slot] = this.heads[id] as number;
    this.heads[id] = slot;
  }

  /** Takes a slot out of its key's list; one that is in none stays as it is. */
  unlink(slot: number, id: number): void {
    if (this.heads[id] === slot) {
      this.heads[id] = this.nexts[slot] as number;
    } else {
      let before = this.heads[id] as number;
      while (before !== 0 && this.nexts[before] !== slot) before = this.nexts[before] as number;
      if (before !== 0) this.nexts[before] = this.nexts[slot] as number;
    }
    this.nexts[slot] = 0;
  }
}

function larger(array: Int32Array, index: number): Int32Array<ArrayBuffer> {
  const made = new Int32Array(Math.max(2 * array.length, index + 1));
  made.set(array);
  return made;
}
