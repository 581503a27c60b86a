import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import { change, changed } from "../../support/changed-json.ts";
import { blockBatch, blockRow, callOf, eraBlocks, loadBuiltIn } from "../../support/ethereum-module.ts";
import { failureOf } from "../../support/rows.ts";

const RUNS = 300;
const SETTINGS = [
  { table: "logs", verify: "full" },
  { table: "transactions", verify: "none", senders: "trust" },
  { table: "blocks", verify: "hash" },
  { table: "logs", verify: "none" },
  { table: "withdrawals", verify: "none" },
] as const;

const lane = openLane();
afterAll(() => lane.close());

describe("a block of Ethereum with changes at random", () => {
  it("becomes a table or is refused by name, and never traps", async () => {
    const rows = (await eraBlocks()).map((era) => blockRow(era));
    const modules = await Promise.all(SETTINGS.map((settings) => loadBuiltIn(lane, "ethereum", settings)));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rows),
        fc.constantFrom("block", "receipts"),
        fc.array(change, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...modules),
        async (row, part, changes, module) => {
          const text = changes.reduce(changed, row[part as "block" | "receipts"]).toWellFormed();
          const { code } = await failureOf(callOf(module, blockBatch([{ ...row, [part]: text }])));
          expect(code).toMatch(/^(ETH_|no error)/);
        },
      ),
      { numRuns: RUNS },
    );
  });
});
