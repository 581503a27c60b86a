/** Blocks larger than this, and raw blocks of any size, live in segment files instead of LevelDB. */
export const INLINE_BLOCK_BYTES_MAX = 64 * 1024;

/** A segment file takes no further frame once it holds this many bytes. */
export const SEGMENT_BYTES = 64 * 1024 * 1024;

/** Most bytes and most operations that one group commit makes durable together. */
export const GROUP_BYTES_MAX = 8 * 1024 * 1024;
export const GROUP_OPERATIONS_MAX = 4096;

/** Most bytes and operations that wait for a group commit; a writer beyond that waits for room before it is queued. */
export const QUEUE_BYTES_MAX = 32 * 1024 * 1024;
export const QUEUE_OPERATIONS_MAX = 16_384;

/** Group commits whose records stay in LevelDB; older records are deleted by the commits that follow. */
export const COMMIT_RECORDS_KEPT = 16_384;

/** Segment files held open for reading. */
export const SEGMENT_READERS_MAX = 32;

/** Longest actor id and longest meta key, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 512;

/** Largest meta value, in bytes. */
export const META_BYTES_MAX = 64 * 1024;

/** Most events in one entry. */
export const ENTRY_EVENTS_MAX = 1024;
