import { keccak_256 } from "@noble/hashes/sha3.js";
import { HEADERS_PER_NODE, parseHeaders } from "../../src/consensus/chain-anchor.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { decodeBlock } from "../../src/dag/block.ts";
import { decodeRlp } from "../ethereum/rlp.ts";
import { blockHashes } from "./chain-check.ts";
import type { Receipt } from "./contents.ts";
import { refuse } from "./verdict.ts";

/** Fields of a header that are read here (yellow paper, 4.3); all others are only hashed. */
const FIELD = { parent: 0, number: 8 } as const;

/**
 * Checks the headers of Ethereum's blocks that a receipt shows: there is one for each block hash of its input, which is its
 * Keccak-256; it has the block's number; and its parent is the block before, of the first one the trusted block where that is its
 * parent. Throws `CHAIN_MISMATCH`.
 */
export function checkHeaders(receipt: Receipt): void {
  for (const name of Object.keys(receipt.root.headers ?? {})) {
    const where = `headers/${name}`;
    const anchor = receipt.anchors.get(name);
    if (anchor?.kind !== "ethereum") return refuse("CHAIN_MISMATCH", where, "there is no such input of Ethereum");
    const hashes = blockHashes(anchor, receipt.blocks);
    const headers = headersOf(receipt, name);
    if (headers.length !== hashes.length)
      refuse("CHAIN_MISMATCH", where, `it has ${headers.length} headers of ${hashes.length} blocks`);
    const known = receipt.config.anchored?.[name];
    // The trusted block may be the parent of the first.
    let before = known !== undefined && known.block === anchor.from - 1 ? known.hash : undefined;
    for (const [i, header] of headers.entries()) {
      const [number, hash] = [anchor.from + i, hashes[i] as Uint8Array];
      if (!equalBytes(keccak_256(header), hash))
        refuse("CHAIN_MISMATCH", where, `the header of block ${number} does not hash to the block's hash`);
      const said = linkOf(header);
      if (said?.number !== BigInt(number))
        refuse("CHAIN_MISMATCH", where, `the header of block ${number} is none, or of another block`);
      if (before !== undefined && !equalBytes(said.parent, before))
        refuse("CHAIN_MISMATCH", where, `block ${number} is no child of the block before it`);
      before = hash;
    }
  }
}

/** Headers of a chain input in order, from the nodes that the root links; none where it links none. */
export function headersOf({ root, blocks }: Receipt, input: string): readonly Uint8Array[] {
  const nodes = (root.headers?.[input] ?? []).map((cid) => {
    const block = blocks.get(cid.toString());
    if (block === undefined) return refuse("CAR_LINK_MISSING", cid.toString(), "a list of headers is missing");
    return parseHeaders(decodeBlock(block)).headers;
  });
  if (nodes.slice(0, -1).some(({ length }) => length !== HEADERS_PER_NODE))
    refuse("CHAIN_MISMATCH", `headers/${input}`, "its headers are cut otherwise than they should be");
  return nodes.flat();
}

/** What a header says of its place in the chain. */
export function linkOf(header: Uint8Array): { readonly parent: Uint8Array; readonly number: bigint } | undefined {
  const fields = decodeRlp(header);
  if (fields === undefined || fields instanceof Uint8Array) return undefined;
  const [parent, number] = [fields[FIELD.parent], fields[FIELD.number]];
  if (!(parent instanceof Uint8Array) || !(number instanceof Uint8Array)) return undefined;
  return { parent, number: number.length === 0 ? 0n : BigInt(`0x${toHex(number)}`) };
}
