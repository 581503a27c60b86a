import type { Batch } from "../../batch/batch.ts";
import { type Column, isNull, wordsOf, wordsToNumber } from "../../batch/column.ts";
import type { EventTime } from "../operators/event-time.ts";
import { timeField } from "../window/plan.ts";

/** What a row moves the newest time to: its own time, the punctuation in another column, or nothing where marks between rows do. */
export class Punctuation {
  /** Marks between rows move the watermark, not rows. */
  readonly isMarked: boolean;
  private readonly name: string | undefined;
  private column: Column | undefined;
  private words: Int32Array = new Int32Array(0);

  private readonly outOfOrder: number;

  /** A watermark stays `outOfOrder` behind the newest time. */
  constructor(punctuated: EventTime["punctuated"], outOfOrder = 0) {
    this.outOfOrder = outOfOrder;
    this.isMarked = punctuated === true;
    this.name = punctuated === true ? undefined : punctuated;
  }

  /** Looks at a batch; {@link at} may then be asked about its rows. Throws `COLUMN_MISSING` and `TIME_COLUMN_TYPE`. */
  open(batch: Batch): void {
    if (this.name === undefined) return;
    timeField(batch.schema, this.name);
    this.column = batch.column(this.name);
    this.words = wordsOf(this.column);
  }

  /** What a row of that time moves the newest time to; -∞ where it does not. */
  at(row: number, time: number): number {
    if (this.isMarked) return Number.NEGATIVE_INFINITY;
    if (this.column === undefined) return time;
    return isNull(this.column, row) ? Number.NEGATIVE_INFINITY : wordsToNumber(this.words, row) + this.outOfOrder;
  }
}
