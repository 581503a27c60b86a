import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import type { RunOptions, RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { compileModule } from "../../../tools/build-modules.ts";
import { audit } from "../../support/audit.ts";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { type LedgerOptions, ledgerOf, paymentLines, writeLedger } from "../../support/small-ledger.ts";

const ROWS = 5000;

let folder: TestFolder;
let config: string;
let first: RunSummary;

beforeAll(async () => {
  folder = await makeTestFolder("stateful");
  config = await writeLedger(folder.path, { rows: ROWS });
  first = await go({});
});
afterAll(() => folder.remove());

async function go(options: Partial<RunOptions>): Promise<RunSummary & { readonly outDir: string }> {
  const outDir = options.outDir ?? folder.fresh("out");
  return { ...(await runConfig({ configPath: config, ...options, outDir })), outDir };
}

async function another(options: Partial<LedgerOptions>): Promise<string> {
  const dir = folder.fresh("config");
  await mkdir(dir);
  return writeLedger(dir, { rows: ROWS, ...options });
}

describe("a run with a stateful module", () => {
  it("gives what the module is to give", async () => {
    expect(await readFile(first.outputs[0]?.file ?? "", "utf8")).toBe(ledgerOf(paymentLines(ROWS)));
  });

  it.each<[string, Partial<RunOptions>]>([
    ["batches of 7 rows, and so several slots", { batchRows: 7 }],
    ["three replicas and batches of 100 rows", { replicas: 3, batchRows: 100 }],
  ])("has the same result with %s, and its receipt holds", async (_name, options) => {
    const again = await go(options);
    expect(again.result).toBe(first.result);
    await audit(again.outDir);
  });

  it("has the same result when voters adopt some slots and execute others from states they were sent", async () => {
    const configPath = await another({ replicas: 3, domain: ", verify: sample, share: 0.4" });
    const again = await go({ configPath, batchRows: 5 });
    expect(again.result).toBe(first.result);
    await audit(again.outDir);
  });

  it("has another result where a unit has other rows: that is part of what is computed", async () => {
    const again = await go({ configPath: await another({ unit: 1000 }) });
    expect(again.result).not.toBe(first.result);
    expect(await readFile(again.outputs[0]?.file ?? "", "utf8")).toBe(ledgerOf(paymentLines(ROWS)));
  });

  it("names rows and module where the module stops, and the same command fails the same way", async () => {
    const outDir = folder.fresh("out");
    const configPath = await another({ broken: 3000 });
    for (let i = 0; i < 2; i++) {
      await expect(go({ configPath, outDir, batchRows: 7 })).rejects.toMatchObject({
        code: "MODULE_TRAP",
        message: expect.stringMatching(/booked.*module ledger trapped on rows 2048 to 3071/s),
      });
    }
  });

  it("is replayed with its states: a module that only keeps something else is found out by them", async () => {
    const source = "examples/stateful/module/ledger.ts";
    const text = await readFile(join(ROOT, source), "utf8");
    const outDir = folder.fresh("out");
    await go({ outDir, batchRows: 7 });
    const replayWith = async (from: string, to: string): Promise<string | undefined> => {
      const path = folder.fresh("module");
      await writeFile(path, await compileModule(ROOT, source, { [source]: text.replace(from, to) }));
      const receipt = join(outDir, "receipt.car");
      const { report } = await replayReceiptFile(receipt, { data: join(outDir, ".data"), modules: { booked: path } });
      expect(report?.mismatches[0]).toMatchObject({ code: "STATEMENT_DIFFERS", where: "booked/0" });
      return report?.mismatches[0]?.message;
    };
    expect(await replayWith("ACCOUNT_BYTES = 16", "ACCOUNT_BYTES = 24")).toContain("so does the state after it");
    // The same in other words.
    const same = await replayWith("if (seen == 0) {", "if (accounts == 0 && seen == 0) {");
    expect(same).not.toContain("so does the state after it");
  });
});
