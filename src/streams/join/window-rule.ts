import type { Batch } from "../../batch/batch.ts";
import { windowStart } from "../window/event-clock.ts";
import type { WindowTimes } from "../window/plan.ts";
import type { JoinCore, JoinRule, SideIndex } from "./join-core.ts";

interface OpenWindow {
  readonly end: number;
  /** Entries of both sides by key id. */
  readonly groups: Map<number, readonly [number[], number[]]>;
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

  constructor(core: JoinCore, times: WindowTimes) {
    this.core = core;
    this.times = times;
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { core } = this;
    const starts = this.startsOf(time);
    if (starts.length === 0) return false;
    const entry = core.kept[side].add(batch, row, time, id);
    if (id >= 0) core.remember(side, batch, row, id);
    for (const start of starts) this.put(start, side, entry, id);
    return true;
  }

  advance(): void {
    const { newest } = this.core;
    if (newest < this.nextClose) return;
    const due = [...this.windows].filter(([, { end }]) => end + this.times.slack <= newest);
    for (const [start, window] of due.sort(([a], [b]) => a - b)) {
      this.windows.delete(start);
      this.emit(window);
      for (const [left, right] of window.groups.values()) {
        for (const entry of left) this.release(0, entry);
        for (const entry of right) this.release(1, entry);
      }
    }
    this.nextClose = Number.POSITIVE_INFINITY;
    for (const { end } of this.windows.values()) this.nextClose = Math.min(this.nextClose, end + this.times.slack);
  }

  rebuilt(): void {
    this.windows.clear();
    for (const side of [0, 1] as const) {
      const kept = this.core.kept[side];
      for (let entry = 0; entry < kept.count; entry++) {
        const id = kept.ids[entry] as number;
        const batch = kept.batches[kept.at[entry] as number] as Batch;
        if (id >= 0) this.core.remember(side, batch, kept.rows[entry] as number, id);
        for (const start of this.startsOf(kept.times[entry] as number)) this.put(start, side, entry, id);
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

  private put(start: number, side: SideIndex, entry: number, id: number): void {
    let window = this.windows.get(start);
    if (window === undefined) {
      window = { end: start + this.times.whole, groups: new Map() };
      this.windows.set(start, window);
      this.nextClose = Math.min(this.nextClose, window.end + this.times.slack);
    }
    let group = window.groups.get(id);
    if (group === undefined) {
      group = [[], []];
      window.groups.set(id, group);
    }
    group[side].push(entry);
  }

  private emit({ groups }: OpenWindow): void {
    const { core } = this;
    const { kind } = core.plan;
    const keepsLeft = kind === "left" || kind === "full";
    const keepsRight = kind === "right" || kind === "full";
    const { store } = core.keys;
    // Keys that have a rank are ordered by it; -1, the key with a null, comes last.
    const rankOf = store.ranks(groups.size)?.rankOf;
    const before = (a: number, b: number): number =>
      rankOf === undefined ? store.compare(a, b) : (rankOf[a] as number) - (rankOf[b] as number);
    const ids = [...groups.keys()].sort((a, b) => (a < 0 || b < 0 ? b - a : before(a, b)));
    for (const id of ids) {
      const [left, right] = groups.get(id) ?? [[], []];
      if (id >= 0) for (const a of left) for (const b of right) core.putEntries(a, b);
      const isAlone = id < 0 || left.length === 0 || right.length === 0;
      if (isAlone && keepsLeft) for (const a of left) core.putEntries(a, -1);
      if (isAlone && keepsRight) for (const b of right) core.putEntries(-1, b);
    }
  }

  /** Lets go of a row with its last window. */
  private release(side: SideIndex, entry: number): void {
    const kept = this.core.kept[side];
    const isLast = this.times.step === this.times.whole || this.startsOf(kept.times[entry] as number).length === 0;
    if (isLast) kept.drop(entry);
  }
}
