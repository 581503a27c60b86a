import type { CID } from "multiformats/cid";
import type { Hash } from "../../src/core/ports.ts";
import { leafHash, merkleRoot } from "./tree.ts";

/** RFC 6962 root over the CID bytes of blocks, in the order given: a seal's statements, a receipt's blocks. */
export function statementsRoot(hash: Hash, cids: readonly CID[]): Uint8Array {
  return merkleRoot(
    hash,
    cids.map((cid) => leafHash(hash, cid.bytes)),
  );
}
