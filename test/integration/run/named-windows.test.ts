import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("named-windows");
afterAll(() => folder.remove());

// Keys that are easily taken for one another: none, the text null, the empty text, and x behind a byte order mark.
const ROWS = ["", "null", '""', "x", '"\u{feff}x"'].map((key, i) => `2024-01-01T00:00:0${i}Z,${key},${i - 2}`);

async function write(name: string, windows: string, replicas: number): Promise<string> {
  const dir = folder.fresh(name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, "rows.csv"), ["at,key,value", ...ROWS, ""].join("\n"));
  const config = [
    "name: named",
    `domain: { replicas: ${replicas} }`,
    "sources: { rows: { file: ./rows.csv, time: { column: at } } }",
    "tasks:",
    `  daily: { input: rows, window: { tumble: 1d }, key: [key], aggregate: { total: sum(value) }, prove: { windows: ${windows} } }`,
    "outputs: { table: { input: daily, file: daily.csv } }",
    "",
  ];
  await writeFile(join(dir, "ipdm.yaml"), config.join("\n"));
  return join(dir, "ipdm.yaml");
}

describe("windows named to be proved", () => {
  it("are those of exactly that key, null and odd texts included, for all nodes and for verify", async () => {
    const keys = [null, "\u{feff}x"];
    const windows = JSON.stringify(keys.map((key) => ({ start: "2024-01-01", key: [key] })));
    const configPath = await write("odd", windows, 2);
    const { proofs, receipt } = await runConfig({ configPath, outDir: folder.fresh("odd-out") });
    expect(proofs).toBe(keys.length);
    expect(await verifyReceiptFile(receipt)).toMatchObject({ ok: true, checks: { groth16: { count: keys.length } } });
  });

  it("have to be in the table: the one that is not is named", async () => {
    const windows = '[{ start: 2024-01-01, key: [x] }, { start: 2024-01-02, key: ["y"] }]';
    const configPath = await write("missing", windows, 1);
    await expect(runConfig({ configPath, outDir: folder.fresh("missing-out") })).rejects.toMatchObject({
      code: "PROVE_WINDOW_MISSING",
      kind: "config",
      where: "tasks.daily.prove",
      message: expect.stringContaining("window 2024-01-02 of y"),
    });
  });
});
