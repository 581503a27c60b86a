import { IpdmError } from "../core/errors.ts";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import type { Batch } from "./batch.ts";
import type { Column } from "./column.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_MAX } from "./limits.ts";
import type { Schema } from "./schema.ts";
import { typeWidth } from "./schema.ts";
import { BatchWriter } from "./writer.ts";

/**
 * Cuts rows into batches by rule: a batch closes after `rowsMax` rows, or after the row that brings it to `bytesMax`. The rule
 * looks at rows alone, so the same rows give the same batches however they arrive.
 */
export class BatchCutter {
  readonly writer: BatchWriter;
  private readonly rowsMax: number;
  private readonly bytesMax: number;
  private readonly blockMax: number;

  constructor(schema: Schema, rowsMax: number, bytesMax = BATCH_BYTES_TARGET, blockMax = BLOCK_SIZE_MAX) {
    this.writer = new BatchWriter(schema);
    this.rowsMax = rowsMax;
    this.bytesMax = bytesMax;
    this.blockMax = blockMax;
  }

  /** Call after each row pushed into {@link writer}: the batch that this row closed, if it did. */
  afterRow(): Batch | undefined {
    const { writer } = this;
    return writer.rows >= this.rowsMax || writer.sizeBytes >= this.bytesMax ? this.take() : undefined;
  }

  /** Adds rows `from` to `to` of columns in schema order and gives the batches they close. */
  *add(columns: readonly Column[], from: number, to: number): Generator<Batch, void, undefined> {
    const { writer } = this;
    const widest = rowBytesMax(columns);
    let at = from;
    while (at < to) {
      // As many rows as cannot close the batch by their bytes whatever they hold, or else one.
      const safe = Math.floor((this.bytesMax - writer.sizeBytes - 1) / widest);
      const count = Math.min(to - at, this.rowsMax - writer.rows, Math.max(1, safe));
      for (let i = 0; i < columns.length; i++) writer.at(i).copy(columns[i] as Column, at, at + count);
      writer.endRows(count);
      at += count;
      const batch = this.afterRow();
      if (batch !== undefined) yield batch;
    }
  }

  /** The rows that are left, if any. */
  rest(): Batch | undefined {
    return this.writer.rows === 0 ? undefined : this.take();
  }

  private take(): Batch {
    const batch = this.writer.take();
    if (batch.bytes.length > this.blockMax) {
      throw new IpdmError(
        "SOURCE_LIMIT",
        `a row needs ${batch.bytes.length} bytes with its batch, more than the ${this.blockMax} of a block`,
        {
          hint: "leave large columns out with `columns`",
        },
      );
    }
    return batch;
  }
}

/** Throws `BATCH_ROWS_INVALID` unless `batchRows` is 1 to 4096 and `fromRow` a row number. */
export function checkBatches(batchRows: number, fromRow: number): void {
  if (!Number.isInteger(batchRows) || batchRows < 1 || batchRows > BATCH_ROWS_MAX) {
    throw new IpdmError("BATCH_ROWS_INVALID", `a batch has 1 to ${BATCH_ROWS_MAX} rows, not ${batchRows}`, {
      kind: "config",
    });
  }
  if (!Number.isSafeInteger(fromRow) || fromRow < 0) {
    throw new IpdmError("BATCH_ROWS_INVALID", `${fromRow} is not a row to start at`, { kind: "config" });
  }
}

/** No row of these columns adds more bytes than this to a writer's size. */
function rowBytesMax(columns: readonly Column[]): number {
  let sum = 0;
  for (const column of columns) {
    const { type } = column.field;
    if (type === "bool") sum += 1;
    else if (type === "dict") sum += 8 + longest(column.offsets, column.entries);
    else if (type === "utf8" || type === "binary") sum += 4 + longest(column.offsets, column.rows);
    else sum += typeWidth(column.field);
  }
  return Math.max(1, sum);
}

function longest(offsets: Int32Array | undefined, count: number): number {
  let most = 0;
  if (offsets === undefined) return 0;
  for (let i = 0; i < count; i++) most = Math.max(most, (offsets[i + 1] as number) - (offsets[i] as number));
  return most;
}
