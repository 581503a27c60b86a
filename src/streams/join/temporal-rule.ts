import type { Batch } from "../../batch/batch.ts";
import type { JoinCore } from "./join-core.ts";
import type { JoinRule, Kept, SideIndex } from "./join-rule.ts";
import { NEVER_QUIET } from "./merge-sink.ts";
import { TimeHeap } from "./time-heap.ts";

/**
 * Pairs each left row with the newest right row of its key that is not later than it, of equal times the one that came last. A left row
 * waits until the watermark has passed it, since until then a right row may still come; left rows come out by time. Rows before the
 * watermark are late. Of a key's right rows those stay that a left row may still ask for.
 */
export class TemporalRule implements JoinRule {
  private readonly core: JoinCore;
  private readonly isLeft: boolean;
  private readonly pending = new TimeHeap();
  isBusy = false;
  readonly quiet = NEVER_QUIET;
  /** Right entries by key id, by time. */
  private versions = new Map<number, number[]>();

  constructor(core: JoinCore) {
    this.core = core;
    this.isLeft = core.plan.kind === "left";
  }

  get living(): number {
    return this.core.living;
  }

  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean {
    const { core } = this;
    if (time < core.watermark) return false;
    if (id < 0 && (side === 1 || !this.isLeft)) return true;
    const entry = core.kept[side].add(batch, row, time, id);
    if (side === 0) this.pending.push(time, entry);
    else this.insert(entry, time, id);
    return true;
  }

  advance(): void {
    this.work();
  }

  work(): boolean {
    this.isBusy = !this.answer(this.core.watermark);
    return !this.isBusy;
  }

  rebuilt(): void {
    const [left, right] = this.core.kept;
    this.pending.clear();
    this.versions = new Map();
    for (let entry = 0; entry < left.count; entry++) this.pending.push(left.times[entry] as number, entry);
    for (let entry = 0; entry < right.count; entry++)
      this.insert(entry, right.times[entry] as number, right.ids[entry] as number);
  }

  collect(): Kept {
    for (const [, list] of this.versions) this.prune(list);
    return this.core.kept;
  }

  private insert(entry: number, time: number, id: number): void {
    const { times } = this.core.kept[1];
    let list = this.versions.get(id);
    if (list === undefined) {
      list = [];
      this.versions.set(id, list);
    }
    let at = list.length;
    while (at > 0 && (times[list[at - 1] as number] as number) > time) at--;
    list.splice(at, 0, entry);
    if (list.length > 8) this.prune(list);
  }

  /** Of the rows before the watermark only the newest can still be asked for. */
  private prune(list: number[]): void {
    const { times } = this.core.kept[1];
    let past = 0;
    while (past < list.length && (times[list[past] as number] as number) <= this.core.watermark) past++;
    if (past < 2) return;
    for (const entry of list.splice(0, past - 1)) this.core.kept[1].drop(entry);
  }

  /** Answers the left rows before a watermark; false when the pairs were full before. */
  private answer(watermark: number): boolean {
    const [left, right] = this.core.kept;
    while (this.pending.size > 0 && this.pending.time < watermark) {
      if (this.core.pairs.isFull) return false;
      const { time } = this.pending;
      const entry = this.pending.pop();
      const list = this.versions.get(left.ids[entry] as number) ?? [];
      let at = list.length - 1;
      while (at >= 0 && (right.times[list[at] as number] as number) > time) at--;
      if (at >= 0) this.core.putEntries(entry, list[at] as number);
      else if (this.isLeft) this.core.putEntries(entry, -1);
      left.drop(entry);
    }
    return true;
  }
}
