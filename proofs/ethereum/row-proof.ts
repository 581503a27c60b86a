import { keccak_256 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import type { Batch } from "../../src/batch/batch.ts";
import { valueAt } from "../../src/batch/column.ts";
import { findField } from "../../src/batch/schema.ts";
import { bytes32, count, name, parseNode } from "../../src/consensus/ipld-schema.ts";
import type { Anchor } from "../../src/consensus/result.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { leafHash, verifyInclusion } from "../merkle/tree.ts";
import { refuse } from "../receipt/verdict.ts";
import { decodeRlp, type Rlp } from "./rlp.ts";
import { listItemOf, TRIE_NODES_MAX } from "./trie.ts";

/** Most bytes of one node: the last holds the whole transaction or receipt. */
const NODE_BYTES_MAX = 4 * 1024 * 1024;
/** Fields of a header that are read here; later ones are only hashed. */
const FIELD = { transactionsRoot: 4, receiptsRoot: 5, number: 8, timestamp: 11 } as const;
/** Keccak-256 of `Transfer(address,address,uint256)`, with three topics the transfer of an ERC-20 token. */
const TRANSFER = "ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const MICROS = 1_000_000n;

const node = z.custom<Uint8Array>((value) => value instanceof Uint8Array && value.length <= NODE_BYTES_MAX, "bytes");
const nodes = z.array(node).min(1).max(TRIE_NODES_MAX);

const proofSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("ethereum-row"),
  /** Name of the chain input. */
  input: name,
  /** RLP of the block's header. */
  header: node,
  /** Position of the block's hash in the input's list, and the RFC 6962 path from it to the list's root. */
  block: z.strictObject({ index: count, path: z.array(bytes32).max(53) }),
  /** Position of the transaction, and of its receipt, in the block. */
  index: count,
  /** Nodes of the two Merkle-Patricia tries, from their roots. */
  transaction: nodes,
  receipt: nodes,
  /** Position of the log in the receipt; null for a row of no log. */
  log: count.nullable(),
});

/** The way from a transaction, its receipt and a log of it to the block's hash, and from that to what a chain input is. */
export type EthereumRowProof = z.infer<typeof proofSchema>;

/** Reads a proof's node. Throws `NODE_MALFORMED`. */
export function parseEthereumRowProof(value: unknown): EthereumRowProof {
  return parseNode(proofSchema, "proof of a row's receipt", value);
}

/** What a chain itself says of a row. */
export interface ShownReceipt {
  readonly input: string;
  readonly number: bigint;
  readonly blockHash: Uint8Array;
  readonly transactionHash: Uint8Array;
  /** Positions of the transaction in the block, and of the log in its receipt. */
  readonly index: number;
  readonly log: number | null;
  /** Nodes of the receipt's path. */
  readonly nodes: number;
  /** Columns of the row that the chain gives. */
  readonly proved: readonly string[];
  /** Its other columns: what they are is the quorum's word. */
  readonly attested: readonly string[];
}

