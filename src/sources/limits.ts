/** Bytes of one line of NDJSON or one record of CSV. */
export const LINE_BYTES_MAX = 4 * 1024 * 1024;
/** Rows from which the column types of a text file are inferred. */
export const INFERENCE_ROWS = 1000;
/** Batches that a reading thread may have sent and the consumer not yet taken, by number and by bytes. */
export const IN_FLIGHT_BATCHES_MAX = 64;
export const IN_FLIGHT_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes read at once from a text file or for a digest. */
export const READ_CHUNK_BYTES = 256 * 1024;
/** Bytes of a Parquet file's footer. */
export const FOOTER_BYTES_MAX = 64 * 1024 * 1024;
/** Uncompressed bytes of one Parquet page. */
export const PAGE_BYTES_MAX = 256 * 1024 * 1024;
/** Rows of one Parquet page. */
export const PAGE_ROWS_MAX = 16 * 1024 * 1024;
/** Compressed bytes of one column in one row group. */
export const CHUNK_BYTES_MAX = 512 * 1024 * 1024;
/** Old-generation heap of a reading thread, in MiB: a file that claims more than it holds ends the thread, not the process. */
export const WORKER_HEAP_MIB_MAX = 1024;
