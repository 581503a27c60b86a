import type { Batch } from "../../batch/batch.ts";
import type { JoinCore } from "./join-core.ts";
import type { JoinRule, Kept, SideIndex } from "./join-rule.ts";
import { NEVER_QUIET } from "./merge-sink.ts";
import { TimeHeap } from "./time-heap.ts";

/** Rows kept between two looks for those that are no longer needed. */
const SWEEP_ROWS = 65_536;

interface Probed {
  readonly side: SideIndex;
  readonly batch: Batch;
  readonly row: number;
  readonly time: number;
  readonly id: number;
}

/**
 * Pairs a left row at time `l` with the right rows of its key at `[l + lower, l + upper]`, as the later of the two comes, in the order
 * in which the earlier ones came. A row whose time lies before the watermark is late, where the times are bounded. A row that can have no partner any more goes; where
 * its side's rows come out without a partner, it does, in the order in which the watermark passes them.
 */
export class IntervalRule implements JoinRule {
  private readonly core: JoinCore;
  private readonly lower: number;
  private readonly upper: number;
  /** Rows of every time keep their partners where it is not: none is late. */
  private readonly isBounded: boolean;
  /** Whether rows of a side come out without a partner; then its entries by the time at which they go. */
  private readonly outer: readonly [boolean, boolean];
  private readonly heaps = [new TimeHeap(), new TimeHeap()] as const;
  isBusy = false;
  readonly quiet = NEVER_QUIET;
  private untilSweep = SWEEP_ROWS;
  /** The row whose partners had no room: where it is in its list, behind which entry (plus 1), and whether it had any. */
  private probed: Probed | undefined;
  private at = 0;
  private before = 0;
  private found = false;

  constructor(core: JoinCore, lower: number, upper: number) {
    const { kind } = core.plan;
    this.core = core;
    this.lower = lower;
    this.upper = upper;
    this.isBounded = Number.isFinite(lower) || Number.isFinite(upper);
    this.outer = [kind === "left" || kind === "full", kind === "right" || kind === "full"];
  }

  get living(): number {
    return this.core.living;
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { core } = this;
    if (this.isBounded && time < core.watermark) return false;
    if (id < 0) {
      if (this.outer[side]) this.keep(side, batch, row, time, id, false);
      return true;
    }
    this.before = 0;
    if (this.probe(side, batch, row, time, id, core.heads[side === 0 ? 1 : 0][id] as number, false)) return true;
    this.isBusy = true;
    this.probed = { side, batch, row, time, id };
    return true;
  }

  advance(): void {
    this.isBusy = !this.expire();
  }

  work(): boolean {
    const { probed } = this;
    if (probed !== undefined) {
      const { side, batch, row, time, id } = probed;
      if (!this.probe(side, batch, row, time, id, this.at, this.found)) return false;
      this.probed = undefined;
    }
    this.isBusy = !this.expire();
    return !this.isBusy;
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

  collect(): Kept {
    this.sweep();
    return this.core.kept;
  }

  /** Lets go of the rows that can have no partner any more. */
  private sweep(): void {
    const { core } = this;
    this.untilSweep = SWEEP_ROWS;
    for (const side of [0, 1] as const) {
      if (this.outer[side]) continue;
      const kept = core.kept[side];
      for (let entry = 0; entry < kept.count; entry++)
        if (this.deadline(side, kept.times[entry] as number) < core.watermark) kept.drop(entry);
    }
  }

  /**
   * Pairs a row with those of the other side's list from an entry on (plus 1), and keeps it then; false when the pairs were full before, and
   * {@link at} and {@link found} say where it was.
   */
  private probe(
    side: SideIndex,
    batch: Batch,
    row: number,
    time: number,
    id: number,
    from: number,
    wasFound: boolean,
  ): boolean {
    const { core, lower, upper } = this;
    const other: SideIndex = side === 0 ? 1 : 0;
    const kept = core.kept[other];
    const { times, next, dead, matched } = kept;
    const { watermark, pairs } = core;
    const least = side === 0 ? time + lower : time - upper;
    const most = side === 0 ? time + upper : time - lower;
    let found = wasFound;
    let { before } = this;
    for (let at = from; at !== 0; ) {
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
        if (partner >= least && partner <= most) {
          if (pairs.isFull) {
            [this.at, this.before, this.found] = [at, before, found];
            return false;
          }
          found = true;
          matched[entry] = 1;
          const held = kept.batches[kept.at[entry] as number] as Batch;
          const heldRow = kept.rows[entry] as number;
          if (side === 0) pairs.put(batch, row, held, heldRow);
          else pairs.put(held, heldRow, batch, row);
        }
        before = at;
      }
      at = after;
    }
    this.keep(side, batch, row, time, id, found);
    return true;
  }

  private keep(side: SideIndex, batch: Batch, row: number, time: number, id: number, isMatched: boolean): void {
    const { core } = this;
    const entry = core.keep(side, batch, row, time, id);
    if (isMatched) core.kept[side].matched[entry] = 1;
    if (this.outer[side]) this.heaps[side].push(this.deadline(side, time), entry);
    if (--this.untilSweep === 0) this.sweep();
  }

  /** Lets rows out that the watermark has passed and that had no partner; false when the pairs were full before. */
  private expire(): boolean {
    if (!this.outer[0] && !this.outer[1]) return true;
    const { watermark, pairs, kept } = this.core;
    const [left, right] = this.heaps;
    for (;;) {
      const side: SideIndex = left.size > 0 && (left.time <= right.time || right.size === 0) ? 0 : 1;
      const heap = this.heaps[side];
      // At the end of input rows go as well that a partner of any time would do for.
      if (heap.size === 0 || !(heap.time < watermark || watermark === Number.POSITIVE_INFINITY)) return true;
      if (pairs.isFull) return false;
      const entry = heap.pop();
      if (kept[side].matched[entry] === 0) this.core.putEntries(side === 0 ? entry : -1, side === 1 ? entry : -1);
      kept[side].drop(entry);
    }
  }

  /** The last time at which a row can have a partner. */
  private deadline(side: SideIndex, time: number): number {
    return side === 0 ? time + this.upper : time - this.lower;
  }
}
