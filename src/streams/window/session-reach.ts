import type { KeyLists } from "./key-lists.ts";
import type { Kept } from "./windows.ts";

/** Finds the open sessions that a row may join: those that it lies at most a gap before or behind. */
export class SessionReach {
  /** Those found last. */
  slots = new Int32Array(16);
  private readonly firsts: Kept;
  private readonly lasts: Kept;
  private readonly gap: number;
  private readonly closes: number;

  /** `closes` is from a session's last row to the newest time at which it takes no more. */
  constructor(firsts: Kept, lasts: Kept, gap: number, closes: number) {
    this.firsts = firsts;
    this.lasts = lasts;
    this.gap = gap;
    this.closes = closes;
  }

  /** How many open sessions are in reach of a time; `slots` has them, from the earliest on. Closed ones leave the key's list. */
  seek(lists: KeyLists, id: number, time: number, newest: number): number {
    const { gap } = this;
    const { values: firsts } = this.firsts;
    const { values: lasts } = this.lasts;
    let count = 0;
    let before = 0;
    for (let slot = lists.first(id); slot !== 0; ) {
      const next = lists.next(slot);
      const last = lasts[slot] as number;
      if (last + this.closes <= newest) {
        lists.cut(before, slot, id);
      } else {
        before = slot;
        if (time >= (firsts[slot] as number) - gap && time <= last + gap) {
          this.add(slot, count++);
        }
      }
      slot = next;
    }
    return count;
  }

  /** Puts a session among `count` others, by their firsts. */
  private add(slot: number, count: number): void {
    if (count === this.slots.length) {
      const larger = new Int32Array(2 * count);
      larger.set(this.slots);
      this.slots = larger;
    }
    const { slots: reach } = this;
    const { values } = this.firsts;
    let at = count;
    for (; at > 0 && (values[reach[at - 1] as number] as number) > (values[slot] as number); at--)
      reach[at] = reach[at - 1] as number;
    reach[at] = slot;
  }
}
