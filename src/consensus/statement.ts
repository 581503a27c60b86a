import { z } from "zod";
import { bytes32, count, link, name, parseNode } from "./ipld-schema.ts";

/** What a leaf of an output's Merkle tree is: a row of a table that leaves the pipeline, or a whole batch of an intermediate one. */
export const leafKinds = ["row", "batch"] as const;
/** See {@link leafKinds}. */
export type LeafKind = (typeof leafKinds)[number];

const outputSchema = z.strictObject({
  from: count,
  rows: count,
  batches: z.array(link).max(4096),
  leaf: z.enum(leafKinds),
  /** RFC 6962 root over this statement's leaves. */
  root: bytes32,
});

const tableSchema = z.strictObject({ rows: count, leaf: z.enum(leafKinds), leaves: count, root: bytes32 });

const statementSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("result"),
  slot: link,
  stage: link,
  module: z.strictObject({ original: link, instrumented: link, costTable: name, hostTable: name }).nullable(),
  input: z.strictObject({ from: count, rows: count }),
  outputs: z.record(name, outputSchema),
  state: z.strictObject({ before: link.nullable(), after: link }),
  /** Fuel that the module's calls took, in units of its cost table; null where no module ran. */
  fuel: count.nullable(),
  /** On the last statement of a task: the whole of each output over all statements. */
  tables: z.record(name, tableSchema).nullable(),
});

/** What was computed for a slot; nothing about who or when, so honest nodes produce the same bytes. */
export type Statement = z.infer<typeof statementSchema>;
/** One output of a statement. */
export type StatementOutput = z.infer<typeof outputSchema>;
/** A finished output: rows, leaves and the RFC 6962 root over all leaves. */
export type Table = z.infer<typeof tableSchema>;

/** Reads a result statement. Throws `NODE_MALFORMED`. */
export function parseStatement(value: unknown): Statement {
  return parseNode(statementSchema, "statement", value);
}

const stateSchema = z.strictObject({
  v: z.literal(1),
  stage: link,
  rowsIn: count,
  outputs: z.record(name, z.strictObject({ rows: count, leaves: count, frontier: z.array(bytes32).max(64) })),
  /** The operator's own state, a raw block; null where it has none. */
  operator: link.nullable(),
});

/** A task's state between two slots: how far it got, the Merkle frontier of each output, and its operator's state. */
export type TaskState = z.infer<typeof stateSchema>;

/** Reads a task state node. Throws `NODE_MALFORMED`. */
export function parseTaskState(value: unknown): TaskState {
  return parseNode(stateSchema, "task state", value);
}

/** Name of the pseudo-task whose one slot and statement seal a run. */
export const SEAL_TASK = "$seal";

const sealSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("seal"),
  slot: link,
  result: link,
  /** How the run was carried out and what it asked for (see a receipt's configuration): the members vouch for it too. */
  config: link,
  /** RFC 6962 root over the CID bytes of every statement, tasks in name order, then by sequence. */
  statements: z.strictObject({ count, root: bytes32 }),
  inputs: z.record(name, z.strictObject({ rows: count, anchor: link })),
  outputs: z.record(name, z.strictObject({ task: name, port: name, rows: count, root: bytes32 })),
});

/** The last statement of a run: it covers every input range once and names the result. */
export type Seal = z.infer<typeof sealSchema>;

/** Reads a seal. Throws `NODE_MALFORMED`. */
export function parseSeal(value: unknown): Seal {
  return parseNode(sealSchema, "seal", value);
}
