import type { Batch } from "../batch/batch.ts";
import type { ColumnType, Schema } from "../batch/schema.ts";

export { openSource } from "./open.ts";

/** A column type as users write it: a name of {@link ColumnType}, or `fixed(32)` with its width in bytes. */
export type ColumnTypeName = Exclude<ColumnType, "fixed"> | `fixed(${number})`;

/** Formats of files that can be read. */
export type SourceFormat = "parquet" | "ndjson" | "csv";

/**
 * What to read. `columns` selects columns, orders them and declares their types; without it all columns are read and a text
 * file's types are inferred from its first 1000 rows. `format` overrides what the file's name says.
 */
export interface SourceSpec {
  readonly file: string;
  readonly columns?: Readonly<Record<string, ColumnTypeName>> | undefined;
  readonly format?: SourceFormat | undefined;
}

/** How to cut batches. */
export interface BatchesOptions {
  /** Rows of a batch, 1 to 4096. */
  readonly batchRows: number;
  /** First row, which should be the first row of a batch; 0 without it. */
  readonly fromRow?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Hash each batch where it is made, if that is another thread: `Batch.digest`. */
  readonly digests?: boolean | undefined;
  /** Told how many bytes of the file were read so far, at the latest before the batch that they brought; by text files only. */
  readonly onRead?: ((bytes: number) => void) | undefined;
  /** Told at the end of rows of NDJSON which columns no row of the file has, if there are any. */
  readonly onAbsent?: ((columns: readonly string[]) => void) | undefined;
}

/** Digest and size of a file's bytes as given (compressed, if it is). */
export interface Content {
  readonly sha256: Uint8Array;
  readonly bytes: number;
}

/**
 * A bounded table to read. Batches hold exactly `batchRows` rows counted from `fromRow`, and the last what is left; a batch
 * closes early after the row that brings it to 1 MiB. Where it is cut depends on the rows alone.
 */
export interface TableSource<C> extends AsyncDisposable {
  readonly schema: Schema;
  /** Rows, where the format tells before reading. */
  readonly rows: number | undefined;
  /**
   * The rows from `fromRow` on; may be called again. Throws `SOURCE_MALFORMED`, `SOURCE_ROW_INVALID`, `SOURCE_LIMIT`,
   * `SOURCE_CHANGED` (the file was written meanwhile), `SOURCE_UNREADABLE`, and the signal's reason when it is aborted.
   */
  batches(options: BatchesOptions): AsyncIterableIterator<Batch>;
  /** What identifies what it holds: of a file SHA-256 and size, of a chain its block hashes. Throws as {@link batches}. */
  content(signal?: AbortSignal): Promise<C>;
  /** Ends reading and frees the file; safe to call twice. */
  close(): Promise<void>;
}

/** A file as a table. */
export type Source = TableSource<Content>;

/** How to open a source. */
export interface OpenSourceOptions {
  readonly signal?: AbortSignal | undefined;
  /** Read in a thread of its own, so that this one stays free (default true). */
  readonly worker?: boolean | undefined;
}
