import { Buffer } from "node:buffer";
import { schemaOf } from "../../batch/schema.ts";
import type { BatchWriter } from "../../batch/writer.ts";
import { fromHex, toHex } from "../../core/bytes.ts";
import {
  elementsOf,
  isText,
  type KnownEnds,
  type Member,
  membersOf,
  plainText,
  type Slice,
} from "../chain/json-scan.ts";
import type { BlockHead, BlockPart, ChainFormat } from "../chain/kind.ts";
import { headerOf } from "./header.ts";

const OPEN_OBJECT = 0x7b;
const OPEN_LIST = 0x5b;
/** Replies and pairs of one list: an archive of that many blocks would be larger than a value may be. */
const LIST_MAX = 65_536;
/** How deep replies, lists and pairs may lie inside each other. */
const DEPTH_MAX = 4;

const SCHEMA = schemaOf([
  { name: "number", type: "u64", nullable: false },
  { name: "hash", type: "fixed", width: 32, nullable: false },
  { name: "parent", type: "fixed", width: 32, nullable: false },
  { name: "block", type: "utf8", nullable: false },
  { name: "receipts", type: "utf8", nullable: false },
]);

/**
 * Blocks of Ethereum as JSON-RPC gives them: the object of `eth_getBlockByNumber` with whole transactions, and the list of
 * `eth_getBlockReceipts`; as `{block, receipts}`, each by itself, inside the replies (`{jsonrpc, id, result}`), or in lists of these.
 */
export const ETHEREUM: ChainFormat = {
  kind: "ethereum",
  schema: SCHEMA,
  texts: ["block", "receipts"],
  scan: (bytes, value, _file, known) => scanValue(bytes, value, 0, known),
  chainOf,
  gap: (before, after) => (after.number === before.number + 1 ? undefined : { missing: before.number + 1 }),
  pushHead(writer: BatchWriter, head: BlockHead, parent: string): void {
    writer.at(0).push(BigInt(head.number));
    writer.at(1).push(hashBytes(head.hash) as Uint8Array);
    writer.at(2).push(hashBytes(parent) as Uint8Array);
  },
  hashBytes,
  hashText: (bytes) => `0x${toHex(bytes)}`,
};

function scanValue(
  bytes: Uint8Array,
  value: Slice,
  depth: number,
  known: KnownEnds | undefined,
): readonly BlockPart[] | string {
  if (depth > DEPTH_MAX) return "its lists and replies lie too deep inside each other";
  const first = bytes[value.from];
  if (first === OPEN_LIST) return scanList(bytes, value, depth);
  if (first !== OPEN_OBJECT) return "it is neither an object nor a list";
  const members = membersOf(bytes, value.from, value.to, known);
  if (members === undefined) return "it is not JSON";
  const block = only(bytes, members, "block");
  const receipts = only(bytes, members, "receipts");
  if (block === null || receipts === null) return "a key stands in it twice";
  if (block !== undefined && receipts !== undefined) return scanPair(bytes, block, receipts, known);
  const result = only(bytes, members, "result");
  if (result === null) return "result stands in it twice";
  if (result !== undefined)
    return isText(bytes, result, "null")
      ? "the reply is empty: the endpoint has no such block"
      : scanValue(bytes, result, depth + 1, known);
  if (only(bytes, members, "error") !== undefined) return "it is the error of an endpoint, not a block";
  const head = headOf(bytes, members);
  return typeof head === "string" ? head : [{ head, of: undefined, texts: [value, undefined] }];
}

function scanPair(
  bytes: Uint8Array,
  block: Slice,
  receipts: Slice,
  known: KnownEnds | undefined,
): readonly BlockPart[] | string {
  const [plainBlock, plainReceipts] = [unwrapped(bytes, block, known), unwrapped(bytes, receipts, known)];
  if (bytes[plainBlock.from] !== OPEN_OBJECT) return "block is not an object";
  if (bytes[plainReceipts.from] !== OPEN_LIST) return "receipts is not a list";
  const members = membersOf(bytes, plainBlock.from, plainBlock.to, known);
  if (members === undefined) return "block is not JSON";
  const head = headOf(bytes, members);
  return typeof head === "string" ? head : [{ head, of: undefined, texts: [plainBlock, plainReceipts] }];
}

