import * as dagCbor from "@ipld/dag-cbor";
import * as dagJson from "@ipld/dag-json";
import { CID } from "multiformats/cid";
import * as raw from "multiformats/codecs/raw";
import * as Digest from "multiformats/hashes/digest";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { decodeCbor } from "./cbor.ts";
import { encodeCbor } from "./cbor-encoder.ts";
import { BLOCK_SIZE_MAX } from "./limits.ts";

/** Immutable bytes under their content identifier (CIDv1, sha2-256). */
export interface Block {
  readonly cid: CID;
  readonly bytes: Uint8Array;
}

/** Multicodec of a block: `raw` for batches and modules, `dag-cbor` for facts, `dag-json` for what people read. */
export const CODEC = { raw: raw.code, dagCbor: dagCbor.code, dagJson: dagJson.code } as const;

const SHA2_256 = 0x12;
const DIGEST_BYTES = 32;

/** What an IPLD node may hold (IPLD data model); links are {@link CID}s. */
export type Ipld =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | CID
  | readonly Ipld[]
  | { readonly [key: string]: Ipld };

/** The CID of bytes in a codec: CIDv1 over their SHA-256. */
export function cidOf(hash: Hash, code: number, bytes: Uint8Array): CID {
  return cidOfDigest(code, hash(bytes));
}

/** The CID in a codec of bytes whose SHA-256 is known. */
export function cidOfDigest(code: number, digest: Uint8Array): CID {
  if (code >= 0x80 || digest.length !== DIGEST_BYTES) return CID.createV1(code, Digest.create(SHA2_256, digest));
  // What the library would make of it, in one piece: version, codec, hash function, length, digest.
  const bytes = new Uint8Array(4 + DIGEST_BYTES);
  bytes[0] = 1;
  bytes[1] = code;
  bytes[2] = SHA2_256;
  bytes[3] = DIGEST_BYTES;
  bytes.set(digest, 4);
  const multihash = new Digest.Digest(SHA2_256, DIGEST_BYTES, bytes.subarray(4), bytes.subarray(2));
  return new CID(1, code, multihash, bytes);
}

/** Encodes a value as a dag-cbor block. Throws `DAG_NOT_ENCODABLE` on what IPLD cannot hold (undefined, NaN, class instances). */
export function cborBlock(hash: Hash, value: unknown): Block {
  return encoded(hash, DAG_CBOR, value);
}

/** Encodes a value as a dag-json block, for people. Throws `DAG_NOT_ENCODABLE`. */
export function jsonBlock(hash: Hash, value: unknown): Block {
  return encoded(hash, dagJson, value);
}

/** Wraps bytes as a raw block. */
export function rawBlock(hash: Hash, bytes: Uint8Array): Block {
  return { cid: cidOf(hash, CODEC.raw, bytes), bytes };
}

/** Decodes a dag-cbor or dag-json block; raw bytes come back as they are. Throws `DAG_MALFORMED`. It does not check the CID. */
export function decodeBlock(block: Block): unknown {
  const codec = codecOf(block.cid);
  if (codec === undefined) return block.bytes;
  try {
    return codec.decode(block.bytes);
  } catch (cause) {
    throw malformed(block.cid, "does not decode", cause);
  }
}

/**
 * Checks bytes that came from outside against their CID, and that a structured node is in its one canonical encoding,
 * then decodes it. Throws `DAG_MALFORMED` (bytes, encoding), `DAG_CID_MISMATCH` (hash) or `DAG_UNSUPPORTED` (CID kind).
 */
export function decodeStrict(hash: Hash, block: Block): unknown {
  checkBlock(hash, block);
  const codec = codecOf(block.cid);
  const value = decodeBlock(block);
  if (codec !== undefined && !equalBytes(codec.encode(value), block.bytes)) {
    throw malformed(block.cid, "is not in canonical encoding");
  }
  return value;
}

/** Checks size, kind of CID and hash of a block that came from outside. */
export function checkBlock(hash: Hash, block: Block): void {
  const { cid, bytes } = block;
  if (bytes.length > BLOCK_SIZE_MAX) throw malformed(cid, `has ${bytes.length} bytes, more than ${BLOCK_SIZE_MAX}`);
  const known = cid.code === CODEC.raw || cid.code === CODEC.dagCbor || cid.code === CODEC.dagJson;
  if (cid.version !== 1 || cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32 || !known) {
    throw new IpdmError(
      "DAG_UNSUPPORTED",
      `${cid.toString()} is not a CIDv1 of raw, dag-cbor or dag-json over sha2-256`,
      {
        kind: "verification",
        where: cid.toString(),
      },
    );
  }
  if (!equalBytes(hash(bytes), cid.multihash.digest)) {
    throw new IpdmError("DAG_CID_MISMATCH", `the bytes of ${cid.toString()} do not hash to it`, {
      kind: "verification",
      where: cid.toString(),
    });
  }
}

/** Every link inside a value, depth first, in encoding order of the value given. */
export function linksOf(value: unknown): CID[] {
  const links: CID[] = [];
  collectLinks(value, links);
  return links;
}

function collectLinks(value: unknown, links: CID[]): void {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return;
  const cid = CID.asCID(value);
  if (cid !== null) {
    links.push(cid);
  } else if (Array.isArray(value)) {
    for (const item of value) collectLinks(item, links);
  } else {
    for (const item of Object.values(value)) collectLinks(item, links);
  }
}

interface Codec {
  readonly code: number;
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const DAG_CBOR: Codec = { code: dagCbor.code, encode: encodeCbor, decode: decodeCbor };

function codecOf(cid: CID): Codec | undefined {
  if (cid.code === CODEC.dagCbor) return DAG_CBOR;
  if (cid.code === CODEC.dagJson) return dagJson;
  return undefined;
}

function encoded(hash: Hash, codec: Codec, value: unknown): Block {
  let bytes: Uint8Array;
  try {
    bytes = codec.encode(value);
  } catch (cause) {
    throw new IpdmError("DAG_NOT_ENCODABLE", `a value has no IPLD form: ${String((cause as Error).message)}`, {
      cause,
    });
  }
  return { cid: cidOf(hash, codec.code, bytes), bytes };
}

function malformed(cid: CID, what: string, cause?: unknown): IpdmError {
  return new IpdmError("DAG_MALFORMED", `block ${cid.toString()} ${what}`, {
    kind: "verification",
    where: cid.toString(),
    cause,
  });
}
