import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";
import { type SlotRow, slotRow } from "../../support/solana-module.ts";
import { madeKey, madeTransaction, SYSTEM, signerKey, TOKEN, VOTE } from "../../support/solana-transactions.ts";

const configPath = fileURLToPath(new URL("../../../examples/solana-fees/ipdm.yaml", import.meta.url));
const folder = await makeTestFolder("solana-fees");
afterAll(() => folder.remove());

/** Two blocks of one minute and one of the next. Their transactions differ by the slot. */
const blocks = [100, 101, 160].map((slot) =>
  slotRow(
    slot,
    [SYSTEM, TOKEN, VOTE].map((program) =>
      madeTransaction(
        {
          instructions: [{ program, accounts: [signerKey("payer"), madeKey("target")], data: Uint8Array.of(slot) }],
          meta: { fee: slot, computeUnitsConsumed: 10 },
        },
        slot === 101 ? "base64" : "json",
      ),
    ),
    slot === 160 ? { parentSlot: 101, previousBlockhash: blockhashOf(101) } : {},
  ),
);

function blockhashOf(slot: number): string {
  return slotRow(slot, []).blockhash;
}

async function run(rows: readonly SlotRow[]): Promise<{ readonly outDir: string; readonly work: Promise<unknown> }> {
  const place = folder.fresh("slots");
  await mkdir(place);
  for (const { slot, block } of rows) await writeFile(join(place, `${slot}.json`), block);
  const outDir = folder.fresh("out");
  return { outDir, work: runConfig({ configPath, outDir, inputs: { slots: place } }) };
}

async function tableOf(outDir: string): Promise<string[][]> {
  const text = await readFile(join(outDir, "fees.csv"), "utf8");
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(","));
}

describe("examples/solana-fees", () => {
  it("sums fees and compute units by program and minute", async () => {
    const { outDir, work } = await run(blocks);
    await work;
    const [head, ...rows] = await tableOf(outDir);
    expect(head).toEqual(["start", "end", "program", "transactions", "fees", "highest_fee", "compute_units"]);
    const early = rows.filter(([start]) => start === "2023-11-14T22:15:00Z");
    const late = rows.filter(([start]) => start !== "2023-11-14T22:15:00Z");
    expect(early.map((row) => row.slice(2))).toEqual(
      [SYSTEM, TOKEN, VOTE].map((program) => [program, "2", "201", "101", "20"]),
    );
    expect(late.map((row) => row.slice(3))).toEqual([1, 2, 3].map(() => ["1", "160", "160", "10"]));
  });

  it("stops where a block was changed, and nothing comes out", async () => {
    const changed = (row: SlotRow): SlotRow => ({
      ...row,
      block: row.block.replace('"programIdIndex":2', '"programIdIndex":1'),
    });
    const { outDir, work } = await run(blocks.map((row) => (row.slot === 160 ? changed(row) : row)));
    await expect(work).rejects.toMatchObject({ code: "SOLANA_SIGNATURE_INVALID", kind: "verification" });
    expect((await readdir(outDir).catch(() => [])).filter((name) => /fees|receipt/.test(name))).toEqual([]);
  });
});
