import type { Batch } from "../../batch/batch.ts";
import type { JoinCore, JoinRule, SideIndex } from "./join-core.ts";
import { TimeHeap } from "./time-heap.ts";

/** Rows kept between two looks for those that are no longer needed. */
const SWEEP_ROWS = 65_536;

/**
 * Pairs a left row at time `l` with the right rows of its key at `[l + lower, l + upper]`, as the later of the two comes, in the order
 * in which the earlier ones came. A row whose time lies before the watermark is late. A row that can have no partner any more goes; where
 * its side's rows come out without a partner, it does, in the order in which the watermark passes them.
 */
export class IntervalRule implements JoinRule {
  private readonly core: JoinCore;
  private readonly lower: number;
  private readonly upper: number;
  /** Whether rows of a side come out without a partner; then its entries by the time at which they go. */
  private readonly outer: readonly [boolean, boolean];
  private readonly heaps = [new TimeHeap(), new TimeHeap()] as const;
  private untilSweep = SWEEP_ROWS;

  constructor(core: JoinCore, lower: number, upper: number) {
    const { kind } = core.plan;
    this.core = core;
    this.lower = lower;
    this.upper = upper;
    this.outer = [kind === "left" || kind === "full", kind === "right" || kind === "full"];
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { core } = this;
    if (time < core.watermark) return false;
    const other: SideIndex = side === 0 ? 1 : 0;
    const isMatched = id >= 0 && this.probe(side, other, batch, row, time, id);
    if (id < 0 && !this.outer[side]) return true;
    const entry = core.keep(side, batch, row, time, id);
    if (isMatched) core.kept[side].matched[entry] = 1;
    if (this.outer[side]) this.heaps[side].push(this.deadline(side, time), entry);
    if (--this.untilSweep === 0) this.sweep();
    return true;
  }

  advance(): void {
    if (this.outer[0] || this.outer[1]) this.expire(this.core.watermark);
  }

  rebuilt(): void {
    for (const side of [0, 1] as const) {
      if (!this.outer[side]) continue;
      this.heaps[side].clear();
      const kept = this.core.kept[side];
      for (let entry = 0; entry < kept.count; entry++)
        this.heaps[side].push(this.deadline(side, kept.times[entry] as number), entry);
    }
  }

  /** Lets go of the rows that can have no partner any more. */
  sweep(): void {
    const { core } = this;
    this.untilSweep = SWEEP_ROWS;
    for (const side of [0, 1] as const) {
      if (this.outer[side]) continue;
      const kept = core.kept[side];
      for (let entry = 0; entry < kept.count; entry++)
        if (this.deadline(side, kept.times[entry] as number) < core.watermark) kept.drop(entry);
    }
  }

  private probe(side: SideIndex, other: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { core, lower, upper } = this;
    const kept = core.kept[other];
    const { times, next, dead, matched } = kept;
    const { watermark } = core;
    const least = side === 0 ? time + lower : time - upper;
    const most = side === 0 ? time + upper : time - lower;
    let found = false;
    let before = 0;
    for (let at = core.heads[other][id] as number; at !== 0; ) {
      const entry = at - 1;
      const after = next[entry] as number;
      const partner = times[entry] as number;
      if (dead[entry] === 1 || (!this.outer[other] && this.deadline(other, partner) < watermark)) {
        // It can match nothing any more: it leaves the list.
        kept.drop(entry);
        if (before === 0) core.heads[other][id] = after;
        else next[before - 1] = after;
        if (after === 0) core.tails[other][id] = before;
      } else {
        before = at;
        if (partner >= least && partner <= most) {
          found = true;
          matched[entry] = 1;
          const held = kept.batches[kept.at[entry] as number] as Batch;
          const heldRow = kept.rows[entry] as number;
          if (side === 0) core.pairs.put(batch, row, held, heldRow);
          else core.pairs.put(held, heldRow, batch, row);
        }
      }
      at = after;
    }
    return found;
  }

  private expire(watermark: number): void {
    const [left, right] = this.heaps;
    for (;;) {
      const side: SideIndex = left.size > 0 && (left.time <= right.time || right.size === 0) ? 0 : 1;
      const heap = this.heaps[side];
      // At the end of input rows go as well that a partner of any time would do for.
      if (heap.size === 0 || !(heap.time < watermark || watermark === Number.POSITIVE_INFINITY)) return;
      const entry = heap.pop();
      const kept = this.core.kept[side];
      if (kept.matched[entry] === 0) this.core.putEntries(side === 0 ? entry : -1, side === 1 ? entry : -1);
      kept.drop(entry);
    }
  }

  /** The last time at which a row can have a partner. */
  private deadline(side: SideIndex, time: number): number {
    return side === 0 ? time + this.upper : time - this.lower;
  }
}
