import type { Batch } from "../../batch/batch.ts";
import { BATCH_BYTES_TARGET } from "../../batch/limits.ts";
import type { Field, Schema } from "../../batch/schema.ts";
import { typeWidth } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";

const STEP_ROWS = 256;

/** Cuts rows into batches of at most `batchRows` rows and about 1 MiB. */
export class BatchCutter {
  private readonly writer: BatchWriter;
  private readonly batchRows: number;
  /** Rows written in one go: many where they are of a fixed width, and a batch ends by its rows alone. */
  private readonly stepRows: number;
  private done: Batch[] = [];

  constructor(schema: Schema, batchRows: number) {
    this.writer = new BatchWriter(schema);
    this.batchRows = batchRows;
    const width = schema.fields.reduce((sum, field) => sum + (hasWidth(field) ? typeWidth(field) : Number.NaN), 0);
    this.stepRows = width * batchRows < BATCH_BYTES_TARGET ? batchRows : STEP_ROWS;
  }

  /** Whether a batch is finished that has not been taken. */
  get isFull(): boolean {
    return this.done.length > 0;
  }

  /**
   * Writes rows `from` to `rows` column by column, up to the one that finishes a batch: `write` is called for consecutive ranges and must write
   * them to every column. Returns the row before which it stopped.
   */
  write(from: number, rows: number, write: (writer: BatchWriter, from: number, to: number) => void): number {
    const finished = this.done.length;
    let at = from;
    while (at < rows && this.done.length === finished) {
      const to = Math.min(rows, at + this.stepRows, at + this.batchRows - this.writer.rows);
      write(this.writer, at, to);
      this.writer.endRows(to - at);
      this.cut(false);
      at = to;
    }
    return at;
  }

  /** Copies rows of a batch of the same schema. */
  copy(batch: Batch, from: number, to: number): void {
    for (let row = from; row < to; ) {
      const end = Math.min(to, row + this.stepRows, row + this.batchRows - this.writer.rows);
      this.writer.append(batch, row, end);
      this.cut(false);
      row = end;
    }
  }

  /** The batches so far; the last one may be short. */
  take(): Batch[] {
    this.cut(true);
    return this.takeFull();
  }

  /** The batches that are finished. */
  takeFull(): Batch[] {
    const { done } = this;
    this.done = [];
    return done;
  }

  private cut(all: boolean): void {
    const { rows } = this.writer;
    if (rows === 0) return;
    if (all || rows >= this.batchRows || this.writer.sizeBytes >= BATCH_BYTES_TARGET)
      this.done.push(this.writer.take());
  }
}

function hasWidth({ type }: Field): boolean {
  return type !== "utf8" && type !== "binary" && type !== "dict" && type !== "bool";
}
