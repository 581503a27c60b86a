import { CID } from "multiformats/cid";
import { z } from "zod";
import { bytes32, count, link, name, parseNode } from "../../src/consensus/ipld-schema.ts";
import type { Hash } from "../../src/core/ports.ts";
import { type Block, cborBlock, decodeBlock, jsonBlock } from "../../src/dag/block.ts";
import { encodeCar, readCar } from "../../src/dag/car.ts";
import type { EthereumRowProof } from "../ethereum/row-proof.ts";
import { inCidOrder } from "../receipt/build.ts";
import type { Receipt } from "../receipt/contents.ts";
import { refuse } from "../receipt/verdict.ts";

/** Most bytes of a row that can be saved: in dag-json it takes four thirds of them. */
export const ROW_BYTES_MAX = 16 * 1024 * 1024;
/** Most bytes of a row's file. */
export const ROW_FILE_BYTES_MAX = 2 * ROW_BYTES_MAX;

const rowBytes = z.custom<Uint8Array>(
  (value) => value instanceof Uint8Array && value.length <= ROW_BYTES_MAX,
  `at most ${ROW_BYTES_MAX} bytes`,
);

const rootSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("row"),
  /** The table, by the name of its output. */
  output: name,
  /** Position of the row in the table. */
  row: count,
  /** The row: dag-cbor list of its values in schema order. */
  values: rowBytes,
  /** RFC 6962 path from the row to the table's root. */
  path: z.array(bytes32).max(53),
  result: link,
  /** The seal statement, and the certificate for it. */
  seal: z.strictObject({ statement: link, certificate: link }),
  membership: link,
  /** The way from the row's receipt to a block's hash, where the table follows from a chain; its input's anchor is there then. */
  chain: link.nullable(),
});

/** Root of a row's file: one row of a table, the way to the root of all its rows, and who vouches for that. */
export type RowRoot = z.infer<typeof rootSchema>;

/** A row of an output table and the way from it to the table's root. */
export interface PlacedLeaf {
  readonly output: string;
  readonly row: number;
  readonly values: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** A row's file, read: every block checked against its CID. What it claims is still to be checked. */
export interface RowFile {
  readonly rootCid: CID;
  readonly root: RowRoot;
  readonly blocks: ReadonlyMap<string, Block>;
}

/** Makes the file of a row of a verified receipt: the root first, then in CID order result, seal, its slot, certificate, membership, and the chain's proof with its anchor. Throws `NODE_MALFORMED` for a row of more than {@link ROW_BYTES_MAX} bytes. */
export function buildRowFile(hash: Hash, receipt: Receipt, leaf: PlacedLeaf, chain?: EthereumRowProof): Uint8Array {
  const { result, seal, membership } = receipt.root;
  const { output, row, values, path } = leaf;
  const proof = chain === undefined ? undefined : cborBlock(hash, chain);
  const links = { result, seal, membership, chain: proof?.cid ?? null };
  const root: RowRoot = { v: 1, kind: "row", output, row, values, path: [...path], ...links };
  const rootBlock = jsonBlock(hash, parseNode(rootSchema, "row", root));
  const own = [result, seal.statement, seal.certificate, membership, receipt.seal.slotCid];
  const anchor = chain === undefined ? undefined : receipt.result.inputs[chain.input];
  if (anchor !== undefined) own.push(anchor);
  const parts = own.map((cid) => receipt.blocks.get(cid.toString()) as Block);
  if (proof !== undefined) parts.push(proof);
  return encodeCar(rootBlock.cid, [rootBlock, ...inCidOrder(parts)]);
}

/** True when the bytes are a CAR file, whole and strict, whose root says that it is a row's. */
export function isRowFile(hash: Hash, bytes: Uint8Array): boolean {
  if (bytes.length > ROW_FILE_BYTES_MAX) return false;
  try {
    const { root, blocks } = readCar(hash, bytes);
    const node = decodeBlock(blocks.get(root.toString()) as Block) as { readonly kind?: unknown } | null;
    return node?.kind === "row";
  } catch {
    return false;
  }
}

/**
 * Reads a row's file, strictly: exactly the blocks that belong to it, in order. Throws `CAR_*`, `DAG_*`, `NODE_MALFORMED`,
 * `RECEIPT_SHAPE`, of kind `verification`.
 */
export function readRowFile(hash: Hash, bytes: Uint8Array): RowFile {
  const { root: rootCid, blocks } = readCar(hash, bytes);
  const node = decodeBlock(blocks.get(rootCid.toString()) as Block);
  const root = parseNode(rootSchema, "row", node);
  const wanted = [...linksOf(root), ...linkedParts(root, blocks)].map(String);
  const [first, ...rest] = [...blocks.values()];
  const inOrder = inCidOrder(rest);
  const isWhole = wanted.every((cid) => blocks.has(cid)) && blocks.size === new Set(wanted).size + 1;
  if (!isWhole || first?.cid.equals(rootCid) !== true || rest.some((block, i) => block !== inOrder[i]))
    refuse(
      "RECEIPT_SHAPE",
      "blocks",
      "a row's file holds its root, then result, seal, slot, certificate and membership",
    );
  return { rootCid, root, blocks };
}

function linksOf({ result, seal, membership, chain }: RowRoot): CID[] {
  return [result, seal.statement, seal.certificate, membership, ...(chain === null ? [] : [chain])];
}

/** Blocks that others of the file link: the seal's slot, and the anchor of the input that the chain's proof is about. */
function linkedParts({ seal, result, chain }: RowRoot, blocks: ReadonlyMap<string, Block>): CID[] {
  const slot = CID.asCID(nodeOf(blocks, seal.statement)["slot"]);
  const input = chain === null ? undefined : nodeOf(blocks, chain)["input"];
  const inputs = nodeOf(blocks, result)["inputs"];
  const anchor = typeof input === "string" ? CID.asCID((inputs as Node | undefined)?.[input]) : null;
  return [slot, anchor].filter((cid) => cid !== null);
}

type Node = Readonly<Record<string, unknown>>;

/** A node's keys; none where it is not there, or is something else. */
function nodeOf(blocks: ReadonlyMap<string, Block>, cid: CID): Node {
  const block = blocks.get(cid.toString());
  const node = block === undefined ? undefined : decodeBlock(block);
  return typeof node === "object" && node !== null ? (node as Node) : {};
}
