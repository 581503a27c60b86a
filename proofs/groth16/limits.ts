/** Proofs that may wait for a prover process; more are refused with `PROVER_QUEUE_FULL`. */
export const PROVER_QUEUE_MAX = 1024;

/** Longest time for one proof in a prover process, its start included. A quiet core takes about 1 s. */
export const PROVER_TIMEOUT_MS = 120_000;

/** How often a proof is tried: a prover process that dies is replaced once. */
export const PROVER_ATTEMPTS_MAX = 2;

/** Last part of what a prover process wrote to stderr that an error carries. */
export const PROVER_STDERR_LENGTH_MAX = 2000;

/** Most chunks of one window that are verified: 131,072 rows. */
export const WINDOW_CHUNKS_MAX = 1024;
