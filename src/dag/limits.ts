/** Largest block the runtime stores, sends or reads, in bytes: a batch is about 1 MiB, one oversized row may need more. */
export const BLOCK_SIZE_MAX = 8 * 1024 * 1024;
