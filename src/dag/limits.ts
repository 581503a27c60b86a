/** Largest block the runtime stores, sends or reads, in bytes: a batch is about 1 MiB, one large row (a block of a chain as JSON) may need more. */
export const BLOCK_SIZE_MAX = 32 * 1024 * 1024;
/** Largest CAR file read or written, in bytes: it is held in memory. */
export const CAR_SIZE_MAX = 512 * 1024 * 1024;
/** Most blocks of a CAR file. */
export const CAR_BLOCKS_MAX = 1_000_000;
