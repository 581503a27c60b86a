import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunOptions, RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { writeSmall } from "../../support/small-flights.ts";

const ROWS = 5000;

let folder: TestFolder;
let config: string;
let first: RunSummary;
let table: string;

beforeAll(async () => {
  folder = await makeTestFolder("same");
  config = await writeSmall(folder.path, { rows: ROWS });
  first = await go({});
  table = await readFile(first.outputs[0]?.file ?? "", "utf8");
});
afterAll(() => folder.remove());

async function go(options: Partial<RunOptions>): Promise<RunSummary & { readonly outDir: string }> {
  const outDir = options.outDir ?? folder.fresh("out");
  return { ...(await runConfig({ configPath: config, ...options, outDir })), outDir };
}

describe("the same configuration over the same input", () => {
  it.each<[string, Partial<RunOptions>]>([
    ["another empty folder", {}],
    ["batches of 100 rows", { batchRows: 100 }],
    ["three replicas and batches of 1000 rows", { replicas: 3, batchRows: 1000 }],
  ])("has the same result with %s, and its receipt holds", async (_name, options) => {
    const again = await go(options);
    expect(again.result).toBe(first.result);
    expect(again.reused).toEqual([]);
    expect(again.rows).toEqual(first.rows);
    expect(await readFile(again.outputs[0]?.file ?? "", "utf8")).toBe(table);
    await audit(again.outDir);
  });

  it("has the same result when voters check a drawn share and windows are proved", async () => {
    const dir = folder.fresh("sample");
    await mkdir(dir);
    const configPath = await writeSmall(dir, {
      rows: ROWS,
      prove: 1,
      replicas: 3,
      domain: ", verify: sample, share: 0.5",
    });
    const again = await go({ configPath });
    expect(again.result).toBe(first.result);
    await audit(again.outDir);
  });

  it("has another result with one number changed", async () => {
    const dir = folder.fresh("other");
    await mkdir(dir);
    const configPath = await writeSmall(dir, { rows: ROWS - 1 });
    expect((await go({ configPath })).result).not.toBe(first.result);
  });
});

describe("a run in the folder of a finished one", () => {
  it("reuses every stage, writes what is gone, and says the same", async () => {
    const { outDir } = await go({});
    const file = join(outDir, "daily.csv");
    await rm(file);
    await rm(join(outDir, "receipt.car"));
    const notices: string[] = [];
    const again = await go({ outDir, onNotice: ({ message }) => notices.push(message) });
    expect(again.reused).toEqual(["delayed", "daily"]);
    expect(notices).toEqual(["delayed: reused", "daily: reused"]);
    expect(again.result).toBe(first.result);
    expect(await readFile(file, "utf8")).toBe(table);
    await audit(outDir);
  });

  it("recomputes only what another aggregate changes", async () => {
    const dir = folder.fresh("changed");
    await mkdir(dir);
    const outDir = join(dir, "out");
    await go({ configPath: await writeSmall(dir, { rows: ROWS }), outDir });
    const configPath = await writeSmall(dir, {
      rows: ROWS,
      aggregate: "{ flights: count(), furthest: max(distance) }",
    });
    const changed = await go({ configPath, outDir });
    expect(changed.reused).toEqual(["delayed"]);
    expect(changed.result).not.toBe(first.result);
    expect(await readFile(join(outDir, "daily.csv"), "utf8")).toMatch(/^start,end,origin,flights,furthest\n/);
    await audit(outDir);
    const back = await go({ configPath: await writeSmall(dir, { rows: ROWS }), outDir });
    expect(back.reused).toEqual(["delayed", "daily"]);
    expect(back.result).toBe(first.result);
    await audit(outDir);
  });

  it("recomputes all when it has to be fresh", async () => {
    const { outDir, root } = await go({ replicas: 3 });
    const fresh = await go({ outDir, replicas: 3, fresh: true });
    expect(fresh.reused).toEqual([]);
    expect(fresh.result).toBe(first.result);
    expect(fresh.root).not.toBe(root);
    await audit(outDir);
    expect((await go({ outDir, replicas: 3 })).reused).toEqual(["delayed", "daily"]);
  });

  it("goes on with more or fewer replicas, and other batches", async () => {
    const { outDir } = await go({});
    for (const options of [{ replicas: 3 }, { replicas: 1, batchRows: 500 }]) {
      expect((await go({ outDir, ...options })).result).toBe(first.result);
      await audit(outDir);
    }
  });
});
