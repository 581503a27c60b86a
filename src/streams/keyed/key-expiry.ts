import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import type { Header } from "../flow.ts";
import { timeOf } from "../operators/event-time.ts";
import type { Counters } from "../step.ts";
import { timesOf } from "../window/event-clock.ts";
import { Punctuation } from "./punctuation.ts";

/**
 * Event-time time-to-live of keys: a key is over once the watermark has passed the latest of its rows by `ttl` microseconds. Rows alone move the
 * watermark, each before it is looked at, so that it makes no difference when what is over is forgotten.
 */
export class KeyExpiry {
  /** Newest event time so far, in microseconds. */
  newest = Number.NEGATIVE_INFINITY;
  private readonly ttl: number;
  private readonly column: string;
  private readonly outOfOrder: number;
  private readonly clock: Punctuation;
  private times: Int32Array = new Int32Array(0);
  private rows = 0;

  /** Throws `WINDOW_UNDESCRIBED` where nothing was said of an event time. */
  constructor(header: Header, ttl: number, who: string) {
    const { column, outOfOrderUs, punctuated } = timeOf(header, who);
    this.clock = new Punctuation(punctuated);
    this.ttl = ttl;
    this.column = column;
    this.outOfOrder = outOfOrderUs;
  }

  /** Looks at the event times of rows; `at` may then be asked about these. */
  open(batch: Batch, from: number, to: number): void {
    this.times = wordsOf(timesOf(batch, this.column, from, to, this.rows));
    this.clock.open(batch);
    this.rows += to - from;
  }

  /** Takes a row of the batch into account; gives the time until which its key lives by it. */
  at(row: number): number {
    const time = wordsToNumber(this.times, row);
    const mark = this.clock.at(row, time);
    if (mark > this.newest) this.newest = mark;
    return time + this.ttl;
  }

  /** A watermark from between the rows: nothing is expected before it. */
  pass(timeUs: number): void {
    if (this.clock.isMarked) this.newest = Math.max(this.newest, timeUs);
  }

  /** Tells counters where the watermark is. */
  count(counters: Counters): void {
    counters.watermarkUs = this.newest - this.outOfOrder;
    counters.watermarkLagUs = this.outOfOrder;
  }

  /** Whether a key that lives until then is over. */
  isOver(until: number): boolean {
    return until <= this.newest - this.outOfOrder;
  }
}
