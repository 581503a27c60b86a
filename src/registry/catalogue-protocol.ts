import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { z } from "zod";
import { bytes32, bytes64, count, link, parseNode } from "../consensus/ipld-schema.ts";
import { IpdmError } from "../core/errors.ts";
import type { Signer } from "../core/ports.ts";
import { type Block, CODEC, cidOf, decodeStrict } from "../dag/block.ts";
import { sha256, verifyEd25519 } from "../node.ts";

/** Name and version of the protocol by which catalogues ask each other. */
export const CATALOGUE_PROTOCOL = "/ipdm/catalogue/1";
/** Records of one answer: some 200 KiB. */
export const PAGE_RECORDS_MAX = 512;
/** Largest record that is read, in bytes. */
export const RECORD_BYTES_MAX = 1024;

/** Kind of a signed head, and the text that its signature begins with. */
const HEAD_KIND = "ipdm/catalogue-head/1";

const headBody = {
  v: z.literal(1),
  kind: z.literal(HEAD_KIND),
  /** The newest record, and how many there are. */
  head: link.nullable(),
  count,
  /** Ed25519 public key of the node whose catalogue it is. */
  node: bytes32,
};
const headSchema = z.strictObject({ ...headBody, signature: bytes64 });

/** What a node says of its catalogue, signed: the newest record names all that are before it. */
export type CatalogueHead = z.infer<typeof headSchema>;

const askSchema = z.discriminatedUnion("want", [
  z.strictObject({ v: z.literal(1), want: z.literal("head") }),
  z.strictObject({ v: z.literal(1), want: z.literal("records"), from: link }),
]);
const pageSchema = z.strictObject({
  v: z.literal(1),
  records: z
    .array(
      z.custom<Uint8Array>(
        (value) => value instanceof Uint8Array && value.length <= RECORD_BYTES_MAX,
        "a record's bytes",
      ),
    )
    .max(PAGE_RECORDS_MAX),
});

/** What one catalogue asks another: its signed head, or a page of records from one on backwards. */
export type CatalogueAsk = z.infer<typeof askSchema>;

/** Writes a question. */
export function encodeAsk(asked: CatalogueAsk): Uint8Array {
  return dagCbor.encode(asked);
}

/** Reads a question. Throws `DAG_MALFORMED`, `NODE_MALFORMED`. */
export function parseAsk(bytes: Uint8Array): CatalogueAsk {
  return parseNode(askSchema, "question to a catalogue", decoded(bytes));
}

/** Signs a catalogue's head: Ed25519 over dag-cbor `["ipdm/catalogue-head/1", head without signature]`. */
export function signHead(
  { head, count }: { readonly head: CID | null; readonly count: number },
  signer: Signer,
): Uint8Array {
  const unsigned = { v: 1 as const, kind: HEAD_KIND, head, count, node: signer.publicKey } as const;
  return dagCbor.encode({ ...unsigned, signature: signer.sign(headMessage(unsigned)) });
}

/** Reads a head, and checks that it is the node's. Throws `DAG_MALFORMED`, `NODE_MALFORMED`, `CATALOGUE_HEAD_INVALID`. */
export function parseHead(bytes: Uint8Array, node: Uint8Array): CatalogueHead {
  const head = parseNode(headSchema, "head of a catalogue", decoded(bytes));
  const { signature, ...unsigned } = head;
  const isNodes = Buffer.compare(head.node, node) === 0 && verifyEd25519(node, headMessage(unsigned), signature);
  if (isNodes && (head.head === null) === (head.count === 0)) return head;
  throw new IpdmError("CATALOGUE_HEAD_INVALID", "the head of the catalogue is not one that its node signed", {
    kind: "verification",
  });
}

/** Writes a page of records, newest first. */
export function encodePage(records: readonly Uint8Array[]): Uint8Array {
  return dagCbor.encode({ v: 1, records });
}

/** Reads a page. Whether its records are those that were asked for is for their links to say. Throws `DAG_MALFORMED`, `NODE_MALFORMED`. */
export function parsePage(bytes: Uint8Array): readonly Uint8Array[] {
  return parseNode(pageSchema, "page of a catalogue", decoded(bytes)).records;
}

function headMessage(unsigned: Omit<CatalogueHead, "signature">): Uint8Array {
  return dagCbor.encode([HEAD_KIND, unsigned]);
}

function decoded(bytes: Uint8Array): unknown {
  const block: Block = { cid: cidOf(sha256, CODEC.dagCbor, bytes), bytes };
  return decodeStrict(sha256, block);
}