/** Checks a proof against the input's anchor and the row. Throws `ROW_CHAIN_MISMATCH`. */
export function checkEthereumRow(
  hash: Hash,
  proof: EthereumRowProof,
  anchor: Anchor | undefined,
  row: Batch,
): ShownReceipt {
  const where = `chain/${proof.input}`;
  if (anchor?.kind !== "ethereum" || anchor.root === null || anchor.blocks === null)
    return refuse("ROW_CHAIN_MISMATCH", where, "the result has no such input of Ethereum");
  const blockHash = keccak_256(proof.header);
  const { index: at, path } = proof.block;
  const leaf = leafHash(hash, blockHash);
  if (!verifyInclusion(hash, { leaf, index: at, size: anchor.blocks, path, root: anchor.root }))
    refuse("ROW_CHAIN_MISMATCH", where, "the block's hash is not one of those that the input is");
  const header = listOf(decodeRlp(proof.header), where);
  const field = (place: number): Uint8Array => bytesOf(header[place], where);
  const transaction = listItemOf(field(FIELD.transactionsRoot), proof.index, proof.transaction);
  const receipt = listItemOf(field(FIELD.receiptsRoot), proof.index, proof.receipt);
  if (transaction === undefined || receipt === undefined)
    return refuse(
      "ROW_CHAIN_MISMATCH",
      where,
      "the nodes do not lead from the header to the transaction and its receipt",
    );
  const number = numberOf(field(FIELD.number));
  const transactionHash = keccak_256(transaction);
  const known = new Map<string, unknown>([
    ["block", number],
    ["timestamp", numberOf(field(FIELD.timestamp))],
    ["tx", transactionHash],
    ...(proof.log === null ? [] : logColumns(logOf(receipt, proof.log, where))),
  ]);
  const proved: string[] = [];
  for (const [column, value] of known) {
    const said = findField(row.schema, column) === undefined ? undefined : valueAt(row.column(column), 0);
    if (said === undefined) continue;
    if (!isSaid(said, value, column === "timestamp" && row.column(column).field.type === "timestamp"))
      refuse("ROW_CHAIN_MISMATCH", `${where}/${column}`, `the row's ${column} is not what the chain has`);
    proved.push(column);
  }
  const attested = row.schema.fields.map((one) => one.name).filter((column) => !proved.includes(column));
  const { input, index, log } = proof;
  return { input, number, blockHash, transactionHash, index, log, nodes: proof.receipt.length, proved, attested };
}

interface Log {
  readonly address: Uint8Array;
  readonly topics: readonly Uint8Array[];
  readonly data: Uint8Array;
}

function logOf(receipt: Uint8Array, position: number, where: string): Log {
  // Behind a type's byte (EIP-2718) comes the list.
  const body = (receipt[0] ?? 0) < 0xc0 ? receipt.subarray(1) : receipt;
  const logs = listOf(listOf(decodeRlp(body), where)[3], where);
  const [address, topics, data] = listOf(logs[position], where);
  return {
    address: bytesOf(address, where),
    topics: listOf(topics, where).map((topic) => bytesOf(topic, where)),
    data: bytesOf(data, where),
  };
}

/** Columns that a log gives, by the names that tables have for them. */
function logColumns({ address, topics, data }: Log): (readonly [string, unknown])[] {
  const columns: [string, unknown][] = [
    ["token", address],
    ["address", address],
    ...topics.map((topic, i): [string, unknown] => [`topic${i}`, topic]),
    ["data", data],
  ];
  const [event, from, to] = topics;
  const isTransfer = topics.length === 3 && event !== undefined && toHex(event) === TRANSFER && data.length === 32;
  if (isTransfer && from !== undefined && to !== undefined)
    columns.push(["from", from.subarray(12)], ["to", to.subarray(12)], ["value", numberOf(data)]);
  return columns;
}

/** True when a row's value is what the chain has: numbers also as decimal text, bytes also as hexadecimal text. */
function isSaid(said: unknown, value: unknown, isMicros: boolean): boolean {
  if (value instanceof Uint8Array) {
    if (said instanceof Uint8Array) return equalBytes(said, value);
    return typeof said === "string" && said.toLowerCase() === `0x${toHex(value)}`;
  }
  const number = (value as bigint) * (isMicros ? MICROS : 1n);
  return typeof said === "string" ? said === String(number) : BigInt(said as number | bigint) === number;
}

function listOf(item: Rlp | undefined, where: string): readonly Rlp[] {
  if (item === undefined || item instanceof Uint8Array)
    return refuse("ROW_CHAIN_MISMATCH", where, "it is no RLP of its kind");
  return item;
}

function bytesOf(item: Rlp | undefined, where: string): Uint8Array {
  return item instanceof Uint8Array ? item : refuse("ROW_CHAIN_MISMATCH", where, "it is no RLP of its kind");
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${toHex(bytes)}`);
}
