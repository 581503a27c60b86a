/** Rows of a stored batch when nobody says otherwise, and the most a stored batch may have. */
export const BATCH_ROWS_DEFAULT = 4096;
export const BATCH_ROWS_MAX = 4096;
/** Columns of a schema. */
export const COLUMNS_MAX = 256;
/** Bytes of a column's name. */
export const NAME_BYTES_MAX = 256;
/** Bytes of a stored batch after which its builder closes it early; one row may be larger, up to the block limit. */
export const BATCH_BYTES_TARGET = 1024 * 1024;
