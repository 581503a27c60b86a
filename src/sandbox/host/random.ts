import { hash } from "node:crypto";

const LABEL = Buffer.from("ipdm/random/1");

/**
 * Bytes of the random stream of a row: SHA-256 of `ipdm/random/1`, the seed, the row as u64 and the block's number as u64 (both
 * little-endian), block after block from 0. The same wherever a batch begins.
 */
export function rowRandom(seed: Uint8Array, row: bigint, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  new RandomStream(seed, row).fill(bytes);
  return bytes;
}

/** The random stream of a row, read bit by bit: see {@link rowRandom}. */
export class RandomStream {
  private readonly input: Buffer;
  private block = new Uint8Array(0);
  private next = 0n;

  constructor(seed: Uint8Array, row: bigint) {
    this.input = Buffer.alloc(LABEL.length + seed.length + 16);
    LABEL.copy(this.input);
    this.input.set(seed, LABEL.length);
    this.input.writeBigUInt64LE(BigInt.asUintN(64, row), LABEL.length + seed.length);
  }

  /** Fills the target with the stream's next bytes. */
  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      if (this.block.length === 0) this.block = this.nextBlock();
      const part = this.block.subarray(0, target.length - at);
      target.set(part, at);
      at += part.length;
      this.block = this.block.subarray(part.length);
    }
  }

  private nextBlock(): Uint8Array<ArrayBuffer> {
    this.input.writeBigUInt64LE(this.next++, this.input.length - 8);
    return new Uint8Array(hash("sha256", this.input, "buffer"));
  }
}
