/**
 * Bytes of the groups (a key in an open window) that one window operator holds, as its state counts them: of each group its
 * key's canonical bytes, 8, and 8 for each number kept. It is there to bound memory: an operator takes about six times as
 * much, and twice that while all of it leaves in one table. Beyond it `WINDOW_STATE_FULL` is thrown.
 */
export const STATE_BYTES_MAX = 256 * 1024 * 1024;
/** Bytes, counted as for {@link STATE_BYTES_MAX}, that a chunk of a state holds at least (but for the last) and at most (but for one group). */
export const CHUNK_BYTES_MIN = 128 * 1024;
export const CHUNK_BYTES_MAX = 1024 * 1024;
/** Bytes beyond the least after which a chunk ends on average. */
export const CHUNK_BYTES_MORE = 128 * 1024;
/** Distinct keys that are known at a time; ids stay below it so that two of them fit one safe integer. */
export const KEYS_MAX = 2 ** 26;
/** Keys that may be remembered without being in an open window before the key table is rebuilt. */
export const KEYS_IDLE_MAX = 2 ** 16;
/** Such keys, and their bytes, after which it is rebuilt however many are in open windows. */
export const KEYS_IDLE_ANYWAY = 2 ** 22;
export const KEYS_IDLE_BYTES_MAX = 256 * 1024 * 1024;
/** Rows decided in one go: bounds scratch memory and keeps it in the processor's cache. */
export const CHUNK_ROWS = 4096;
/** Rows of a window operator after which kernels in WebAssembly work for it: a memory for them takes a millisecond or two. */
export const KERNELS_AFTER_ROWS = 4096;
/** Values that one drawn window may collect for a proof; beyond it `WINDOW_ROWS_LIMIT` is thrown. */
export const WINDOW_VALUES_MAX = 2 ** 22;
/** Batches a source may have under way when nobody says otherwise. */
export const CREDITS_DEFAULT = 16;
/** Batches that `mapBatch` works on at a time when nobody says otherwise. */
export const CONCURRENCY_DEFAULT = 1;
/** Batches after which a source lets the event loop turn. */
export const TURN_BATCHES = 32;
/** What a source is called that has no name. */
export const SOURCE_NAME_DEFAULT = "input";
/** Rows that one operator keeps (a join's side, a `topN`); beyond it `STREAM_STATE_FULL` is thrown. */
export const KEPT_ROWS_MAX = 2 ** 24;
/** Values that one group of `collect`, `topK` or `distinct` keeps; beyond it `AGGREGATE_LIMIT` is thrown. */
export const COLLECTED_MAX = 65_536;
/** Panes that a `hop` or `cumulate` window is made of. */
export const PANES_MAX = 4096;
