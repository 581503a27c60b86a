import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";
import * as Digest from "multiformats/hashes/digest";
import { concat, equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, CODEC, decodeBlock, decodeStrict, linksOf } from "./block.ts";
import { decodeCbor } from "./cbor.ts";
import { BLOCK_SIZE_MAX, CAR_BLOCKS_MAX, CAR_SIZE_MAX } from "./limits.ts";
import { decodeVarint, encodeVarint } from "./varint.ts";

/** What a CAR file holds. The bytes of the blocks are views of the file's; their order is the file's. */
export interface Car {
  readonly root: CID;
  /** By `cid.toString()`. */
  readonly blocks: ReadonlyMap<string, Block>;
}

/** What {@link walk} found: every block once in depth-first order of links, and the links that lead outside. */
export interface Walk {
  readonly blocks: readonly Block[];
  readonly external: readonly CID[];
}

/** Longest header that is read at all, so that one with several roots can be named as such. */
const HEADER_BYTES_READ_MAX = 1024;
/** CIDv1 of a supported codec over sha2-256: version, codec (1 or 2 bytes), hash function, length, digest. */
const CID_BYTES_MAX = 37;
const CID_KINDS = Object.values(CODEC).map((code) => ({
  code,
  beginning: Uint8Array.of(1, ...encodeVarint(code), 0x12, 0x20),
}));
const DIGEST_BYTES = 32;

/**
 * Writes a CAR file, version 1 (https://ipld.io/specs/transport/car/carv1/), with one root. Blocks keep the order given.
 * Throws `CAR_DUPLICATE_BLOCK`, `CAR_LINK_MISSING` when the root is not among them, `CAR_MALFORMED` beyond the limits
 * `BLOCK_SIZE_MAX`, `CAR_BLOCKS_MAX`, `CAR_SIZE_MAX`. It does not hash the blocks.
 */
export function encodeCar(root: CID, blocks: Iterable<Block>): Uint8Array<ArrayBuffer> {
  const header = headerOf(root);
  const parts: Uint8Array[] = [encodeVarint(header.length), header];
  let sizeBytes = header.length + 1;
  const seen = new Set<string>();
  for (const { cid, bytes } of blocks) {
    const key = cid.toString();
    if (seen.has(key)) throw duplicate(key);
    seen.add(key);
    if (bytes.length > BLOCK_SIZE_MAX)
      throw malformed(key, `a block has ${bytes.length} bytes, more than ${BLOCK_SIZE_MAX}`);
    const length = encodeVarint(cid.bytes.length + bytes.length);
    sizeBytes += length.length + cid.bytes.length + bytes.length;
    checkTotals(sizeBytes, seen.size);
    parts.push(length, cid.bytes, bytes);
  }
  if (!seen.has(root.toString())) throw rootMissing(root);
  return concat(...parts);
}

/**
 * Reads a CAR file strictly: version 1, exactly one root which is there, minimal varints, canonical header, supported CIDs
 * in their one form, every block hashes to its CID, every dag-cbor and dag-json node is in canonical encoding, no block
 * twice, nothing after the last block. The order of blocks means nothing. Whether the blocks belong together says {@link walk}.
 * Throws `CAR_MALFORMED`, `CAR_ROOTS`, `CAR_TRAILING_BYTES`, `CAR_DUPLICATE_BLOCK`, `CAR_LINK_MISSING` (the root) and, for a
 * single block, `DAG_CID_MISMATCH`, `DAG_MALFORMED`, `DAG_UNSUPPORTED`. `where` is `byte <offset>` or a CID.
 */
export function readCar(hash: Hash, bytes: Uint8Array): Car {
  checkTotals(bytes.length, 0);
  const header = readHeader(bytes);
  const blocks = new Map<string, Block>();
  let at = header.end;
  while (at < bytes.length) {
    const section = readSection(bytes, at);
    const key = section.block.cid.toString();
    if (blocks.has(key)) throw duplicate(key, at);
    checkNode(hash, section.block, at);
    blocks.set(key, section.block);
    checkTotals(bytes.length, blocks.size);
    at = section.end;
  }
  if (!blocks.has(header.root.toString())) throw rootMissing(header.root);
  return { root: header.root, blocks };
}

/**
 * Follows every link from `root`. A link that leads to no block of `blocks` must be `external` (a batch, an input), else
 * `CAR_LINK_MISSING`; a block that no link leads to is `CAR_UNREFERENCED_BLOCK`. External blocks that are there are followed.
 */
export function walk(
  root: CID,
  blocks: ReadonlyMap<string, Block>,
  options: { readonly external: (cid: CID) => boolean },
): Walk {
  const reached = new Map<string, Block>();
  const external = new Map<string, CID>();
  // An explicit stack: a chain of journal entries is longer than the call stack.
  const open: { readonly cid: CID; readonly from: string }[] = [{ cid: root, from: "the root" }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const key = next.cid.toString();
    if (reached.has(key) || external.has(key)) continue;
    const block = blocks.get(key);
    if (block === undefined) {
      if (!options.external(next.cid)) throw linkMissing(key, next.from);
      external.set(key, next.cid);
      continue;
    }
    reached.set(key, block);
    const links = linksOf(decodeBlock(block));
    for (const cid of links.reverse()) open.push({ cid, from: key });
  }
  for (const key of blocks.keys()) if (!reached.has(key)) throw unreferenced(key);
  return { blocks: [...reached.values()], external: [...external.values()] };
}

