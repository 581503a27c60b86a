/**
 * Layout of a batch block. Everything is little-endian; every buffer starts at a multiple of 64 bytes from the block's
 * start, so a block can be mapped at any 64-byte aligned address and means the same in a store, on a wire and in the
 * linear memory of a WASM module. docs/reference/batch.md specifies it.
 *
 *   0  header (64 bytes)      64  one 64-byte descriptor a column      then  names, then buffers
 */
export const MAGIC = 0x42445049; // "IPDB"
export const VERSION = 1;
export const ALIGNMENT = 64;
export const HEADER_BYTES = 64;
export const DESCRIPTOR_BYTES = 64;

/** Byte offsets inside the header. All fields are u32. */
export const HEADER = {
  magic: 0,
  version: 4,
  length: 8,
  rows: 12,
  columns: 16,
  namesOffset: 20,
  namesLength: 24,
} as const;

/**
 * Byte offsets inside a column's descriptor. All fields are u32; offsets count from the start of the block; a buffer that
 * a column does not have has offset 0 and length 0. `data` holds the values (bits for `bool`, indices for `dict`, bytes for
 * `utf8` and `binary`); `offsets` holds rows + 1 (for `dict`: entries + 1) i32; `extra` holds the bytes of a dictionary.
 */
export const DESCRIPTOR = {
  nameOffset: 0,
  nameLength: 4,
  type: 8,
  width: 12,
  flags: 16,
  nulls: 20,
  validityOffset: 24,
  validityLength: 28,
  dataOffset: 32,
  dataLength: 36,
  offsetsOffset: 40,
  offsetsLength: 44,
  extraOffset: 48,
  extraLength: 52,
  entries: 56,
} as const;

/** Bit of `flags`: the column may hold nulls. */
export const FLAG_NULLABLE = 1;

/** The next multiple of 64. */
export function align(offset: number): number {
  return (offset + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}
