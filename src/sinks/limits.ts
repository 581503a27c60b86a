/** Rows of a row group, and bytes after which one closes early. */
export const ROW_GROUP_ROWS = 65_536;
export const ROW_GROUP_BYTES = 32 * 1024 * 1024;
/** Characters of text collected before they are encoded and written. */
export const TEXT_CHUNK_CHARS = 256 * 1024;
