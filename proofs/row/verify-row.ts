import { CID } from "multiformats/cid";
import type { Batch } from "../../src/batch/batch.ts";
import { type Policy, parseMembership, type QuorumNumbers, quorumNumbers } from "../../src/consensus/membership.ts";
import { parseAnchor, parseResult } from "../../src/consensus/result.ts";
import { parseSlot } from "../../src/consensus/slot.ts";
import { parseSeal, SEAL_TASK } from "../../src/consensus/statement.ts";
import { parseCertificate } from "../../src/consensus/vote.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash, Verify } from "../../src/core/ports.ts";
import { type Block, decodeBlock } from "../../src/dag/block.ts";
import { checkEthereumRow, parseEthereumRowProof, type ShownReceipt } from "../ethereum/row-proof.ts";
import { leafHash, verifyInclusion } from "../merkle/tree.ts";
import { type Check, type Fault, faultOf, refuse } from "../receipt/verdict.ts";
import type { Expectations } from "../receipt/verify.ts";
import { checkCertified, checkTrusted } from "../receipt/votes-check.ts";
import { type RowFile, readRowFile } from "./row-file.ts";
import { batchOfRow, schemaOfOutput } from "./row-values.ts";

/** The checks of a row's file, in the order in which they are made. */
export const ROW_CHECKS = ["blocks", "signatures", "seal", "row", "chain"] as const;

/** One of {@link ROW_CHECKS}. */
export type RowCheckName = (typeof ROW_CHECKS)[number];

/** A row that was found to be in a table: which, and the table's size and root. */
export interface ShownRow {
  readonly output: string;
  readonly row: number;
  readonly rows: number;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
  /** The row as a batch of one. */
  readonly values: Batch;
}

/** What a row's file was found to show. */
export interface RowVerdict {
  readonly ok: boolean;
  readonly trust: "self-asserted" | "trusted";
  readonly checks: Readonly<Record<RowCheckName, Check>>;
  readonly fault: Fault | undefined;
  readonly result: CID | undefined;
  readonly members: readonly Uint8Array[] | undefined;
  readonly quorum: QuorumNumbers | undefined;
  readonly policy: Policy | undefined;
  readonly shown: ShownRow | undefined;
  /** What the chain itself says of the row; undefined for tables that follow from no chain. */
  readonly chain: ShownReceipt | undefined;
}

/**
 * Checks a row's file by itself: that a quorum of these keys sealed a result in whose table the row is, at its place. Not that the
 * result follows from its inputs: that is the quorum's word. Never throws for bad input: the fault is in the verdict.
 */
export function verifyRow(
  ports: { readonly hash: Hash; readonly verify: Verify },
  bytes: Uint8Array,
  expected: Expectations = {},
): RowVerdict {
  const checks: Record<RowCheckName, Check> = {
    blocks: { ok: false, count: 0 },
    signatures: { ok: false, count: 0 },
    seal: { ok: false, count: 0 },
    row: { ok: false, count: 0 },
    chain: { ok: false, count: 0 },
  };
  const found: { -readonly [K in "result" | "members" | "quorum" | "policy" | "shown" | "chain"]?: RowVerdict[K] } = {};
  let fault: Fault | undefined;
  try {
    const file = readRowFile(ports.hash, bytes);
    checks.blocks = { ok: true, count: file.blocks.size };
    const { membership, certificate } = parts(file);
    found.result = file.root.result;
    found.members = membership.members;
    found.quorum = quorumNumbers(membership);
    found.policy = membership.policy;
    checkTrusted(membership, expected.trusted);
    checkSignatures(ports, file);
    checks.signatures = { ok: true, count: 1 + certificate.votes.length + certificate.challenges.length };
    const table = tableOf(file);
    checks.seal = { ok: true, count: 1 };
    found.shown = shownRow(ports.hash, file, table);
    checks.row = { ok: true, count: file.root.path.length };
    found.chain = chainOf(ports.hash, file, found.shown.values);
    checks.chain = { ok: true, count: found.chain?.nodes ?? 0 };
    if (expected.result !== undefined && !CID.parse(expected.result).equals(file.root.result))
      refuse("RESULT_UNEXPECTED", String(file.root.result), "the row is of another result than expected");
  } catch (error) {
    fault = faultOf(error);
  }
  const isTrusted = expected.trusted !== undefined && checks.signatures.ok;
  return {
    ok: fault === undefined,
    trust: isTrusted ? "trusted" : "self-asserted",
    checks,
    fault,
    result: found.result,
    members: found.members,
    quorum: found.quorum,
    policy: found.policy,
    shown: found.shown,
    chain: found.chain,
  };
}

function parts({ root, blocks }: RowFile) {
  const node = (cid: CID): unknown => decodeBlock(blocks.get(cid.toString()) as Block);
  const seal = parseSeal(node(root.seal.statement));
  return {
    seal,
    slot: parseSlot(node(seal.slot)),
    certificate: parseCertificate(node(root.seal.certificate)),
    membership: parseMembership(node(root.membership)),
    result: parseResult(node(root.result)),
  };
}

function checkSignatures({ hash, verify }: { readonly hash: Hash; readonly verify: Verify }, file: RowFile): void {
  const { seal, slot, certificate, membership } = parts(file);
  const ports = { membership, membershipCid: file.root.membership, hash, verify };
  checkCertified(ports, { slot, slotCid: seal.slot, statementCid: file.root.seal.statement, certificate });
}

/** The table that result and seal agree on. */
function tableOf(file: RowFile) {
  const { seal, slot, result } = parts(file);
  const { output: name } = file.root;
  if (slot.task !== SEAL_TASK || slot.seq !== 0 || !slot.stage.equals(file.root.result))
    refuse("SEAL_MISMATCH", "seal", "the seal is for another slot");
  if (!seal.result.equals(file.root.result)) refuse("SEAL_MISMATCH", "seal/result", "the seal names another result");
  const output = Object.hasOwn(result.outputs, name) ? result.outputs[name] : undefined;
  const sealed = Object.hasOwn(seal.outputs, name) ? seal.outputs[name] : undefined;
  if (output === undefined || sealed === undefined)
    return refuse("SEAL_MISMATCH", `outputs/${name}`, "the result has no such table");
  if (output.rows !== sealed.rows || !equalBytes(output.root, sealed.root))
    return refuse("SEAL_MISMATCH", `outputs/${name}`, "result and seal are of other rows");
  return output;
}

function shownRow(hash: Hash, { root }: RowFile, table: ReturnType<typeof tableOf>): ShownRow {
  const { output, row, values, path } = root;
  const claim = { leaf: leafHash(hash, values), index: row, size: table.rows, path, root: table.root };
  if (!verifyInclusion(hash, claim))
    refuse("ROW_PATH_MISMATCH", `${output}/${row}`, "the path does not lead from the row to the table's root");
  return { output, row, rows: table.rows, root: table.root, path, values: batchOfRow(schemaOfOutput(table), values) };
}

function chainOf(hash: Hash, { root, blocks }: RowFile, row: Batch): ShownReceipt | undefined {
  if (root.chain === null) return undefined;
  const node = (cid: CID): unknown => decodeBlock(blocks.get(cid.toString()) as Block);
  const proof = parseEthereumRowProof(node(root.chain));
  const { inputs } = parseResult(node(root.result));
  const cid = Object.hasOwn(inputs, proof.input) ? inputs[proof.input] : undefined;
  return checkEthereumRow(hash, proof, cid === undefined ? undefined : parseAnchor(node(cid)), row);
}
