import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { z } from "zod";
import { bytes32, count, link, name, parseNode, someBytes } from "../../src/consensus/ipld-schema.ts";
import type { Operator } from "../../src/consensus/result.ts";
import type { Table } from "../../src/consensus/statement.ts";
import type { WindowsAsked } from "../../src/consensus/work-key.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { decodeCbor } from "../../src/dag/cbor.ts";
import { publicInputsFromBytes } from "../groth16/proof.ts";
import { proofIdentity } from "../groth16/verifying-key.ts";
import type { WindowKeys } from "../groth16/window-keys.ts";
import type { WindowAggregate, WindowClaim } from "../groth16/window-proof.ts";
import { verifyWindow } from "../groth16/window-verifier.ts";
import { leafHash, verifyInclusion } from "../merkle/tree.ts";

/** Chunks of one window. */
export const WINDOW_PROOF_CHUNKS_MAX = 1024;

/** The output whose rows are proved: a window's table. */
const PORT = "main";

const rowProofSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("window"),
  statement: link,
  task: name,
  port: name,
  /** Input column whose values are committed. */
  column: name,
  /** Position of the output row in its table. */
  row: count,
  /** The output row: dag-cbor array in schema order. */
  values: someBytes,
  /** RFC 6962 path from the row to the table's root. */
  path: z.array(bytes32).max(53),
  /** Rows of the window that have no value in the column; attested by the voters, not proved. */
  nulls: count,
  circuit: name,
  /** SHA-256 of the verifying key. */
  key: bytes32,
  chunks: z
    .array(z.strictObject({ proof: someBytes, publicInputs: someBytes }))
    .min(1)
    .max(WINDOW_PROOF_CHUNKS_MAX),
});

/** Zero-knowledge proofs of one output row of a window table, tied to the row by its path to the table's root. */
export type RowProof = z.infer<typeof rowProofSchema>;

/** Reads a row proof node. Throws `NODE_MALFORMED`. */
export function parseRowProof(value: unknown): RowProof {
  return parseNode(rowProofSchema, "window proof", value);
}

/** What a row proof must be about. */
export interface RowProofSubject {
  readonly statement: CID;
  readonly domain: string;
  readonly epoch: number;
  readonly task: string;
  readonly operator: Operator;
  readonly table: Table;
}

/** The verdict over a row proof; `claims` are what each chunk proved, in order. */
export type RowProofVerdict =
  | { readonly ok: true; readonly claims: readonly WindowClaim[] }
  | { readonly ok: false; readonly code: string; readonly message: string };

/** The row that a proof is about, read by the operator's columns. */
export interface WindowRow {
  readonly start: bigint;
  readonly end: bigint;
  readonly keys: readonly unknown[];
  readonly aggregates: readonly unknown[];
}

/** Reads an output row of a window operator: start, end, keys, aggregates. `undefined` when it has another shape. */
export function windowRowOf(
  values: Uint8Array,
  operator: Extract<Operator, { kind: "window" }>,
): WindowRow | undefined {
  const row = decodeCbor(values);
  if (!Array.isArray(row) || row.length !== 2 + operator.keys.length + operator.aggregates.length) return undefined;
  return split(row, operator);
}

function split(row: readonly unknown[], operator: Extract<Operator, { kind: "window" }>): WindowRow | undefined {
  const [start, end] = row;
  if (!isInteger(start) || !isInteger(end)) return undefined;
  const keys = row.slice(2, 2 + operator.keys.length);
  return { start: BigInt(start), end: BigInt(end), keys, aggregates: row.slice(2 + operator.keys.length) };
}

/** True when the window is among those named: the same start, and the key's values as texts, as a configuration writes them. */
export function isNamedWindow(
  named: Exclude<WindowsAsked, number>,
  { start, keys }: Pick<WindowRow, "start" | "keys">,
): boolean {
  return named.some((window) => BigInt(window.start) === start && isNamedKey(window.key, keys));
}

/** Canonical bytes of a window's key: the dag-cbor array of its values. */
export function windowKeyBytes(keys: readonly unknown[]): Uint8Array {
  return dagCbor.encode(keys);
}

/** True when a window's key is the one that a user named by texts, null standing for a column without a value. */
function isNamedKey(names: readonly (string | null)[], keys: readonly unknown[]): boolean {
  if (names.length !== keys.length) return false;
  return names.every((name, i) => (keys[i] === null ? name === null : String(keys[i]) === name));
}

