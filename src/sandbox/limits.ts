/** Entries of any one section, so that a few bytes cannot ask for a long loop. */
export const SECTION_ITEMS_MAX = 100_000;
/** Elements of a module's table; a larger or missing maximum is lowered to it. */
export const TABLE_ELEMENTS_MAX = 10_000;
/** Bytes of a page of linear memory (WebAssembly 2.0, section 4.2.8), and how many a 32-bit memory can have. */
export const PAGE_BYTES = 65_536;
export const PAGES_MAX = 65_536;
/** Pages that one list in the tree of a saved memory links: 4 MiB. */
export const STATE_NODE_PAGES = 64;
/**
 * Calls handed to a worker at once, and bytes of their batches beyond which no third is added: enough that it never waits for the main
 * thread, few enough to redo after a fault.
 */
export const IN_FLIGHT_MAX = 16;
export const IN_FLIGHT_BYTES_MAX = 8 * 1024 * 1024;
/** Batches up to this size are copied into the message: moving a buffer to another thread costs more. */
export const MESSAGE_BYTES_MAX = 4096;
/** Calls that may wait for a lane, and calls of a module that may wait for a pool of lanes. */
export const QUEUE_MAX = 4096;
/** Fresh workers in a row that may fail to start before a lane gives up. */
export const STARTS_MAX = 3;
/** Times a call is tried again after a fault of the node. */
export const FAULT_RETRIES = 1;
/** Stack of a lane's thread. It holds {@link STACK_VALUES_DEFAULT} many times over, so that a module's own limit is met first. */
export const STACK_MEBIBYTES = 16;
/** Values of 8 bytes that a module's calls may keep on the stack: 1 MiB. */
export const STACK_VALUES_DEFAULT = 131_072;
/** Lines that a call may write to the log, and characters of one. */
export const LOG_LINES_MAX = 100;
export const LOG_CHARACTERS_MAX = 1000;
/** Characters of a module's own words that an error repeats. */
export const MESSAGE_CHARACTERS_MAX = 200;
/** What the code of a module's own error looks like, and characters of its message. */
export const FAIL_CODE = /^[A-Z][A-Z0-9_]{2,63}$/;
export const FAIL_MESSAGE_CHARACTERS_MAX = 1000;
/** Output a call may return: this many bytes an input byte, and the constant beside it; a module's own limit may be lower. */
export const OUTPUT_PER_INPUT_BYTE = 16;
export const OUTPUT_BYTES_BASE = 1024 * 1024;
/** Pairs of input and output schema that a module's handle remembers. */
export const SCHEMAS_MAX = 64;
/** Memory that an instance may begin with to be used again: looking through more takes longer than a fresh instance (8 MiB). */
export const REUSE_PAGES_MAX = 128;
/** Instances that a thread keeps for their next call, each of a module of its own; it bounds the memory that they hold. */
export const KEPT_INSTANCES_MAX = 8;
/** Lanes of a pool. */
export const LANES_MAX = 64;
/** A call that takes longer than this many milliseconds is a long one. */
export const SLOW_MS = 100;
/** Milliseconds of short calls that a lane is given at a time: the less, the more evenly lanes come to the end of their work. */
export const SLICE_MS = 8;
/** A module counts as at work for so many milliseconds after its last call. */
export const ACTIVE_MS = 1000;
