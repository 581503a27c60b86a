import type { Batch } from "../../batch/batch.ts";
import { windowStart } from "../window/event-clock.ts";
import type { WindowTimes } from "../window/plan.ts";
import type { JoinCore, JoinRule, SideIndex } from "./join-core.ts";
import { EntryList, RankedSide, ranksOf } from "./window-entries.ts";

interface OpenWindow {
  readonly start: number;
  readonly end: number;
  /** Entries of both sides. */
  readonly lists: readonly [EntryList, EntryList];
}

/**
 * Pairs the rows of a key that lie in the same window, when the window closes: windows by end, keys by their canonical bytes, left rows as
 * they came, each with the right rows as they came. A row is late when all its windows have closed. Rows with a null in their key have no
 * partner; they come out, where their side's rows do, behind all keys.
 */
export class WindowRule implements JoinRule {
  private readonly core: JoinCore;
  private readonly times: WindowTimes;
  private readonly windows = new Map<number, OpenWindow>();
  private nextClose = Number.POSITIVE_INFINITY;
  /** The window that a row was put into last, where each row has one. */
  private latest: OpenWindow | undefined;
  /** Lists of windows that have closed. */
  private readonly spare: OpenWindow["lists"][] = [];
  private readonly ranked = [new RankedSide(), new RankedSide()] as const;

  constructor(core: JoinCore, times: WindowTimes) {
    this.core = core;
    this.times = times;
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { times } = this;
    if (times.step === times.whole) return this.single(side, batch, row, time, id);
    const starts = this.startsOf(time);
    if (starts.length === 0) return false;
    const entry = this.keep(side, batch, row, time, id);
    for (const start of starts) this.opened(start).lists[side].push(entry);
    return true;
  }

  /** A row that lies in one window. */
  private single(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    let window = this.latest;
    if (window === undefined || time < window.start || time >= window.end) {
      const start = windowStart(time, this.times);
      window = this.windows.get(start);
      if (window === undefined) {
        if (start + this.times.whole + this.times.slack <= this.core.newest) return false;
        window = this.opened(start);
      }
      this.latest = window;
    }
    // An open window takes every row of its time.
    window.lists[side].push(this.keep(side, batch, row, time, id));
    return true;
  }

  private keep(side: SideIndex, batch: Batch, row: number, time: number, id: number): number {
    if (id >= 0) this.core.remember(side, batch, row, id);
    return this.core.kept[side].add(batch, row, time, id);
  }

  advance(): void {
    const { newest } = this.core;
    if (newest < this.nextClose) return;
    const due = [...this.windows].filter(([, { end }]) => end + this.times.slack <= newest);
    for (const [start, window] of due.sort(([a], [b]) => a - b)) {
      this.windows.delete(start);
      this.emit(window);
      for (const side of [0, 1] as const) {
        const { entries, count } = window.lists[side];
        for (let i = 0; i < count; i++) this.release(side, entries[i] as number);
        window.lists[side].count = 0;
      }
      this.spare.push(window.lists);
    }
    this.latest = undefined;
    this.nextClose = Number.POSITIVE_INFINITY;
    for (const { end } of this.windows.values()) this.nextClose = Math.min(this.nextClose, end + this.times.slack);
  }

  rebuilt(): void {
    this.windows.clear();
    this.latest = undefined;
    for (const side of [0, 1] as const) {
      const kept = this.core.kept[side];
      for (let entry = 0; entry < kept.count; entry++) {
        const id = kept.ids[entry] as number;
        const batch = kept.batches[kept.at[entry] as number] as Batch;
        if (id >= 0) this.core.remember(side, batch, kept.rows[entry] as number, id);
        for (const start of this.startsOf(kept.times[entry] as number)) this.opened(start).lists[side].push(entry);
      }
    }
  }

  sweep(): void {}

  /** Open windows that a time lies in. */
  private startsOf(time: number): number[] {
    const { whole, step, slack } = this.times;
    const starts: number[] = [];
    const last = windowStart(time, { ...this.times, size: step });
    for (let start = last; start + whole > time; start -= step)
      if (start + whole + slack > this.core.newest) starts.push(start);
    return starts;
  }

  private opened(start: number): OpenWindow {
    let window = this.windows.get(start);
    if (window === undefined) {
      window = { start, end: start + this.times.whole, lists: this.spare.pop() ?? [new EntryList(), new EntryList()] };
      this.windows.set(start, window);
      this.nextClose = Math.min(this.nextClose, window.end + this.times.slack);
    }
    return window;
  }

  private emit({ lists }: OpenWindow): void {
    const { core } = this;
    const { kind } = core.plan;
    const keepsLeft = kind === "left" || kind === "full";
    const keepsRight = kind === "right" || kind === "full";
    const { kept, pairs } = core;
    const [left, right] = this.ranked;
    const ranks = ranksOf(core.keys.store, [
      [lists[0], kept[0].ids],
      [lists[1], kept[1].ids],
    ]);
    left.fill(lists[0], kept[0], ranks);
    right.fill(lists[1], kept[1], ranks);
    for (let i = 0, j = 0; i < left.count || j < right.count; ) {
      const rank = Math.min(left.ranks[i] as number, right.ranks[j] as number);
      const [a, b] = [i, j];
      while (left.ranks[i] === rank) i++;
      while (right.ranks[j] === rank) j++;
      const isAlone = rank === ranks.count || a === i || b === j;
      if (!isAlone) {
        for (let l = a; l < i; l++) for (let r = b; r < j; r++) pairs.putPlaced(kept, left, l, right, r);
        continue;
      }
      if (keepsLeft) for (let l = a; l < i; l++) pairs.putPlaced(kept, left, l, right, -1);
      if (keepsRight) for (let r = b; r < j; r++) pairs.putPlaced(kept, left, -1, right, r);
    }
  }

  /** Lets go of a row with its last window. */
  private release(side: SideIndex, entry: number): void {
    const kept = this.core.kept[side];
    const isLast = this.times.step === this.times.whole || this.startsOf(kept.times[entry] as number).length === 0;
    if (isLast) kept.drop(entry);
  }
}
