import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import { change, changed } from "../../support/changed-json.ts";
import { loadSolana, slotBatch, slotRow, tableRows } from "../../support/solana-module.ts";
import { pair } from "../../support/solana-tampering.ts";

const RUNS = 150;
/** Each table once, most without what stops at the first signature. */
const SETTINGS = [
  { table: "transactions", verify: "none" },
  { table: "instructions", verify: "full" },
  { table: "token_transfers", verify: "none" },
  { table: "balance_changes", verify: "links" },
  { table: "votes", verify: "none" },
] as const;

const lane = openLane();
afterAll(() => lane.close());

const good = (["json", "base64"] as const).map((encoding) => slotRow(9, pair(encoding)));

describe("a block of Solana with changes at random", () => {
  it("becomes a table or is refused by name, and never traps", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...good),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...SETTINGS),
        async (row, changes, asked) => {
          const block = changes.reduce(changed, row.block);
          const module = await loadSolana(lane, asked);
          const code = await tableRows(module, slotBatch([{ ...row, block: block.toWellFormed() }])).then(
            () => "SOLANA_",
            (error: { code?: string }) => error.code,
          );
          expect(code).toMatch(/^SOLANA_/);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