/**
 * Checks a row proof by itself: the row lies in the table, the proofs hold for this statement, domain, epoch, task, key and
 * window, and what they prove, summed over the chunks, is what the row says. That the committed values are those of the
 * window's input rows only someone who has these can check.
 */
export function checkRowProof(hash: Hash, keys: WindowKeys, proof: RowProof, about: RowProofSubject): RowProofVerdict {
  const { operator, table } = about;
  if (operator.kind !== "window") return refused("PROOF_ROW_MISMATCH", `task ${about.task} has no windows`);
  if (!proof.statement.equals(about.statement) || proof.task !== about.task)
    return refused("PROOF_CONTEXT_MISMATCH", "it is about another statement");
  if (proof.port !== PORT) return refused("PROOF_CONTEXT_MISMATCH", "it is about another output");
  const made = keys.get(proof.circuit);
  if (made === undefined || !equalBytes(proof.key, made.key.hash))
    return refused("PROOF_KEY_UNKNOWN", "it was made with another key");
  const leaf = leafHash(hash, proof.values);
  const included =
    table.leaf === "row" &&
    verifyInclusion(hash, { leaf, index: proof.row, size: table.leaves, path: proof.path, root: table.root });
  if (!included) return refused("PROOF_ROW_MISMATCH", "its row is not in the table");
  const row = windowRowOf(proof.values, operator);
  if (row === undefined) return refused("PROOF_ROW_MISMATCH", "its row does not have the table's columns");
  const { domain, epoch, task } = about;
  const subject = {
    statement: about.statement.bytes,
    domain,
    epoch,
    task,
    column: proof.column,
    key: windowKeyBytes(row.keys),
    windowStart: row.start,
    windowEnd: row.end,
  };
  const verdict = verifyWindow(made, subject, proof.chunks);
  if (!verdict.ok) return refused(verdict.code, `chunk ${verdict.chunk} does not hold`);
  const differs = differingAggregate(proof, operator, row, verdict.aggregate);
  if (differs !== undefined) return refused("PROOF_ROW_MISMATCH", `${differs} of the row is not what was proved`);
  return { ok: true, claims: verdict.claims };
}

/**
 * The identity of a row proof: what votes name. SHA-256 over dag-cbor `["ipdm/window-proof/1", statement, task, port, column, row,
 * values, nulls, circuit, chunks]`, each chunk by the identity of its claim: all that is said, and no proof bytes, since these are
 * malleable. The path follows from the row.
 */
export function rowProofId(hash: Hash, proof: RowProof): Uint8Array {
  const { statement, task, port, column, row, values, nulls, circuit } = proof;
  const chunks = proof.chunks.map(({ publicInputs }) =>
    proofIdentity(proof.key, publicInputsFromBytes(publicInputs) ?? []),
  );
  return hash(
    dagCbor.encode(["ipdm/window-proof/1", statement, task, port, column, row, values, nulls, circuit, chunks]),
  );
}

/** Input columns whose windows are proved: those under an aggregate, in order of first use. */
export function provenColumns(operator: Extract<Operator, { kind: "window" }>): string[] {
  return [...new Set(operator.aggregates.flatMap(({ column }) => (column === null ? [] : [column])))];
}

function differingAggregate(
  proof: RowProof,
  operator: Extract<Operator, { kind: "window" }>,
  row: WindowRow,
  proved: WindowAggregate,
): string | undefined {
  for (const [i, { name, kind, column }] of operator.aggregates.entries()) {
    const value = row.aggregates[i];
    if (column !== null && column !== proof.column) continue;
    if (!sameNumber(value, expected(kind, column, proof, proved))) return name;
  }
  return undefined;
}

function expected(kind: string, column: string | null, proof: RowProof, proved: WindowAggregate): bigint | number {
  switch (kind) {
    case "count":
      return BigInt(proved.count) + (column === null ? BigInt(proof.nulls) : 0n);
    case "sum":
      return proved.sum;
    case "min":
      return proved.min;
    case "max":
      return proved.max;
    default:
      return Number(proved.sum) / proved.count;
  }
}

function sameNumber(value: unknown, wanted: bigint | number): boolean {
  if (typeof wanted === "number") return typeof value === "number" && Object.is(value + 0, wanted + 0);
  return isInteger(value) && BigInt(value) === wanted;
}

function isInteger(value: unknown): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value));
}

function refused(code: string, message: string): RowProofVerdict {
  return { ok: false, code, message };
}
