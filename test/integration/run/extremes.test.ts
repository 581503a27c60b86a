import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("extremes");
afterAll(() => folder.remove());

async function write(name: string, lines: Iterable<string>, config: string): Promise<string> {
  const dir = folder.fresh(name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "rows.csv"), [...lines].join("\n"));
  await writeFile(join(dir, "ipdm.yaml"), config);
  return join(dir, "ipdm.yaml");
}

describe("tables at the edges of what a batch holds", () => {
  it("may have rows of kilobytes: batches stay small, and the result does not depend on them", async () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `${i},${String.fromCharCode(97 + (i % 26)).repeat(4000)}`);
    const config =
      "name: wide\nsources: { rows: { file: ./rows.csv, columns: { id: i64, text: utf8 } } }\noutputs: { copy: { input: rows, file: copy.csv } }\n";
    const configPath = await write("wide", ["id,text", ...rows], config);
    const results = [];
    for (const batchRows of [4096, 500])
      results.push(await runConfig({ configPath, batchRows, outDir: folder.fresh(`wide-${batchRows}`) }));
    expect(results.map((summary) => summary.rows)).toEqual([
      { in: 3000, out: 3000 },
      { in: 3000, out: 3000 },
    ]);
    expect(new Set(results.map((summary) => summary.result)).size).toBe(1);
  });

  it("may finish thousands of windows at once, from batches of one row", async () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `2024-01-01T00:00:00Z,k${i},${i}`);
    const config = [
      "name: many",
      "sources: { rows: { file: ./rows.csv, columns: { at: timestamp, key: utf8, value: i64 }, time: { column: at, outOfOrder: 0s } } }",
      "tasks: { daily: { input: rows, window: { tumble: 1d }, key: [key], aggregate: { total: sum(value) } } }",
      "outputs: { table: { input: daily, file: daily.csv } }",
      "",
    ].join("\n");
    const configPath = await write("many", ["at,key,value", ...rows], config);
    const results = [];
    for (const batchRows of [4096, 1])
      results.push(await runConfig({ configPath, batchRows, outDir: folder.fresh(`many-${batchRows}`) }));
    expect(results.map((summary) => summary.rows.out)).toEqual([5000, 5000]);
    expect(new Set(results.map((summary) => summary.result)).size).toBe(1);
  });
});
