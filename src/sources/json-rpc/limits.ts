/** Calls of one request: endpoints refuse larger batches, and a reply of blocks has to fit {@link REPLY_BYTES_MAX}. */
export const BATCH_CALLS_MAX = 20;
/** Requests to one endpoint that are under way at once. */
export const REQUESTS_MAX = 4;
/** Bytes of one reply. */
export const REPLY_BYTES_MAX = 256 * 1024 * 1024;
/** Time for one request, from its first byte to the last one of the reply, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 60_000;
/** How often a request is made before it counts as failed. */
export const ATTEMPTS_MAX = 8;
/** Waiting before the second attempt, in milliseconds; it doubles with each one, up to {@link BACKOFF_MAX_MS}. */
export const BACKOFF_MS = 250;
export const BACKOFF_MAX_MS = 15_000;
/** The longest that an endpoint may ask to wait (`Retry-After`), in milliseconds. */
export const RETRY_AFTER_MAX_MS = 60_000;
/** Characters of an endpoint's own words that an error repeats. */
export const WORDS_MAX = 200;
