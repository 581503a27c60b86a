import { BLOCK_SIZE_MAX } from "../../dag/limits.ts";

/** Bytes of one JSON value of a file: a block with its receipts, or a list of some. */
export const VALUE_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes of the texts of one row: a block of the store holds it, with its batch's header. */
export const ROW_BYTES_MAX = BLOCK_SIZE_MAX - 64 * 1024;
/** Files of a chain source. */
export const CHAIN_FILES_MAX = 2_000_000;
/** Blocks of a chain source. */
export const CHAIN_BLOCKS_MAX = 2_000_000;
/** Bytes of a plain file that is read in one piece. */
export const WHOLE_FILE_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes that are read at once of a larger one. */
export const CHUNK_BYTES = 1024 * 1024;
/** Bytes between two texts of a row that are read with them, rather than each text by itself. */
export const NEAR_TEXTS_BYTES = 64 * 1024;
