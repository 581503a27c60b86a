import { join } from "node:path";
import { replayReceiptFile } from "../../src/audit/replay-file.ts";
import { verifyReceiptFile } from "../../src/audit/verify-file.ts";

/** Verifies and replays the receipt of an out folder; both have to pass. */
export async function audit(outDir: string, data = join(outDir, ".data")): Promise<void> {
  const receipt = join(outDir, "receipt.car");
  const verified = await verifyReceiptFile(receipt);
  if (!verified.ok) throw new Error(`not verified: ${JSON.stringify(verified.fault)}`);
  const replayed = await replayReceiptFile(receipt, { data, isolation: "thread" });
  if (!replayed.ok) throw new Error(`not replayed: ${JSON.stringify(replayed.fault ?? replayed.report?.mismatches)}`);
}