/** A reply's result; any other value as it is. */
function unwrapped(bytes: Uint8Array, value: Slice, known: KnownEnds | undefined): Slice {
  if (bytes[value.from] !== OPEN_OBJECT) return value;
  return only(bytes, membersOf(bytes, value.from, value.to, known) ?? [], "result") ?? value;
}

/** A list is the receipts of a block, or a list of blocks, pairs or replies. */
function scanList(bytes: Uint8Array, value: Slice, depth: number): readonly BlockPart[] | string {
  const [first] = elementsOf(bytes, value.from, value.to, 1) ?? [];
  if (first === undefined) return [{ head: undefined, of: undefined, texts: [undefined, value] }];
  const members = bytes[first.from] === OPEN_OBJECT ? (membersOf(bytes, first.from, first.to) ?? []) : [];
  const isReceipt =
    only(bytes, members, "transactionHash") !== undefined && only(bytes, members, "parentHash") === undefined;
  if (isReceipt) {
    const of = only(bytes, members, "blockHash");
    const text = of === undefined || of === null ? undefined : plainText(bytes, of)?.toLowerCase();
    return [{ head: undefined, of: text, texts: [undefined, value] }];
  }
  const elements = elementsOf(bytes, value.from, value.to, LIST_MAX);
  if (elements === undefined) return "it is not JSON";
  const parts: BlockPart[] = [];
  for (const element of elements) {
    const found = scanValue(bytes, element, depth + 1, undefined);
    if (typeof found === "string") return found;
    parts.push(...found);
  }
  return parts;
}

function headOf(bytes: Uint8Array, members: readonly Member[]): BlockHead | string {
  const text = (name: string): string | undefined => {
    const slice = only(bytes, members, name);
    return slice === undefined || slice === null ? undefined : plainText(bytes, slice)?.toLowerCase();
  };
  const number = text("number");
  const hash = text("hash");
  const parent = text("parentHash");
  if (number === undefined || !/^0x(0|[1-9a-f][0-9a-f]{0,15})$/.test(number) || !Number.isSafeInteger(Number(number)))
    return "its number is not a hexadecimal number such as 0x10dde5e below 2^53";
  if (hash === undefined || hashBytes(hash) === undefined) return "its hash is not 32 bytes in hexadecimal";
  if (parent === undefined || hashBytes(parent) === undefined) return "its parentHash is not 32 bytes in hexadecimal";
  const header = headerOf(bytes, members, hash);
  const head = { number: Number(number), hash, parent, parentNumber: Number(number) - 1 };
  return header === undefined ? head : { ...head, header };
}

/** The value of a member; `null` where the name stands there twice. */
function only(bytes: Uint8Array, members: readonly Member[], name: string): Slice | undefined | null {
  let found: Slice | undefined;
  for (const member of members) {
    if (!isText(bytes, member.name, name)) continue;
    if (found !== undefined) return null;
    found = member.value;
  }
  return found;
}

const CHAIN_ID = new TextEncoder().encode('"chainId":');

/** The chain id of the first transaction that has one: those before EIP-155 and of no type have none. */
function chainOf(bytes: Uint8Array, { from, to }: Slice): string | undefined {
  const text = bytes.subarray(from, to);
  const at = indexOf(text, CHAIN_ID);
  if (at < 0) return undefined;
  const id = /^\s*"0x([0-9a-f]{1,13})"/i.exec(
    String.fromCharCode(...text.subarray(at + CHAIN_ID.length, at + CHAIN_ID.length + 32)),
  );
  return id === null ? undefined : String(Number(`0x${id[1]}`));
}

function indexOf(bytes: Uint8Array, needle: Uint8Array): number {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(needle);
}

function hashBytes(text: string): Uint8Array | undefined {
  if (text.length !== 66 || !text.startsWith("0x")) return undefined;
  return fromHex(text.slice(2).toLowerCase());
}
