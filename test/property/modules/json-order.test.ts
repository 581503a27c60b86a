import { afterAll, describe, expect, it } from "vitest";
import { openLane } from "../../../src/sandbox/lane.ts";
import { randomFrom } from "../../integration/journal/seeded-store.ts";
import { blockBatch, blockRow, callOf, eraBlocks, loadBuiltIn } from "../../support/ethereum-module.ts";
import { scrambledJson } from "../../support/scrambled-json.ts";
import { SEED } from "../../support/seed.ts";
import { loadSolana, slotBatch, slotRow, tableRows } from "../../support/solana-module.ts";
import { pair } from "../../support/solana-tampering.ts";

const ROUNDS = 12;
const lane = openLane();
afterAll(() => lane.close());

describe("the order of keys, keys that nobody knows and white space", () => {
  it.each(["full", "none"])("change nothing in tables of Ethereum's blocks at %s", async (verify) => {
    const eras = await eraBlocks();
    for (const table of ["blocks", "transactions", "logs"]) {
      const module = await loadBuiltIn(lane, "ethereum", { table, verify });
      const expected = await callOf(module, blockBatch(eras.map((era) => blockRow(era))));
      for (let round = 0; round < ROUNDS; round++) {
        const random = randomFrom(SEED + round);
        const rows = eras.map((era) => {
          const [block, receipts] = [scrambledJson(era.block, random), scrambledJson(era.receipts, random)];
          return blockRow(era, { block, receipts });
        });
        const found = await callOf(module, blockBatch(rows));
        expect(Buffer.from(found.bytes).equals(Buffer.from(expected.bytes))).toBe(true);
      }
    }
  });

  it("change nothing in tables of Solana's blocks", async () => {
    for (const table of ["blocks", "transactions", "instructions", "token_transfers", "balance_changes", "votes"]) {
      const module = await loadSolana(lane, { table, verify: table === "blocks" ? "full" : "none" });
      for (const encoding of ["json", "base64"] as const) {
        const row = slotRow(9, pair(encoding));
        const expected = await tableRows(module, slotBatch([row]));
        for (let round = 0; round < ROUNDS; round++) {
          const block = scrambledJson(JSON.parse(row.block), randomFrom(SEED + round));
          const found = await tableRows(module, slotBatch([{ ...row, block }]));
          // The text of an error is shown as it stands.
          const plain = (rows: Record<string, unknown>[]): unknown => rows.map(({ err: _, ...rest }) => rest);
          expect(plain(found)).toEqual(plain(expected));
        }
      }
    }
  });
});
