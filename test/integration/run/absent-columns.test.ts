import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import type { RunNotice } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder } from "../../support/folder.ts";

const folder = await makeTestFolder("absent");
afterAll(() => folder.remove());

it("names declared columns of NDJSON that no row has, once", async () => {
  await writeFile(join(folder.path, "rows.ndjson"), '{"a":1,"n":null}\n{"a":2,"late":3}\n');
  const configPath = join(folder.path, "ipdm.yaml");
  const config = (columns: string): string => `name: absent
domain: { replicas: 2 }
sources: { rows: { file: ./rows.ndjson, columns: { ${columns} } } }
outputs:
  one: { input: rows, file: one.csv }
  two: { input: rows, file: two.csv }
`;
  const noticesOf = async (columns: string): Promise<RunNotice[]> => {
    const notices: RunNotice[] = [];
    await writeFile(configPath, config(columns));
    await runConfig({ configPath, outDir: folder.fresh("out"), onNotice: (notice) => notices.push(notice) });
    return notices;
  };
  expect(await noticesOf("a: i64, n: i64, vlaue: f64")).toEqual([
    {
      level: "warn",
      code: "CONFIG_ODD",
      message: "sources.rows.columns: no row has the column vlaue, so all values there are null",
      facts: { source: "rows", columns: ["vlaue"] },
    },
  ]);
  expect(await noticesOf("a: i64, n: i64, late: i64")).toEqual([]);
});
