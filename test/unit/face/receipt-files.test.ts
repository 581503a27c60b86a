import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { toHex } from "../../../src/core/bytes.ts";
import {
  aggregate,
  count,
  eventTime,
  keyBy,
  openStream,
  type RunSummary,
  replayReceiptFile,
  runConfig,
  sum,
  toRows,
  tumble,
  verifyReceiptFile,
} from "../../../src/index.ts";

// dag-cbor would sort these columns otherwise, and their order is part of the batches.
const CONFIG = `
name: faces
domain: { replicas: 1 }
sources:
  rows: { file: ./rows.csv, columns: { moment: timestamp, who: utf8, n: i32 }, time: { column: moment, outOfOrder: 0s } }
tasks:
  hourly: { input: rows, window: { tumble: 1h }, key: [who], aggregate: { rows: count(), total: sum(n) } }
outputs:
  table: { input: hourly, file: hourly.csv }
`;
const ROWS = 600;

let dir = "";
let summary: RunSummary;
const inDir = (name: string): string => join(dir, name);

function rows(changed?: number): string {
  const line = (i: number): string =>
    `${new Date(Date.UTC(2026, 0, 1, 0, i)).toISOString()},${["ann", "bob", "cyd"][i % 3] ?? ""},${i === changed ? -1 : i}`;
  return ["moment,who,n", ...Array.from({ length: ROWS }, (_, i) => line(i)), ""].join("\n");
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "ipdm-face-"));
  await writeFile(inDir("ipdm.yaml"), CONFIG);
  await writeFile(inDir("rows.csv"), rows());
  summary = await runConfig({ configPath: inDir("ipdm.yaml"), outDir: inDir("out"), batchRows: 100 });
});

afterAll(() => rm(dir, { recursive: true, force: true }));

describe("verifyReceiptFile", { timeout: 60_000 }, () => {
  it("verifies a receipt by itself, by its keys and by its result", async () => {
    const verdict = await verifyReceiptFile(summary.receipt);
    expect(verdict).toMatchObject({
      ok: true,
      trust: "self-asserted",
      production: false,
      quorum: { n: 1, q: 1, f: 0 },
    });
    const keys = verdict.receipt?.membership.members.map(toHex) ?? [];
    const trusted = await verifyReceiptFile(summary.receipt, { trust: keys, expect: summary.result });
    expect(trusted).toMatchObject({ ok: true, trust: "trusted" });
    await writeFile(inDir("keys.json"), JSON.stringify({ keys }));
    expect(await verifyReceiptFile(summary.receipt, { trust: inDir("keys.json") })).toMatchObject({
      ok: true,
      trust: "trusted",
    });
  });

  it("puts what is wrong into the verdict, and throws only what stops it", async () => {
    const other = await verifyReceiptFile(summary.receipt, { trust: ["00".repeat(32)] });
    expect(other).toMatchObject({ ok: false, fault: { code: "VOTE_UNTRUSTED" } });
    const elsewhere = await verifyReceiptFile(summary.receipt, { expect: summary.root });
    expect(elsewhere).toMatchObject({ ok: false, fault: { code: "RESULT_UNEXPECTED" } });
    await expect(verifyReceiptFile(inDir("none.car"))).rejects.toMatchObject({ code: "RECEIPT_MISSING" });
    for (const trust of [[], ["zz"], inDir("rows.csv")]) {
      await expect(verifyReceiptFile(summary.receipt, { trust })).rejects.toMatchObject({ code: "TRUST_UNREADABLE" });
    }
  });
});

describe("replayReceiptFile", { timeout: 60_000 }, () => {
  it("finds everything the same, from the data folder and from the file", async () => {
    for (const inputs of [{}, { rows: inDir("rows.csv") }]) {
      const seen: number[] = [];
      const replay = await replayReceiptFile(summary.receipt, { inputs, onProgress: (done) => seen.push(done) });
      expect(replay).toMatchObject({ ok: true, fault: undefined, report: { ok: true, rows: ROWS, mismatches: [] } });
      expect(seen.at(-1)).toBe(replay.report?.statements);
    }
  });

  it("names the row that was changed", async () => {
    await writeFile(inDir("changed.csv"), rows(345));
    const replay = await replayReceiptFile(summary.receipt, { inputs: { rows: inDir("changed.csv") } });
    expect(replay).toMatchObject({
      ok: false,
      report: { mismatches: [{ code: "INPUT_DIFFERS", batch: 3, row: 345 }] },
    });
  });

  it("does not replay what does not verify, and says what it needs", async () => {
    const bytes = await readFile(summary.receipt);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(inDir("bad.car"), bytes);
    const bad = await replayReceiptFile(inDir("bad.car"));
    expect(bad).toMatchObject({ ok: false, fault: { code: "DAG_CID_MISMATCH" }, report: undefined });
    const data = inDir("nowhere");
    await expect(replayReceiptFile(summary.receipt, { data })).rejects.toMatchObject({
      code: "NEEDS_DATA",
      kind: "unreachable",
    });
    const modules = { nothing: inDir("rows.csv") };
    await expect(replayReceiptFile(summary.receipt, { modules })).rejects.toMatchObject({ code: "TASK_UNKNOWN" });
    await expect(replayReceiptFile(summary.receipt, { modules: { hourly: data } })).rejects.toMatchObject({
      code: "MODULE_MISSING",
    });
  });
});

describe("openStream", { timeout: 60_000 }, () => {
  const totals = async (batchRows: number): Promise<readonly unknown[]> => {
    const found: unknown[] = [];
    const columns = { moment: "timestamp", who: "utf8", n: "i32" } as const;
    const hourly = openStream({ file: inDir("rows.csv"), columns }, { batchRows }).pipe(
      eventTime("moment", { outOfOrder: "0s" }),
      keyBy("who"),
      tumble("1h"),
      aggregate({ rows: count(), total: sum("n") }),
      toRows(),
    );
    await hourly.forEach(({ who, rows, total }) => found.push([who, Number(rows), Number(total)]));
    return found;
  };

  it("gives the same table as the pipeline, for any size of batches", async () => {
    const table = (await readFile(summary.outputs[0]?.file ?? "", "utf8")).trimEnd().split("\n").slice(1);
    const expected = table
      .map((line) => line.split(",").slice(2))
      .map(([who, n, total]) => [who, Number(n), Number(total)]);
    expect(expected).toHaveLength(30);
    expect(await totals(1)).toEqual(expected);
    expect(await totals(4096)).toEqual(expected);
  });

  it("opens lazily, again for each subscription, and fails as the stream's error", async () => {
    const missing = openStream(inDir("none.csv"));
    for (let i = 0; i < 2; i++)
      await expect(missing.forEach(() => undefined)).rejects.toMatchObject({ code: "SOURCE_MISSING" });
    expect(() => openStream(inDir("rows.csv"), { credits: 0 })).toThrow(/credits/);
    const stop = AbortSignal.abort(new Error("enough"));
    await expect(openStream(inDir("rows.csv"), { signal: stop }).forEach(() => undefined)).rejects.toThrow("enough");
  });
});
