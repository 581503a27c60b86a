import { drawRows } from "../../src/consensus/draw.ts";
import type { Operator } from "../../src/consensus/result.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import type { Hash } from "../../src/core/ports.ts";
import type { WindowKeys } from "../groth16/window-keys.ts";
import {
  checkRowProof,
  isNamedWindow,
  provenColumns,
  type RowProof,
  rowProofId,
  windowRowOf,
} from "../window/row-proof.ts";
import type { Receipt, ShownCommit } from "./contents.ts";
import type { ReceiptConfig } from "./root.ts";
import { refuse } from "./verdict.ts";

const MAIN = "main";

type WindowForm = Extract<Operator, { kind: "window" }>;

/**
 * Checks the zero-knowledge proofs: each holds for its row, the votes of its statement cover it, nothing that votes cover is
 * left out, and the rows are those that the challenges draw or that the run named. Returns the number of proofs checked.
 */
export function checkProofs(receipt: Receipt, hash: Hash, keys: WindowKeys): number {
  for (const { proof } of receipt.proofs) {
    const named = receipt.config.circuits.find(({ name }) => name === proof.circuit);
    const known = keys.get(proof.circuit)?.key.hash;
    if (named === undefined || known === undefined || !equalBytes(named.key, known) || !equalBytes(proof.key, known)) {
      refuse("PROOF_KEY_UNKNOWN", "config/circuits", "a proof was made with a key that this version does not have");
    }
  }
  let count = 0;
  const inOrder: Receipt["proofs"][number][] = [];
  const byStatement = Map.groupBy(receipt.proofs, ({ proof }) => proof.statement.toString());
  for (const { task, commits } of receipt.tasks) {
    for (const commit of commits) {
      const own = byStatement.get(commit.statementCid.toString()) ?? [];
      inOrder.push(...own);
      count += checkStatement(
        receipt,
        hash,
        keys,
        commit,
        own.map(({ proof }) => proof),
      );
    }
    checkAsked(receipt, task, commits.at(-1));
  }
  if (inOrder.length !== receipt.proofs.length)
    refuse("PROOF_CONTEXT_MISMATCH", "proofs", "a proof is about a statement of another run");
  if (inOrder.some((proof, i) => proof !== receipt.proofs[i]))
    refuse("RECEIPT_SHAPE", "proofs", "the proofs are not in the order of their statements");
  return count;
}

function checkStatement(
  receipt: Receipt,
  hash: Hash,
  keys: WindowKeys,
  commit: ShownCommit,
  proofs: readonly RowProof[],
): number {
  const { slot, statement, statementCid, certificate } = commit;
  const where = `${slot.task}/${slot.seq}`;
  const ids = proofs.map((proof) => rowProofId(hash, proof));
  const covered =
    ids.length === certificate.proofs.length &&
    ids.every((id, i) => equalBytes(id, certificate.proofs[i] as Uint8Array));
  if (!covered) refuse("PROOF_UNCOVERED", where, "the proofs are not those that the votes cover");
  if (proofs.length === 0) return 0;
  const table = statement.tables?.[MAIN];
  const operator = receipt.stages.get(slot.task)?.operator;
  if (table === undefined || operator?.kind !== "window")
    return refuse("PROOF_ROW_MISMATCH", where, "the statement closes no table of windows");
  const { domain, epoch } = receipt.membership;
  const about = { statement: statementCid, domain, epoch, task: slot.task, operator, table };
  for (const proof of proofs) {
    const verdict = checkRowProof(hash, keys, proof, about);
    if (!verdict.ok) refuse(verdict.code, `${where}/row ${proof.row}`, verdict.message);
  }
  checkEachOnce(operator, proofs, where);
  const asked = askedOf(receipt.config, slot.task);
  if (typeof asked === "number") checkDrawn(hash, commit, asked, proofs, table.rows, where);
  else checkNamed(operator, asked ?? [], proofs, where);
  return proofs.reduce((sum, proof) => sum + proof.chunks.length, 0);
}

/** Columns in the operator's order, rows ascending: no window's column is proved twice. */
function checkEachOnce(operator: WindowForm, proofs: readonly RowProof[], where: string): void {
  const columns = provenColumns(operator);
  let last = -1;
  let lastRow = -1;
  for (const { column, row } of proofs) {
    const at = columns.indexOf(column);
    if (at < 0 || at < last || (at === last && row <= lastRow))
      refuse("PROOF_ROW_MISMATCH", `${where}/row ${row}`, `column ${column} of this row is out of order`);
    last = at;
    lastRow = row;
  }
}

function checkDrawn(
  hash: Hash,
  { certificate }: ShownCommit,
  windows: number,
  proofs: readonly RowProof[],
  total: number,
  where: string,
): void {
  const draw = certificate.votes[0]?.draw ?? null;
  if (draw === null) return refuse("PROOF_UNCOVERED", where, "nothing was drawn for these proofs");
  const drawn = new Set(drawRows(hash, draw, total, windows));
  const stray = proofs.find(({ row }) => !drawn.has(row));
  if (stray !== undefined) refuse("PROOF_ROW_MISMATCH", `${where}/row ${stray.row}`, "this row was not drawn");
}

function checkNamed(
  operator: WindowForm,
  named: Exclude<ReceiptConfig["prove"][string], number>,
  proofs: readonly RowProof[],
  where: string,
): void {
  for (const { row, values } of proofs) {
    const window = windowRowOf(values, operator);
    if (window === undefined || !isNamedWindow(named, window))
      refuse("PROOF_ROW_MISMATCH", `${where}/row ${row}`, "the run did not ask for a proof of this window");
  }
}

/** Where windows are proved, the last statement's votes rest on a draw, whether any window had values to prove or not. */
function checkAsked(receipt: Receipt, task: string, last: ShownCommit | undefined): void {
  if (askedOf(receipt.config, task) === undefined || last === undefined) return;
  const draw = last.certificate.votes[0]?.draw ?? null;
  if (draw === null)
    refuse("PROOF_UNCOVERED", `${task}/${last.slot.seq}`, "windows were to be drawn and proved, and none were");
}

function askedOf({ prove }: ReceiptConfig, task: string): ReceiptConfig["prove"][string] | undefined {
  return Object.hasOwn(prove, task) ? prove[task] : undefined;
}
