import type { CID } from "multiformats/cid";
import { elementOfHash } from "../../proofs/groth16/field.ts";
import { proofToBytes, publicInputsToBytes } from "../../proofs/groth16/proof.ts";
import type { Prover } from "../../proofs/groth16/prover.ts";
import { contextOf } from "../../proofs/groth16/window-context.ts";
import type { KnownWindowKey, WindowKeys } from "../../proofs/groth16/window-keys.ts";
import { chunkWindow, commitWindowChunk, windowChunk } from "../../proofs/groth16/window-proof.ts";
import {
  checkRowProof,
  parseRowProof,
  provenColumns,
  type RowProof,
  type RowProofSubject,
  rowProofId,
  windowKeyBytes,
} from "../../proofs/window/row-proof.ts";
import { type Batch, decodeBatch } from "../../src/batch/batch.ts";
import type { Committed } from "../../src/consensus/coverage.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import { IpdmError, within } from "../../src/core/errors.ts";
import type { Hash, Signer } from "../../src/core/ports.ts";
import type { Block } from "../../src/dag/block.ts";
import { cborBlock, decodeStrict } from "../../src/dag/block.ts";
import { MAIN, type TaskPlan } from "../../src/runtime/plan.ts";
import type { ReadBlock } from "../../src/runtime/stage/runner.ts";
import { type WindowContent, windowValues } from "../../src/runtime/stage/window-values.ts";
import { windowText } from "../../src/streams/window/window-text.ts";
import type { Ledger } from "../node/ledger.ts";
import { type Draw, saltFor } from "./draws.ts";
import { provenRows, type TableRow, type WindowForm, windowOf, windowTable } from "./proven-rows.ts";

/** What making and checking window proofs needs of a node. */
export interface WindowProofPorts {
  readonly hash: Hash;
  readonly signer: Signer;
  readonly ledger: Ledger;
  readonly read: ReadBlock;
  /** The input of a task whose batches are not kept, from its first row on. */
  readonly again?: (task: TaskPlan) => AsyncIterable<Batch> | undefined;
  readonly prover: Prover;
  readonly keys: WindowKeys;
  readonly domain: string;
  readonly epoch: number;
}

/** Row proofs as blocks, the salts that only voters get, and the identities that votes name. */
export interface MadeProofs {
  readonly blocks: readonly Block[];
  readonly salts: readonly (readonly Uint8Array[])[];
  readonly ids: readonly Uint8Array[];
}

/** Makes the proofs of a finished window table, a column at a time, chunk by chunk. */
export async function makeWindowProofs(
  ports: WindowProofPorts,
  task: TaskPlan,
  last: Committed,
  seed: Uint8Array,
  signal: AbortSignal,
): Promise<MadeProofs> {
  const finished = windowTable(task, last);
  const { form } = finished;
  const rows = await provenRows(ports, task, finished, seed);
  const blocks: Block[] = [];
  const salts: Uint8Array[][] = [];
  const ids: Uint8Array[] = [];
  for (const column of provenColumns(form)) {
    const values = await valuesOf(ports, task, form, column, rows);
    // All of them before the first is proved: what does not fit is said at once.
    const cut = values.map((content, i) =>
      content.values.length === 0 ? undefined : piecesOf(task, form, column, rows[i] as TableRow, content),
    );
    for (const [i, row] of rows.entries()) {
      const { nulls } = values[i] as WindowContent;
      const own = cut[i];
      if (own === undefined) continue;
      const { circuit, pieces } = own;
      const ownSalts = pieces.map((_, chunk) =>
        saltFor(ports.hash, ports.signer, last.statementCid, column, row.row, chunk),
      );
      const chunks: RowProof["chunks"] = [];
      for (const [chunk, piece] of pieces.entries()) {
        const context = contextOf({
          ...subject(ports, task, last.statementCid, column, form, row),
          chunk,
          chunks: pieces.length,
        });
        const proved = await ports.prover.prove(
          windowChunk(circuit, piece, elementOfHash(ownSalts[chunk] as Uint8Array), context),
          { signal },
        );
        chunks.push({ proof: proofToBytes(proved.proof), publicInputs: publicInputsToBytes(proved.publicInputs) });
      }
      const proof: RowProof = {
        v: 1,
        kind: "window",
        statement: last.statementCid,
        task: task.name,
        port: MAIN,
        column,
        row: row.row,
        values: row.bytes,
        path: [...row.path],
        nulls,
        circuit: circuit.name,
        key: (ports.keys.get(circuit.name) as KnownWindowKey).key.hash,
        chunks,
      };
      blocks.push(cborBlock(ports.hash, proof));
      salts.push(ownSalts);
      ids.push(rowProofId(ports.hash, proof));
    }
  }
  return { blocks, salts, ids };
}

