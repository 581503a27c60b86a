import { loadavg, platform } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { audit } from "../../support/audit.ts";
import { build, endAll, FLIGHTS, lastJson, ROOT, run } from "../../support/command.ts";
import { dailyByDuckdb, dailyOfRun, difference, duckdb } from "../../support/duckdb.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const PARQUET = join(ROOT, "node_modules", "vega-datasets", "data", "flights-3m.parquet");
/** Most resident memory of the process, in bytes. */
const MEMORY_BYTES_MAX = 1.5e9;

let folder: TestFolder;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("flights");
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("the whole example on three replicas", () => {
  it("equals DuckDB's table, stays within its memory, holds, and is reused", { timeout: 240_000 }, async () => {
    const outDir = folder.fresh("out");
    const args = ["run", FLIGHTS, "--out", outDir, "--json"];
    const ended = await run(args);
    expect(ended.code, ended.stderr).toBe(0);
    const done = lastJson(ended);
    console.log(
      `${String(done["seconds"])} s, ${(ended.memoryBytes / 1e6).toFixed(0)} MB, load ${loadavg()[0]?.toFixed(1) ?? "?"}`,
    );
    if (platform() === "linux") expect(ended.memoryBytes).toBeGreaterThan(0);
    expect(ended.memoryBytes).toBeLessThan(MEMORY_BYTES_MAX);
    expect(done).toMatchObject({ rows: { in: 3_000_000, out: 28_646 }, quorum: { n: 3, q: 2 }, reused: [] });
    expect(Number(done["proofs"])).toBeGreaterThanOrEqual(2);
    expect(await difference(dailyOfRun(join(outDir, "daily.parquet")), dailyByDuckdb(PARQUET))).toEqual([0, 0, 28_646]);
    const order = await duckdb(
      `SELECT count(*) FROM (SELECT ("end", "start", origin) AS this, lag(("end", "start", origin)) OVER () AS before FROM '${join(outDir, "daily.parquet")}') WHERE this <= before`,
    );
    expect(Number(order[0]?.[0])).toBe(0);
    await audit(outDir);
    const again = lastJson(await run(args));
    expect(again).toMatchObject({ reused: ["delayed", "daily"], result: done["result"] });
  });
});
