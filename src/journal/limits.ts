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

/** A file of the write-ahead log takes no further record once it would hold more than this, unless it is empty. */
export const AHEAD_FILE_BYTES = 4 * 1024 * 1024;

/** Bytes that a file of the write-ahead log grows to at first. */
export const AHEAD_FIRST_BYTES = 64 * 1024;

/** Bytes of the write-ahead log that a store leaves behind when it is closed: what the next start reads again. */
export const AHEAD_LEFT_BYTES = 256 * 1024;

/** Bytes that are in the write-ahead log alone before they are brought into LevelDB, and beyond which commits wait for that. */
export const FEED_BYTES = 256 * 1024;
export const FEED_BYTES_MAX = 16 * 1024 * 1024;

/** Bytes of LevelDB's tables that are read whole before a store opens; the others are read while it is in use, with these pauses between two. */
export const TABLE_BYTES_CHECKED = 64 * 1024 * 1024;
export const SCRUB_PAUSE_MS = 20;

/** How often a store that the disk has no room for looks whether there is some, and how much there must be. */
export const ROOM_CHECK_MS = 1000;
export const ROOM_BYTES = 16 * 1024 * 1024;

/** Ends of journals kept in memory. */
export const TIPS_MAX = 50_000;

/** Most bytes, uncompressed, and entries of a sealed frame. */
export const FRAME_BYTES_MAX = 256 * 1024;
export const FRAME_ENTRIES_MAX = 1024;

/** Sealed frames kept unpacked in memory. */
export const FRAMES_UNPACKED_MAX = 8;

/** Segment files held open for reading. */
export const SEGMENT_READERS_MAX = 32;

/** Longest actor id and longest meta key, in UTF-8 bytes. */
export const NAME_BYTES_MAX = 512;

/** Largest meta value, in bytes. */
export const META_BYTES_MAX = 64 * 1024;

/** Most events in one entry. */
export const ENTRY_EVENTS_MAX = 1024;
