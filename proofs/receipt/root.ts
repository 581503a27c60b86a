import * as dagCbor from "@ipld/dag-cbor";
import { z } from "zod";
import { HEADERS_MAX, HEADERS_PER_NODE } from "../../src/consensus/chain-anchor.ts";
import { bytes32, bytes64, count, link, name, parseNode } from "../../src/consensus/ipld-schema.ts";
import { windowsAskedSchema } from "../../src/consensus/work-key.ts";
import type { Signer, Verify } from "../../src/core/ports.ts";

const configSchema = z.strictObject({
  v: z.literal(1),
  name,
  /** Rows a batch. */
  cut: count,
  /** Windows to be proved, by task: how many drawn, or those that the user named by their start (microseconds) and key (as text). */
  prove: z.record(name, windowsAskedSchema),
  /**
   * Modules of a catalogue, pinned, by task: the name and range that the configuration asks for, the version that it was, the
   * module, and the entry that its publisher signed.
   */
  lock: z.record(
    name,
    z.strictObject({
      name,
      range: z.string().min(1).max(256),
      version: name,
      module: link,
      entry: link,
      /** For a task that takes newer versions as they come: those that took over, with the slot that each ran first. */
      live: z
        .array(z.strictObject({ slot: count, version: name, module: link, entry: link }))
        .max(1024)
        .optional(),
    }),
  ),
  /** The key that window proofs are made with; null where none are asked for. */
  circuits: z
    .array(z.strictObject({ name, key: bytes32, production: z.boolean(), label: z.string().max(1000) }))
    .max(16),
  /**
   * By input, the block of a chain whose hash was known beforehand: the user gave it, or so many endpoints were found to agree on
   * it. Absent where there is none.
   */
  anchored: z
    .record(name, z.strictObject({ block: count, hash: bytes32, by: z.enum(["given", "compared"]), endpoints: count }))
    .optional(),
});

/** How a run was carried out, and what it asked for. Nothing of it is part of the result; the seal names it, so the members vouch for it. */
export type ReceiptConfig = z.infer<typeof configSchema>;

/** Reads a receipt's configuration node. Throws `NODE_MALFORMED`. */
export function parseReceiptConfig(value: unknown): ReceiptConfig {
  return parseNode(configSchema, "receipt configuration", value);
}

const rootBody = {
  v: z.literal(1),
  result: link,
  /** The seal statement, and the certificate for it. */
  seal: z.strictObject({ statement: link, certificate: link }),
  config: link,
  /** Anchors of the inputs, in the order of the inputs' names. */
  inputs: z.array(link).max(1024),
  /** Modules, each once, in the order of the names of the tasks that run them. */
  modules: z.array(link).max(1024),
  /** Statements, tasks in name order, then by sequence; and for each its certificate. */
  statements: z.array(link).max(1_000_000),
  certificates: z.array(link).max(1_000_000),
  proofs: z.array(link).max(100_000),
  membership: link,
  /** Newest entry by actor of the submitting node. */
  journals: z.record(z.string().min(1).max(1024), link),
  /** By input, the headers of a chain's blocks in order, in nodes of {@link HEADERS_PER_NODE}. Absent where there are none. */
  headers: z
    .record(
      name,
      z
        .array(link)
        .min(1)
        .max(HEADERS_MAX / HEADERS_PER_NODE),
    )
    .optional(),
  /** All other blocks of the file: how many, and the RFC 6962 root over their CIDs in byte order. */
  blocks: z.strictObject({ count, merkleRoot: bytes32 }),
};
const rootSchema = z.strictObject({ ...rootBody, signature: bytes64 });

/** Root of a receipt. */
export type ReceiptRoot = z.infer<typeof rootSchema>;

/** A root without the submitter's signature. */
export type ReceiptBody = Omit<ReceiptRoot, "signature">;

/** Signs a receipt: Ed25519 by the submitter over dag-cbor `["ipdm/receipt/1", root without signature]`, and with it over every block. */
export function signRoot(body: ReceiptBody, signer: Signer): ReceiptRoot {
  return { ...body, signature: signer.sign(rootMessage(body)) };
}

/** True when the root carries the signature of this submitter. */
export function rootSigned(root: ReceiptRoot, submitter: Uint8Array, verify: Verify): boolean {
  const { signature, ...body } = root;
  return verify(submitter, rootMessage(body), signature);
}

function rootMessage(body: ReceiptBody): Uint8Array {
  return dagCbor.encode(["ipdm/receipt/1", body]);
}

/** Reads a receipt's root. Throws `NODE_MALFORMED`. */
export function parseReceiptRoot(value: unknown): ReceiptRoot {
  return parseNode(rootSchema, "receipt root", value);
}
