import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";

export { openSink } from "./open.ts";

/** Where to write: the format follows the file's ending. */
export interface SinkSpec {
  readonly file: string;
  readonly schema: Schema;
}

/** What was written: path, rows, and the file's size in bytes. */
export interface Written {
  readonly file: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * A file that receives a table. It appears under its name only when {@link close} returns, complete and synced; before that,
 * and after {@link abort}, an older file of that name stays as it was. The same rows give the same bytes, however they are cut
 * into batches. Calls must not overlap.
 */
export interface Sink extends AsyncDisposable {
  /** Adds the rows of a batch. Throws `SINK_SCHEMA_MISMATCH`, `DISK_FULL`, `SINK_UNWRITABLE`; the sink is aborted then. */
  write(batch: Batch): Promise<void>;
  /** Completes the file. Throws as {@link write}, and `SINK_CLOSED` when it was closed or aborted before. */
  close(): Promise<Written>;
  /** Gives up and leaves nothing behind; after {@link close} it does nothing. Also what disposal does. */
  abort(): Promise<void>;
}
