import type { CID } from "multiformats/cid";
import { compareBytes } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash, Signer } from "../../src/core/ports.ts";
import { type Block, CODEC, decodeBlock, jsonBlock, linksOf } from "../../src/dag/block.ts";
import { encodeCar } from "../../src/dag/car.ts";
import { statementsRoot } from "../merkle/statements.ts";
import { type ReceiptBody, signRoot } from "./root.ts";

/** A receipt as a file's bytes, and the CID of its root. */
export interface BuiltReceipt {
  readonly bytes: Uint8Array;
  readonly root: CID;
  readonly blocks: number;
}

/**
 * Collects everything that a root links, except batches and other raw blocks that are no modules, signs it as the submitter,
 * and writes it as a CAR, the root first, the others in CID order: the same root gives the same bytes. Throws `NEEDS_DATA` when `read` does not have a block.
 */
export async function buildReceipt(
  hash: Hash,
  contents: Omit<ReceiptBody, "v" | "blocks">,
  read: (cid: CID) => Promise<Uint8Array | undefined>,
  signer: Signer,
): Promise<BuiltReceipt> {
  const modules = new Set(contents.modules.map(String));
  const blocks = new Map<string, Block>();
  const open: CID[] = linksOf(contents);
  for (let cid = open.pop(); cid !== undefined; cid = open.pop()) {
    const key = cid.toString();
    if (blocks.has(key) || isExternal(cid, modules)) continue;
    const bytes = await read(cid);
    if (bytes === undefined)
      throw new IpdmError("NEEDS_DATA", `block ${key} of the receipt is not in the store`, {
        kind: "unreachable",
        where: key,
      });
    const block = { cid, bytes };
    blocks.set(key, block);
    if (cid.code !== CODEC.raw) open.push(...linksOf(decodeBlock(block)));
  }
  const ordered = inCidOrder(blocks.values());
  const body: ReceiptBody = {
    v: 1,
    ...contents,
    blocks: {
      count: ordered.length,
      merkleRoot: statementsRoot(
        hash,
        ordered.map(({ cid }) => cid),
      ),
    },
  };
  const rootBlock = jsonBlock(hash, signRoot(body, signer));
  return { bytes: encodeCar(rootBlock.cid, [rootBlock, ...ordered]), root: rootBlock.cid, blocks: ordered.length };
}

/** Blocks in the byte order of their CIDs: the order in which a receipt counts and holds them. */
export function inCidOrder(blocks: Iterable<Block>): Block[] {
  return [...blocks].sort((a, b) => compareBytes(a.cid.bytes, b.cid.bytes));
}

/** Batches and operator states stay outside a receipt; modules are in it. */
export function isExternal(cid: CID, modules: ReadonlySet<string>): boolean {
  return cid.code === CODEC.raw && !modules.has(cid.toString());
}
