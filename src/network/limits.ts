/** Largest gossip message, in bytes: a message travels many links and is signed whole. */
export const GOSSIP_SIZE_MAX_BYTES = 16 * 1024;
/** Messages waiting to be gossiped; a publisher beyond it gets `GOSSIP_QUEUE_FULL`. */
export const GOSSIP_QUEUE_MAX = 1024;
/** Unsent bytes towards one gossip peer at which publishing waits for it. */
export const GOSSIP_BACKLOG_BYTES = 256 * 1024;
/** How long publishing waits for one slow gossip peer before it goes on without it, in milliseconds. */
export const GOSSIP_BACKLOG_WAIT_MS = 1_000;
/** Longest topic or protocol name, in UTF-16 units. */
export const NAME_LENGTH_MAX = 200;

/** Largest request, in bytes. */
export const REQUEST_SIZE_MAX_BYTES = 1024 * 1024;
/** Largest response, in bytes, below what one stream may buffer. */
export const RESPONSE_SIZE_MAX_BYTES = 3 * 1024 * 1024;
/** How long a request waits for its answer unless told otherwise, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Streams of one protocol that one connection may have open in each direction. */
export const STREAMS_PER_PROTOCOL_MAX = 128;

/** Payload bytes of one frame of the block protocol. */
export const BLOCK_FRAME_BYTES = 64 * 1024;
/** Frames of the block protocol under way to a reader: 2 MiB, half of what a libp2p stream buffers before it resets. */
export const BLOCK_WINDOW_FRAMES = 32;
/** CIDs in one want frame. */
export const BLOCK_WANT_MAX = 128;
/** Longest CID that a want may hold, in bytes. */
export const CID_SIZE_MAX_BYTES = 128;
/** CIDs that one stream of the block protocol may have asked for and not yet got. */
export const BLOCK_WANT_PENDING_MAX = 2 * BLOCK_WANT_MAX;
/** Silence on a block stream after which it is given up, in milliseconds, on either side. */
export const BLOCK_TIMEOUT_MS = 60_000;
/** Missing CIDs that an error names. */
export const MISSING_NAMED_MAX = 16;

/** How long closing waits for streams and connections to end by themselves, in milliseconds. */
export const CLOSE_TIMEOUT_MS = 1_000;
