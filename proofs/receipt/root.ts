import { z } from "zod";
import { bytes32, count, link, name, parseNode } from "../../src/consensus/ipld-schema.ts";

const configSchema = z.strictObject({
  v: z.literal(1),
  name,
  /** Rows a batch. */
  cut: count,
  /** Windows to be proved, by task: how many drawn, or -1 for windows that the user named. */
  prove: z.record(name, z.number().int().min(-1)),
  /** The key that window proofs were made with. */
  circuit: z.strictObject({ name, key: bytes32, production: z.boolean(), label: z.string().max(1000) }).nullable(),
});

/** How a run was carried out: nothing of it is part of the result. */
export type ReceiptConfig = z.infer<typeof configSchema>;

/** Reads a receipt's configuration node. Throws `NODE_MALFORMED`. */
export function parseReceiptConfig(value: unknown): ReceiptConfig {
  return parseNode(configSchema, "receipt configuration", value);
}

const rootSchema = z.strictObject({
  v: z.literal(1),
  result: link,
  /** The seal statement, and the certificate for it. */
  seal: z.strictObject({ statement: link, certificate: link }),
  config: link,
  inputs: z.array(link).max(1024),
  modules: z.array(link).max(1024),
  /** Statements, tasks in name order, then by sequence; and for each its certificate. */
  statements: z.array(link).max(1_000_000),
  certificates: z.array(link).max(1_000_000),
  proofs: z.array(link).max(100_000),
  membership: link,
  /** Newest entry by actor of the submitting node. */
  journals: z.record(z.string().min(1).max(1024), link),
  /** All other blocks of the file: how many, and the RFC 6962 root over their CIDs in byte order. */
  blocks: z.strictObject({ count, merkleRoot: bytes32 }),
});

/** Root of a receipt. */
export type ReceiptRoot = z.infer<typeof rootSchema>;

/** Reads a receipt's root. Throws `NODE_MALFORMED`. */
export function parseReceiptRoot(value: unknown): ReceiptRoot {
  return parseNode(rootSchema, "receipt root", value);
}
