import type { Batch } from "../../batch/batch.ts";
import type { Barrier } from "../barrier.ts";
import type { Header, Idle, Watermark } from "../flow.ts";
import { LentCredits } from "./lent-credits.ts";

/** One input of a merge, and what of it waits. */
export class MergedInput {
  readonly name: string;
  header: Header | undefined;
  credits = new LentCredits();
  readonly queue: (Batch | Watermark | Idle)[] = [];
  /** Items behind a barrier that not every input has seen yet. */
  held: (Batch | Watermark | Idle | Barrier)[] | undefined;
  /** Next row of the batch at the front, and the event times of that batch. */
  row = 0;
  times: Float64Array | undefined;
  /** Where they stand, one batch's after the other's. */
  room = new Float64Array(0);
  consumed = 0;
  /** It has said that nothing comes before this time. */
  promised = Number.NEGATIVE_INFINITY;
  /** Time of its newest mark, waiting or not: one that says no more is left out, so that states are the same. */
  newest = Number.NEGATIVE_INFINITY;
  ended = false;

  constructor(name: string) {
    this.name = name;
  }
  /** Rows of the batch in front were taken up to one; the batch goes when that is its last: true then, and where it has gone already. */
  took(batch: Batch, to: number): boolean {
    if (this.queue[0] !== batch) return true;
    this.consumed += to - this.row;
    this.row = to;
    if (to < batch.rows) return false;
    this.queue.shift();
    this.row = 0;
    this.times = undefined;
    this.credits.giveBack();
    return true;
  }
}
