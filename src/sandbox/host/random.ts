import { hash } from "node:crypto";

const LABEL = Buffer.from("ipdm/random/1");
const BLOCK_BYTES = 32;

/**
 * Bytes of the random stream of a row: SHA-256 of `ipdm/random/1`, the seed, the row as u64 and the block's number as u64 (both
 * little-endian), block after block from 0. The same wherever a batch begins.
 */
export function rowRandom(seed: Uint8Array, row: bigint, count: number): Uint8Array {
  const input = Buffer.alloc(LABEL.length + seed.length + 16);
  LABEL.copy(input);
  input.set(seed, LABEL.length);
  input.writeBigUInt64LE(BigInt.asUintN(64, row), LABEL.length + seed.length);
  const bytes = new Uint8Array(Math.ceil(count / BLOCK_BYTES) * BLOCK_BYTES);
  for (let at = 0, block = 0n; at < count; at += BLOCK_BYTES, block++) {
    input.writeBigUInt64LE(block, LABEL.length + seed.length + 8);
    bytes.set(hash("sha256", input, "buffer"), at);
  }
  return bytes.subarray(0, count);
}
