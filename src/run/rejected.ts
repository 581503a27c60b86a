import type { RunNode } from "../../actors/node/run-node.ts";
import { decodeBatch } from "../batch/batch.ts";
import { valueAt } from "../batch/column.ts";
import { rejectedOf } from "../config/chain-task.ts";
import { MAIN } from "../runtime/plan.ts";

/**
 * Counts, from certified tables, the logs that each task with events did not decode, by reason. Throws `NEEDS_DATA` where a batch of a
 * node's own is gone.
 */
export async function rejectedCounts(node: RunNode): Promise<Record<string, Record<string, number>>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { name } of node.ports.plan.tasks) {
    const of = rejectedOf(name);
    if (of === undefined) continue;
    const reasons: Record<string, number> = {};
    for (const { statement } of node.ledger.commits(name)) {
      for (const cid of statement.outputs[MAIN]?.batches ?? []) {
        const batch = decodeBatch(await node.reader.read(cid));
        const column = batch.column("reason");
        for (let row = 0; row < batch.rows; row++) {
          const reason = String(valueAt(column, row));
          reasons[reason] = (reasons[reason] ?? 0) + 1;
        }
      }
    }
    counts[of] = reasons;
  }
  return counts;
}
