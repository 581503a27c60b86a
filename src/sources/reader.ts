import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import type { BatchesOptions } from "./port.ts";

/** Reads one opened file in this thread: what every format implements. */
export interface FileReader {
  readonly schema: Schema;
  readonly rows: number | undefined;
  read(options: BatchesOptions): AsyncIterableIterator<Batch>;
}
