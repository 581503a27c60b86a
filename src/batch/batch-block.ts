import type { Hash } from "../core/ports.ts";
import { type Block, CODEC, cidOfDigest, rawBlock } from "../dag/block.ts";
import type { Batch } from "./batch.ts";

/** A batch as the block that is stored and named by its CID; one that comes with its digest is not hashed again. */
export function batchBlock(hash: Hash, { bytes, digest }: Batch): Block {
  return digest === undefined ? rawBlock(hash, bytes) : { cid: cidOfDigest(CODEC.raw, digest), bytes };
}
