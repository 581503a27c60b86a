import type { Batch } from "../batch/batch.ts";

/** Turns batches into a file's bytes, in pieces that the caller writes before it asks for the next. */
export interface TableEncoder {
  /** Bytes that are ready after these rows; may be none yet. The views are valid until the next piece is asked for. */
  encode(batch: Batch): Iterable<Uint8Array>;
  /** The rest of the file. */
  finish(): Iterable<Uint8Array>;
}