/**
 * A voter checks the executor's proofs: that they are of the drawn rows and columns, that each holds, and that each commitment
 * is of this node's own values. Returns their identities, or throws `PROOF_REJECTED` (kind `verification`).
 */
export async function checkWindowProofs(
  ports: WindowProofPorts,
  task: TaskPlan,
  last: Committed,
  draw: Draw,
): Promise<Uint8Array[]> {
  const finished = windowTable(task, last);
  const { form, table } = finished;
  const rows = await provenRows(ports, task, finished, draw.seed);
  const given = [...draw.proofs];
  const ids: Uint8Array[] = [];
  const about: RowProofSubject = {
    statement: last.statementCid,
    domain: ports.domain,
    epoch: ports.epoch,
    task: task.name,
    operator: form,
    table,
  };
  for (const column of provenColumns(form)) {
    const values = await valuesOf(ports, task, form, column, rows);
    for (const [i, row] of rows.entries()) {
      const { values: own, nulls } = values[i] as WindowContent;
      if (own.length === 0) continue;
      const next = given.shift();
      if (next === undefined) throw rejected(task, `row ${row.row} has none`);
      const proof = parseRowProof(decodeStrict(ports.hash, { cid: next.proof, bytes: await ports.read(next.proof) }));
      if (
        proof.row !== row.row ||
        proof.column !== column ||
        proof.nulls !== nulls ||
        !equalBytes(proof.values, row.bytes)
      ) {
        throw rejected(task, `row ${proof.row} is not the one drawn`);
      }
      const verdict = checkRowProof(ports.hash, ports.keys, proof, about);
      if (!verdict.ok) throw rejected(task, verdict.message);
      const { circuit, pieces } = piecesOf(task, form, column, row, values[i] as WindowContent);
      if (proof.circuit !== circuit.name)
        throw rejected(
          task,
          `row ${row.row} is proved by ${proof.circuit}, and ${circuit.name} is the one for its values`,
        );
      const committed = verdict.claims.map((claim) => claim.commitment);
      const expected = pieces.map((piece, chunk) =>
        commitWindowChunk(circuit, piece, elementOfHash(next.salts[chunk] ?? new Uint8Array(32))),
      );
      if (committed.length !== expected.length || committed.some((value, chunk) => value !== expected[chunk])) {
        throw rejected(task, `the commitment of row ${row.row} is not of this node's values`);
      }
      ids.push(rowProofId(ports.hash, proof));
    }
  }
  if (given.length > 0) throw rejected(task, "there are more than were drawn");
  return ids;
}

/** A window's values in pieces for the prover. Throws what cannot be proved, naming task, window and column. */
function piecesOf(task: TaskPlan, form: WindowForm, column: string, row: TableRow, { values }: WindowContent) {
  try {
    return chunkWindow(values);
  } catch (error) {
    const { start, keys } = windowOf(form, row.values);
    throw within(`tasks.${task.name}, ${windowText(start, keys)}, column ${column}`, error);
  }
}

async function valuesOf(
  ports: WindowProofPorts,
  task: TaskPlan,
  form: WindowForm,
  column: string,
  rows: readonly TableRow[],
): Promise<WindowContent[]> {
  const wanted = rows.map(({ values }) => windowOf(form, values));
  const cids = ports.ledger.executed(task.name).flatMap(({ slot }) => slot.input.batches);
  const input = ports.again?.(task) ?? batchesOf(ports, cids);
  try {
    return await windowValues(form, task.inputSchema, column, wanted, input);
  } catch (error) {
    throw error instanceof IpdmError && "window" in error.facts ? within(`tasks.${task.name}`, error) : error;
  }
}

async function* batchesOf(ports: WindowProofPorts, cids: readonly CID[]): AsyncGenerator<Batch> {
  for (const cid of cids) yield decodeBatch(await ports.read(cid));
}

function subject(
  ports: WindowProofPorts,
  task: TaskPlan,
  statement: CID,
  column: string,
  form: WindowForm,
  row: TableRow,
) {
  const [start, end, ...rest] = row.values;
  return {
    statement: statement.bytes,
    domain: ports.domain,
    epoch: ports.epoch,
    task: task.name,
    column,
    key: windowKeyBytes(rest.slice(0, form.keys.length)),
    windowStart: start as bigint,
    windowEnd: end as bigint,
  };
}

function rejected(task: TaskPlan, what: string): IpdmError {
  return new IpdmError("PROOF_REJECTED", `the executor's proofs for ${task.name} do not hold here: ${what}`, {
    kind: "verification",
    where: task.name,
  });
}
