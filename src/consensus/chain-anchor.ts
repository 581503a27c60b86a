import { z } from "zod";
import { bytes32, count, link, parseNode } from "./ipld-schema.ts";

/** Block hashes of one node of the list: so many fit one small block. */
export const HASHES_PER_NODE = 4096;
/** Headers of one node, and of one input: those of a longer one are read from its blocks where they are wanted. */
export const HEADERS_PER_NODE = 64;
export const HEADERS_MAX = 16_384;
/** Bytes of one header: Ethereum's have some 600, those of chains that list their validators in `extraData` more. */
export const HEADER_BYTES_MAX = 8192;

/**
 * The content of a chain input: the chain and its ordered block hashes, never the bytes of any JSON. `root` is the RFC 6962 root
 * over the hashes, `hashes` links them in nodes of {@link HASHES_PER_NODE}. While a run follows the head, its stages name the anchor
 * without its end ({@link openAnchor}).
 */
export const chainAnchorSchema = z.strictObject({
  v: z.literal(1),
  kind: z.enum(["ethereum", "solana"]),
  /** Name of the chain: of Ethereum its chain id in decimal; null where nobody says it. */
  chain: z.string().min(1).max(64).nullable(),
  /** Numbers of the first and the last block. */
  from: count,
  to: count.nullable(),
  blocks: count.nullable(),
  root: bytes32.nullable(),
  hashes: z.array(link).max(4096),
});

/** See {@link chainAnchorSchema}. */
export type ChainAnchor = z.infer<typeof chainAnchorSchema>;

/** The anchor of an input that nobody knows the end of yet: what stages name while a run follows the head. */
export function openAnchor(anchor: ChainAnchor): ChainAnchor {
  return { ...anchor, to: null, blocks: null, root: null, hashes: [] };
}

const hashesSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("block-hashes"),
  hashes: z.custom<Uint8Array>(
    (value) =>
      value instanceof Uint8Array &&
      value.length % 32 === 0 &&
      value.length > 0 &&
      value.length <= 32 * HASHES_PER_NODE,
    "1 to 4096 hashes of 32 bytes",
  ),
});

/** Block hashes in order, one after the other. */
export type HashesNode = z.infer<typeof hashesSchema>;

/** Reads a node of block hashes. Throws `NODE_MALFORMED`. */
export function parseHashes(value: unknown): HashesNode {
  return parseNode(hashesSchema, "list of block hashes", value);
}

const headersSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("block-headers"),
  headers: z
    .array(
      z.custom<Uint8Array>(
        (value) => value instanceof Uint8Array && value.length > 0 && value.length <= HEADER_BYTES_MAX,
        `a header of at most ${HEADER_BYTES_MAX} bytes`,
      ),
    )
    .min(1)
    .max(HEADERS_PER_NODE),
});

/** Headers of blocks in order, each as its hash is computed from it: of Ethereum its RLP. */
export type HeadersNode = z.infer<typeof headersSchema>;

/** Reads a node of headers. Throws `NODE_MALFORMED`. */
export function parseHeaders(value: unknown): HeadersNode {
  return parseNode(headersSchema, "list of headers", value);
}
