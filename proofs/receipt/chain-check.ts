import { type ChainAnchor, HASHES_PER_NODE, parseHashes } from "../../src/consensus/chain-anchor.ts";
import { isChainAnchor } from "../../src/consensus/result.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { type Block, decodeBlock } from "../../src/dag/block.ts";
import { leafHash, merkleRoot } from "../merkle/tree.ts";
import type { Receipt } from "./contents.ts";
import { refuse } from "./verdict.ts";

/** Block hashes of a chain input, in order, from the nodes that its anchor links. */
export function blockHashes(anchor: ChainAnchor, blocks: ReadonlyMap<string, Block>): readonly Uint8Array[] {
  return anchor.hashes.flatMap((cid) => {
    const block = blocks.get(cid.toString());
    if (block === undefined) return refuse("CAR_LINK_MISSING", cid.toString(), "a list of block hashes is missing");
    const { hashes } = parseHashes(decodeBlock(block));
    return Array.from({ length: hashes.length / 32 }, (_, i) => hashes.subarray(32 * i, 32 * (i + 1)));
  });
}

/**
 * Checks the anchors of chain inputs: the hashes listed are those of the root, one for each row that the seal counts, and a hash that
 * is said to be trusted is that of the block that it is said to be of. Throws `CHAIN_MISMATCH`.
 */
export function checkChains({ anchors, blocks, seal, config }: Receipt, hash: Hash): void {
  for (const name of Object.keys(config.anchored ?? {})) {
    const anchor = anchors.get(name);
    if (anchor === undefined || !isChainAnchor(anchor))
      refuse("CHAIN_MISMATCH", `config/anchored/${name}`, "it is no chain");
  }
  for (const [name, anchor] of anchors) {
    if (!isChainAnchor(anchor)) continue;
    const where = `inputs/${name}`;
    const hashes = blockHashes(anchor, blocks);
    const rows = seal.statement.inputs[name]?.rows;
    if (anchor.to === null || anchor.blocks !== hashes.length || rows !== hashes.length)
      refuse("CHAIN_MISMATCH", where, `it lists ${hashes.length} blocks, says ${anchor.blocks} and has ${rows} rows`);
    if (anchor.hashes.length !== Math.ceil(hashes.length / HASHES_PER_NODE))
      refuse("CHAIN_MISMATCH", where, "its list of block hashes is cut otherwise than it should be");
    const root = merkleRoot(
      hash,
      hashes.map((each) => leafHash(hash, each)),
    );
    if (anchor.root === null || !equalBytes(anchor.root, root))
      refuse("CHAIN_MISMATCH", where, "the block hashes are not those of its Merkle root");
    checkAnchored(name, anchor, hashes, config);
  }
}

/** Only Ethereum's numbers have no gaps, so that a block's place in the list follows from its number. */
function checkAnchored(
  name: string,
  { kind, from, to }: ChainAnchor,
  hashes: readonly Uint8Array[],
  { anchored }: Receipt["config"],
): void {
  const trusted = anchored?.[name];
  if (trusted === undefined) return;
  const where = `config/anchored/${name}`;
  const { block, hash } = trusted;
  if (block + 1 < from || block > (to ?? from)) refuse("CHAIN_MISMATCH", where, `block ${block} is not of this input`);
  if (block < from) return; // the parent of the first block: that block's header has its hash, where the receipt shows it
  const found = kind === "ethereum" ? hashes[block - from] : hashes.find((each) => equalBytes(each, hash));
  if (found === undefined || !equalBytes(found, hash))
    refuse("CHAIN_MISMATCH", where, `block ${block} has another hash than the one that is said to be trusted`);
}
