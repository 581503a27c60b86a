import type { Batch } from "../../batch/batch.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_MAX } from "../../batch/limits.ts";
import type { Schema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";

/**
 * The rows of a slot's output in batches of as many rows as a batch may have, or fewer where they are wide. Nodes cut alike, since they
 * are given the slot's batches; other batches may be cut elsewhere, so a result names rows, never batches. What is cut so
 * already is handed on as it is.
 */
export function recut(schema: Schema, batches: readonly Batch[]): Batch[] {
  if (batches.every((batch, i) => isFull(batch) || (i === batches.length - 1 && batch.rows > 0))) return [...batches];
  const writer = new BatchWriter(schema);
  const out: Batch[] = [];
  for (const batch of batches) {
    for (let from = 0; from < batch.rows; ) {
      const rowBytes = Math.max(1, Math.ceil(batch.bytes.length / batch.rows));
      const room = Math.max(1, Math.floor((BATCH_BYTES_TARGET - writer.sizeBytes) / rowBytes));
      const to = Math.min(batch.rows, from + BATCH_ROWS_MAX - writer.rows, from + room);
      writer.append(batch, from, to);
      from = to;
      if (writer.rows === BATCH_ROWS_MAX || writer.sizeBytes >= BATCH_BYTES_TARGET) out.push(writer.take());
    }
  }
  if (writer.rows > 0) out.push(writer.take());
  return out;
}

function isFull(batch: Batch): boolean {
  return batch.rows === BATCH_ROWS_MAX || batch.bytes.length >= BATCH_BYTES_TARGET;
}
