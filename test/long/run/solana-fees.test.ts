import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const configPath = fileURLToPath(new URL("../../../examples/solana-fees/ipdm.yaml", import.meta.url));
const MAINNET = fileURLToPath(new URL("../../../../shared/data/solana/332254855.getBlock.json.gz", import.meta.url));
const present = existsSync(MAINNET);
if (!present) console.warn("skipped: the blocks of Solana are not at ../shared/data/solana");

const folder = await makeTestFolder("solana-fees");
afterAll(() => folder.remove());

describe.runIf(present)("examples/solana-fees over a block of mainnet", () => {
  it("gives its fees and compute units, the same for three nodes", async () => {
    const tables: string[] = [];
    for (const replicas of [1, 3]) {
      const outDir = folder.fresh("out");
      await runConfig({ configPath, outDir, inputs: { slots: MAINNET }, replicas });
      tables.push(await readFile(join(outDir, "fees.csv"), "utf8"));
    }
    expect(tables[1]).toBe(tables[0]);
    const rows = (tables[0] ?? "").trimEnd().split("\n").slice(1);
    const sum = (column: number): number => rows.reduce((all, row) => all + Number(row.split(",")[column]), 0);
    expect([sum(3), sum(4), sum(6)]).toEqual([1445, 18_068_306, 44_194_105]);
  });
});
