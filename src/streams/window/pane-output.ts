import type { Change, Steps, WindowCore } from "./core.ts";
import type { Pane } from "./groups.ts";
import { slotOf, slotsIn } from "./groups.ts";
import type { Bounds } from "./pane-layout.ts";

/** Writes windows that are made of panes: their groups are joined pane after pane, which fixes the order of float sums. */
export class PaneOutput {
  private readonly core: WindowCore;
  /** Joined slots by the rank of their keys, while a window is joined. */
  private slotOfRank = new Int32Array(0);
  private from = new Int32Array(0);
  private into = new Int32Array(0);

  constructor(core: WindowCore) {
    this.core = core;
  }

  /** Writes a window's groups in the order of their keys. */
  *window({ start, end }: Bounds): Steps {
    const { groups, keys, columns } = this.core;
    const panes = this.panesOf(start, end);
    if (panes.length === 1) return yield* this.core.writing(groups.ordered(panes[0] as Pane, keys.store), start, end);
    const joined = this.join(panes);
    yield* this.core.writing(joined, start, end);
    columns.clearAll(joined);
    groups.releaseAll(joined);
  }

  /** Writes one group of several windows. */
  *groups(windows: readonly Bounds[], id: number, change: Change): Steps {
    for (const bounds of windows) {
      this.group(bounds, id, change);
      if (this.core.out.isFull) yield;
    }
  }

  /** Writes one group of a window, if it has rows. */
  private group({ start, end }: Bounds, id: number, change: Change): void {
    const { core } = this;
    const slots: number[] = [];
    for (const pane of this.panesOf(start, end)) {
      const slot = slotOf(pane, core.groups.ids, id);
      if (slot !== 0 && core.columns.rowsOf(slot) > 0) slots.push(slot);
    }
    if (slots.length === 0) return;
    const joined = core.groups.take(id, 0);
    for (const slot of slots) core.columns.merge(Int32Array.of(joined), Int32Array.of(slot));
    core.write(Int32Array.of(joined), start, end, change);
    core.columns.clear(joined);
    core.groups.release(joined, 0);
  }

  private reserve(count: number): void {
    if (this.from.length > count) return;
    this.from = new Int32Array(2 * count + 1);
    this.into = new Int32Array(2 * count + 1);
  }

  private panesOf(start: number, end: number): Pane[] {
    const { groups, windowTimes } = this.core;
    const found: Pane[] = [];
    for (let at = start; at < end; at += windowTimes.size) {
      const pane = groups.panes.get(at);
      if (pane !== undefined) found.push(pane);
    }
    return found;
  }

  /** New slots that hold what all panes together do, in the order of their keys. */
  private join(panes: readonly Pane[]): Int32Array {
    const { groups, keys } = this.core;
    const wanted = panes.reduce((sum, pane) => sum + pane.count, 0);
    const ranks = keys.store.ranks(wanted);
    if (ranks === undefined || !groups.isDense(wanted, ranks.count)) {
      const slots = this.mergeBy(panes, new Int32Array(keys.size), undefined);
      return groups.inOrder(slots, keys.store);
    }
    if (this.slotOfRank.length < ranks.count) this.slotOfRank = new Int32Array(2 * ranks.count);
    return this.mergeBy(panes, this.slotOfRank.fill(0, 0, ranks.count).subarray(0, ranks.count), ranks.rankOf);
  }

  /** Joins panes; slots stand in `places` by their key's id or rank meanwhile, and come out in that order. */
  private mergeBy(panes: readonly Pane[], places: Int32Array, rankOf: Int32Array | undefined): Int32Array {
    const { groups, columns } = this.core;
    let made = 0;
    for (const pane of panes) {
      this.reserve(pane.count);
      const from = slotsIn(pane, this.from);
      const into = this.into.subarray(0, from.length);
      for (let i = 0; i < from.length; i++) {
        const id = groups.ids[from[i] as number] as number;
        const place = rankOf === undefined ? id : (rankOf[id] as number);
        let slot = places[place] as number;
        if (slot === 0) {
          slot = groups.take(id, 0);
          places[place] = slot;
          made++;
        }
        into[i] = slot;
      }
      columns.merge(into, from);
    }
    const slots = new Int32Array(made + 1);
    let at = 0;
    for (let place = 0; place < places.length; place++) {
      const slot = places[place] as number;
      slots[at] = slot;
      at += -slot >>> 31;
    }
    return slots.subarray(0, made);
  }
}
