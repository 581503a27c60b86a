import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { withData } from "../../../src/audit/audited.ts";
import { completenessOf } from "../../../src/audit/completeness.ts";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const EVENTS = 6000;
const CONFIG = `name: generated
domain: { id: auctions }
sources:
  bids: { generate: { nexmark: bids, events: ${EVENTS}, rate: 100 }, time: { column: date_time } }
tasks:
  q5: { input: bids, window: { hop: 10s, every: 2s }, key: [auction], aggregate: { num: count() } }
outputs:
  q5: { input: q5, file: q5.csv }
`;

let folder: TestFolder;
let first: RunSummary & { readonly outDir: string };

beforeAll(async () => {
  folder = await makeTestFolder("generated");
  await writeFile(join(folder.path, "ipdm.yaml"), CONFIG);
  first = await go(4096);
});
afterAll(() => folder.remove());

async function go(batchRows: number): Promise<RunSummary & { readonly outDir: string }> {
  const outDir = folder.fresh("out");
  return { ...(await runConfig({ configPath: join(folder.path, "ipdm.yaml"), outDir, batchRows })), outDir };
}

describe("a run over generated rows", () => {
  it("has the same result in other batches", async () => {
    const again = await go(100);
    expect(again.result).toBe(first.result);
    expect(again.rows.in).toBe((EVENTS / 50) * 46);
  });

  it("keeps none of them, and is replayed from its receipt and states", async () => {
    const segments = join(first.outDir, ".data", "alpha", "store", "segments");
    const bytes = await Promise.all((await readdir(segments)).map((name) => readFile(join(segments, name))));
    expect(Buffer.concat(bytes).includes("https://www.nexmark.com/")).toBe(false);
    const receipt = join(first.outDir, "receipt.car");
    const { ok, report } = await replayReceiptFile(receipt, { data: join(first.outDir, ".data") });
    expect(ok).toBe(true);
    expect(report).toMatchObject({ rows: first.rows.in, generated: ["bids"], mismatches: [] });
    await expect(
      replayReceiptFile(receipt, { data: join(first.outDir, ".data"), inputs: { bids: "bids.csv" } }),
    ).rejects.toMatchObject({ code: "INPUT_UNKNOWN" });
  });

  it("is shown to be about all of them, since anyone can generate them", async () => {
    const path = join(first.outDir, "receipt.car");
    const { receipt } = await verifyReceiptFile(path);
    if (receipt === undefined) return expect.unreachable();
    const { signal } = new AbortController();
    const { proved } = await withData(path, receipt, {}, (input) => completenessOf(receipt, input, signal));
    expect(proved.map(({ message }) => message)).toContainEqual(
      "the 5520 rows of bids are the bids of nexmark/1, 6000 events at 100 a second: each was generated again",
    );
    const anchors = new Map([["bids", { ...receipt.anchors.get("bids"), rate: 101 }]]) as typeof receipt.anchors;
    await expect(
      withData(path, receipt, {}, (input) => completenessOf({ ...receipt, anchors }, input, signal)),
    ).rejects.toMatchObject({ code: "INPUT_DIFFERS" });
  });
});
