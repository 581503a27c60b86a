import type { CID } from "multiformats/cid";
import type { ShownCommit } from "../../proofs/receipt/contents.ts";
import type { Batch } from "../batch/batch.ts";
import { rawBlock } from "../dag/block.ts";
import { sha256 } from "../node.ts";
import { type AuditInput, difference } from "./input-data.ts";
import type { Mismatch } from "./replay.ts";

/** The first batch of an output that is not the recorded one, and the row in it where the recorded rows are at hand. */
export async function outputMismatch(
  input: AuditInput,
  commit: ShownCommit,
  port: string,
  made: readonly Batch[],
): Promise<Mismatch | undefined> {
  const where = `${commit.slot.task}/${commit.slot.seq}`;
  const recorded = commit.statement.outputs[port];
  const cids = made.map((batch) => rawBlock(sha256, batch.bytes).cid);
  const wanted = recorded?.batches ?? [];
  let first = recorded?.from ?? 0;
  for (let i = 0; i < Math.max(cids.length, wanted.length); i++) {
    const [own, theirs, batch] = [cids[i], wanted[i], made[i]];
    if (own === undefined || theirs === undefined || !own.equals(theirs)) {
      const { row, rows, message } = await differenceIn(input, batch, theirs, first);
      const said = `statement ${where} differs in batch ${i} of its output ${port}: ${message}`;
      return { code: "OUTPUT_DIFFERS", where, message: said, batch: i, row, rows };
    }
    first += batch?.rows ?? 0;
  }
  return undefined;
}

async function differenceIn(
  input: AuditInput,
  made: Batch | undefined,
  recorded: CID | undefined,
  from: number,
): Promise<{ row: number; rows: number; message: string }> {
  if (made === undefined) return { row: from, rows: 1, message: `it ends before row ${from}` };
  if (recorded === undefined) return { row: from, rows: 1, message: `it goes on with row ${from}` };
  return difference(await input.recorded(recorded), made, from);
}
