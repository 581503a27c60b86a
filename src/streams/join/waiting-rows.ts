import type { Batch } from "../../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { BatchWriter } from "../../batch/writer.ts";

/** Rows that wait, put together anew. */
export class WaitingRows {
  count = 0;
  private writer: BatchWriter | undefined;
  private readonly done: Batch[] = [];

  add(batch: Batch, from: number): void {
    this.writer ??= new BatchWriter(batch.schema);
    for (let row = from; row < batch.rows; ) {
      const to = Math.min(batch.rows, row + BATCH_ROWS_DEFAULT - this.writer.rows);
      this.writer.append(batch, row, to);
      this.count += to - row;
      row = to;
      if (this.writer.rows === BATCH_ROWS_DEFAULT) this.done.push(this.writer.take());
    }
  }

  batches(): readonly Batch[] {
    if (this.writer !== undefined && this.writer.rows > 0) this.done.push(this.writer.take());
    return this.done;
  }
}
