import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("config-places");
afterAll(() => folder.remove());

const CONFIG = [
  "name: places",
  "sources:",
  "  rows: { file: ./rows.csv, columns: { at: timestamp, who: utf8, size: i64, share: f64 }, time: { column: at } }",
  "tasks:",
  "  daily:",
  "    input: rows",
  "    window: { tumble: 1d }",
  "    key: [who]",
  "    aggregate: { n: count(), total: sum(size) }",
  "    prove: window",
  "outputs: { table: { input: daily, file: daily.csv } }",
  "",
].join("\n");

it.each([
  ["a time column that is not there", "column: at", "column: att", "att", "COLUMN_MISSING", /^did you mean at\?/],
  ["a time column of another type", "column: at", "column: who", "who }", "TIME_COLUMN_TYPE", /timestamp/],
  ["a key that is not there", "[who]", "[whom]", "whom", "COLUMN_MISSING", /^did you mean who\?/],
  ["a key of a float", "[who]", "[share]", "share]", "KEY_TYPE", /integer/],
  [
    "an aggregate's column that is not there",
    "sum(size)",
    "sum(price)",
    "sum(price)",
    "COLUMN_MISSING",
    /^columns here/,
  ],
  ["a sum of text", "sum(size)", "sum(who)", "sum(who)", "AGGREGATE_TYPE", /numbers/],
  ["proofs of floats", "sum(size)", "sum(share)", "window\n", "PROVE_COLUMN", /integer/],
  ["a column that its file has not", "who: utf8", "Who: utf8", "utf8", "COLUMN_MISSING", /^did you mean who\?/],
])("%s is named by line and column of the configuration", async (_, before, after, at, code, hint) => {
  const dir = folder.fresh("run");
  await mkdir(dir);
  await writeFile(join(dir, "rows.csv"), "at,who,size,share\n2024-01-01T00:00:00Z,a,1,0.5\n");
  const configPath = join(dir, "ipdm.yaml");
  const text = CONFIG.replace(before, after).replace(
    "key: [who]",
    after.startsWith("Who") ? "key: [Who]" : "key: [who]",
  );
  await writeFile(configPath, text);
  const lines = text.slice(0, text.lastIndexOf(at)).split("\n");
  await expect(runConfig({ configPath, outDir: join(dir, "out") })).rejects.toMatchObject({
    code,
    kind: "config",
    where: `${configPath}:${lines.length}:${(lines.at(-1) as string).length + 1}`,
    hint: expect.stringMatching(hint),
  });
});
