/** Rows of a row group, and bytes after which one closes early. */
export const ROW_GROUP_ROWS = 65_536;
export const ROW_GROUP_BYTES = 32 * 1024 * 1024;
/** Bytes of text collected before they are written. */
export const TEXT_CHUNK_BYTES = 256 * 1024;
