import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import { drawRows } from "../../src/consensus/draw.ts";
import type { VerifyingKey } from "../groth16/verifying-key.ts";
import { checkRowProof, rowProofIds } from "../window/row-proof.ts";
import type { Receipt, ShownCommit } from "./contents.ts";
import { refuse } from "./verdict.ts";

const MAIN = "main";

/**
 * Checks the zero-knowledge proofs: each holds for its row, the votes of its statement cover it, nothing that votes cover is
 * left out, and drawn rows are those that the challenges draw. Returns the number of proofs checked.
 */
export function checkProofs(receipt: Receipt, hash: Hash, key: VerifyingKey): number {
  const { circuit } = receipt.config;
  if (receipt.proofs.length > 0 && (circuit === null || !equalBytes(circuit.key, key.hash))) {
    refuse("PROOF_KEY_UNKNOWN", "config/circuit", "the proofs were made with a key that this version does not have");
  }
  let count = 0;
  let used = 0;
  for (const { task, commits } of receipt.tasks) {
    for (const commit of commits) {
      const own = receipt.proofs.filter(({ proof }) => proof.statement.equals(commit.statementCid));
      used += own.length;
      count += checkStatement(receipt, hash, key, commit, own.map(({ proof }) => proof));
    }
    checkAsked(receipt, task, commits.at(-1));
  }
  if (used !== receipt.proofs.length) refuse("PROOF_CONTEXT_MISMATCH", "proofs", "a proof is about a statement of another run");
  return count;
}

function checkStatement(receipt: Receipt, hash: Hash, key: VerifyingKey, commit: ShownCommit, proofs: readonly Receipt["proofs"][number]["proof"][]): number {
  const { slot, statement, statementCid, certificate } = commit;
  const where = `${slot.task}/${slot.seq}`;
  const ids = proofs.flatMap((proof) => rowProofIds(key, proof));
  const covered = ids.length === certificate.proofs.length && ids.every((id, i) => equalBytes(id, certificate.proofs[i] as Uint8Array));
  if (!covered) refuse("PROOF_UNCOVERED", where, "the proofs are not those that the votes cover");
  if (proofs.length === 0) return 0;
  const table = statement.tables?.[MAIN];
  const stage = receipt.stages.get(slot.task);
  if (table === undefined || stage === undefined) return refuse("PROOF_ROW_MISMATCH", where, "the statement closes no table");
  const { domain, epoch } = receipt.membership;
  const about = { statement: statementCid, domain, epoch, task: slot.task, operator: stage.operator, table };
  for (const proof of proofs) {
    const verdict = checkRowProof(hash, key, proof, about);
    if (!verdict.ok) refuse(verdict.code, `${where}/row ${proof.row}`, verdict.message);
  }
  checkDrawn(receipt, hash, commit, proofs.map((proof) => proof.row), table.rows, where);
  return ids.length;
}

function checkDrawn(receipt: Receipt, hash: Hash, commit: ShownCommit, rows: readonly number[], total: number, where: string): void {
  const windows = receipt.config.prove[commit.slot.task];
  const draw = commit.certificate.votes[0]?.draw ?? null;
  if (windows === undefined || draw === null) return refuse("PROOF_UNCOVERED", where, "the run did not ask for these proofs");
  if (windows < 0) return;
  const drawn = new Set(drawRows(hash, draw, total, windows));
  const stray = rows.find((row) => !drawn.has(row));
  if (stray !== undefined) refuse("PROOF_ROW_MISMATCH", `${where}/row ${stray}`, "this row was not drawn");
}

function checkAsked(receipt: Receipt, task: string, last: ShownCommit | undefined): void {
  if (receipt.config.prove[task] === undefined || last === undefined) return;
  const draw = last.certificate.votes[0]?.draw ?? null;
  if (draw === null) refuse("PROOF_UNCOVERED", `${task}/${last.slot.seq}`, "windows were to be drawn and proved, and none were");
}
