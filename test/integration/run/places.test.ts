import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("places");
afterAll(() => folder.remove());

const LARGE = "9223372036854775807";

/** What a run over these rows ends with. */
async function failure(
  rows: readonly string[],
  prove = "",
  type = "i64",
  aggregate = "total: sum(value)",
): Promise<unknown> {
  const dir = folder.fresh("run");
  await mkdir(dir);
  await writeFile(join(dir, "rows.csv"), ["at,key,value", ...rows].join("\n"));
  const configPath = join(dir, "ipdm.yaml");
  const config = [
    "name: places",
    `sources: { rows: { file: ./rows.csv, columns: { at: timestamp, key: utf8, value: ${type} }, time: { column: at, outOfOrder: 0s } } }`,
    `tasks: { daily: { input: rows, window: { tumble: 1d }, key: [key], aggregate: { ${aggregate} }${prove} } }`,
    "outputs: { table: { input: daily, file: daily.csv } }",
    "",
  ].join("\n");
  await writeFile(configPath, config);
  return runConfig({ configPath, outDir: join(dir, "out"), batchRows: 2 }).then(
    () => "no failure",
    (error: unknown) => error,
  );
}

const day = (date: string, key: string, value: number | string): string => `${date}T00:00:00Z,${key},${value}`;

describe("an error of a row", () => {
  it("names task, source and row where a time is out of range or missing", async () => {
    const before = Array.from({ length: 5 }, (_, i) => day("2024-01-01", "a", i));
    expect(await failure([...before, day("1600-01-01", "a", 1)])).toMatchObject({
      code: "TIME_RANGE",
      where: "tasks.daily, input rows, row 5",
      message: expect.stringContaining("row 5"),
      facts: { row: 5 },
    });
    expect(await failure([...before, ",a,1"])).toMatchObject({
      code: "TIME_NULL",
      where: "tasks.daily, input rows, row 5",
    });
  });

  it("names task, window and key where a sum leaves 64 bits", async () => {
    const rows = [day("2024-01-01", "a", 1), day("2024-01-01", "b", LARGE), day("2024-01-01", "b", 1)];
    expect(await failure([...rows, day("2024-01-02", "a", 1)])).toMatchObject({
      code: "AGGREGATE_OVERFLOW",
      where: "tasks.daily, window 2024-01-01 of b",
      message: expect.stringContaining("total"),
      hint: expect.any(String),
    });
  });

  it("names task, window, key and column where a proof cannot hold a value, and what to do", async () => {
    const rows = [day("2024-01-01", "a", 1), day("2024-01-01", "b", "9223372036854775808")];
    expect(await failure(rows, ", prove: { windows: 2 }", "u64", "most: max(value)")).toMatchObject({
      code: "PROOF_VALUE_OUT_OF_RANGE",
      where: "tasks.daily, window 2024-01-01 of b, column value",
      message: expect.stringContaining("9223372036854775808, which is no signed 64-bit integer"),
      hint: expect.stringContaining("prove"),
    });
  });

  it("names each window to be proved that the table does not have", async () => {
    const windows = (...keys: string[]): string =>
      `, prove: { windows: [${keys.map((key) => `{ start: 2024-01-01, key: [${key}] }`).join(", ")}] }`;
    const rows = [day("2024-01-01", "a", 1), day("2024-01-02", "b", 2)];
    expect(await failure(rows, windows("a", "b", "c"))).toMatchObject({
      code: "PROVE_WINDOW_MISSING",
      kind: "config",
      where: "tasks.daily.prove",
      message: expect.stringMatching(/window 2024-01-01 of b.*window 2024-01-01 of c/),
      hint: expect.stringContaining("windows"),
    });
    expect(await failure(rows, windows("a"))).toBe("no failure");
  });
});