function readHeader(bytes: Uint8Array): { readonly root: CID; readonly end: number } {
  const { value: length, end: start } = readVarint(bytes, 0);
  const end = start + length;
  if (length > HEADER_BYTES_READ_MAX) throw malformed("byte 0", `the header says it has ${length} bytes`);
  if (end > bytes.length) throw malformed("byte 0", "the file ends within its header");
  const header = bytes.subarray(start, end);
  let value: unknown;
  try {
    value = decodeCbor(header);
  } catch (cause) {
    throw malformed(`byte ${start}`, "the header is not dag-cbor", cause);
  }
  const root = rootOf(value, start);
  if (!equalBytes(headerOf(root), header)) throw malformed(`byte ${start}`, "the header is not in canonical encoding");
  return { root, end };
}

function rootOf(header: unknown, at: number): CID {
  if (
    typeof header !== "object" ||
    header === null ||
    !("version" in header) ||
    !("roots" in header) ||
    header.version !== 1
  ) {
    throw malformed(`byte ${at}`, "the header is not that of a CAR file, version 1");
  }
  const roots: readonly unknown[] = Array.isArray(header.roots) ? header.roots : [];
  const root = CID.asCID(roots[0]);
  if (roots.length === 1 && root !== null) return root;
  throw new IpdmError("CAR_ROOTS", `the file has ${roots.length} roots and must have exactly one`, {
    kind: "verification",
    where: `byte ${at}`,
  });
}

function readSection(bytes: Uint8Array, at: number): { readonly block: Block; readonly end: number } {
  if (!beginsSection(bytes, at)) throw trailing(bytes, at);
  const { value: length, end: start } = readVarint(bytes, at);
  const end = start + length;
  if (length > BLOCK_SIZE_MAX + CID_BYTES_MAX) throw malformed(`byte ${at}`, `a block says it has ${length} bytes`);
  if (end > bytes.length) throw malformed(`byte ${at}`, "the file ends within a block");
  const section = bytes.subarray(start, end);
  const kind = CID_KINDS.find(({ beginning }) => startsWith(section, beginning));
  const size = kind === undefined ? 0 : kind.beginning.length + DIGEST_BYTES;
  if (kind === undefined || section.length < size)
    throw malformed(`byte ${start}`, "a block does not begin with a CIDv1 of raw, dag-cbor or dag-json over sha2-256");
  const cid = CID.createV1(kind.code, Digest.create(0x12, section.slice(kind.beginning.length, size)));
  return { block: { cid, bytes: section.subarray(size) }, end };
}

/** False when what is left is padding or foreign bytes; true when it looks like a block, even a damaged or unfinished one. */
function beginsSection(bytes: Uint8Array, at: number): boolean {
  if (bytes[at] === 0) return false;
  let start = at;
  while ((bytes[start] ?? 0) >= 0x80) start++;
  start++;
  const left = bytes.subarray(start);
  if (left.length >= CID_BYTES_MAX) return true;
  return left.length > 0 && CID_KINDS.some(({ beginning }) => startsWith(left, beginning.subarray(0, left.length)));
}

function startsWith(bytes: Uint8Array, beginning: Uint8Array): boolean {
  return bytes.length >= beginning.length && equalBytes(bytes.subarray(0, beginning.length), beginning);
}

function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } {
  const varint = decodeVarint(bytes, at);
  if (varint === undefined) throw malformed(`byte ${at}`, "a length is not a varint in its shortest form");
  return varint;
}

function checkNode(hash: Hash, block: Block, at: number): void {
  try {
    decodeStrict(hash, block);
  } catch (cause) {
    if (cause instanceof IpdmError) throw cause;
    // A node nested so deeply that its canonical encoding cannot be made.
    throw malformed(block.cid.toString(), `the block at byte ${at} cannot be encoded again`, cause);
  }
}

function headerOf(root: CID): Uint8Array {
  return dagCbor.encode({ roots: [root], version: 1 });
}

function checkTotals(sizeBytes: number, count: number): void {
  if (sizeBytes > CAR_SIZE_MAX) throw malformed("byte 0", `the file has ${sizeBytes} bytes, more than ${CAR_SIZE_MAX}`);
  if (count > CAR_BLOCKS_MAX) throw malformed("byte 0", `the file has more than ${CAR_BLOCKS_MAX} blocks`);
}

function malformed(where: string, what: string, cause?: unknown): IpdmError {
  return new IpdmError("CAR_MALFORMED", `this is not a CAR file as it should be: ${what}`, {
    kind: "verification",
    where,
    cause,
  });
}

function trailing(bytes: Uint8Array, at: number): IpdmError {
  return new IpdmError("CAR_TRAILING_BYTES", `${bytes.length - at} bytes follow the last block and belong to none`, {
    kind: "verification",
    where: `byte ${at}`,
  });
}

function duplicate(key: string, at?: number): IpdmError {
  const place = at === undefined ? "" : `, again at byte ${at}`;
  return new IpdmError("CAR_DUPLICATE_BLOCK", `block ${key} is there twice${place}`, {
    kind: "verification",
    where: key,
  });
}

function rootMissing(root: CID): IpdmError {
  return linkMissing(root.toString(), "the file's header");
}

function linkMissing(key: string, from: string): IpdmError {
  return new IpdmError("CAR_LINK_MISSING", `${from} links to ${key}, which is not there`, {
    kind: "verification",
    where: key,
    facts: { from },
  });
}

function unreferenced(key: string): IpdmError {
  return new IpdmError("CAR_UNREFERENCED_BLOCK", `no link leads to block ${key}`, { kind: "verification", where: key });
}
