import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { compilePlugin, compileTransform } from "../../support/c-modules.ts";
import { hasClang } from "../../support/clang.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { failureOf } from "../../support/rows.ts";
import { smallCsv } from "../../support/small-flights.ts";

const ROWS = 6000;
const canCompile = await hasClang();
const csv = smallCsv(ROWS);

let folder: TestFolder;
let modules = { plugin: "", transform: "" };
beforeAll(async () => {
  folder = await makeTestFolder("foreign");
  if (canCompile)
    modules = { plugin: await compilePlugin(folder.path), transform: await compileTransform(folder.path) };
});
afterAll(() => folder.remove());

/** A configuration of one task over a module, and the rows that come out of it. */
async function write(name: string, module: string): Promise<string> {
  const dir = folder.fresh(name);
  await mkdir(dir);
  await writeFile(join(dir, "flights.csv"), csv);
  const path = join(dir, "ipdm.yaml");
  await writeFile(
    path,
    `name: foreign
sources:
  flights:
    file: ./flights.csv
    columns: { date: timestamp, delay: i64, distance: i64, origin: utf8, destination: utf8 }
modules:
  foreign: ${module}
tasks:
  delayed: { module: foreign, input: flights }
outputs:
  table: { input: delayed, file: delayed.ndjson }
`,
  );
  return path;
}

async function run(
  configPath: string,
  options: { batchRows?: number; replicas?: number } = {},
): Promise<RunSummary & { table: string }> {
  const outDir = folder.fresh("out");
  const summary = await runConfig({ configPath, outDir, ...options });
  await audit(outDir);
  return { ...summary, table: await readFile(summary.outputs[0]?.file ?? "", "utf8") };
}

const flights = csv
  .trim()
  .split("\n")
  .slice(1)
  .map((line, row) => {
    const [, delay, , origin] = line.split(",");
    return { row, delay: Number(delay), origin: origin as string };
  });

function ndjson(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

describe.skipIf(!canCompile)("a plugin of extism/1, compiled from C", () => {
  const plugin = (more: string): string =>
    `{ file: ${modules.plugin}, abi: extism/1, columns: { origin: utf8, delay: i64, hours: f64 }, fuel: { row: 30000 }${more} }`;
  const expected = flights
    .filter(({ delay }) => delay > 30)
    .map(({ origin, delay }) => ({ origin, delay, hours: Number((delay / 60).toFixed(2)) }));

  it("runs and replays, with one result for any cut and any number of nodes", async () => {
    const config = await write("extism", plugin(', export: late, config: { minutes: "30" }'));
    const first = await run(config);
    expect(first.table).toBe(ndjson(expected));
    expect((await run(config, { batchRows: 97 })).result).toBe(first.result);
    expect((await run(config, { replicas: 3 })).result).toBe(first.result);
    const other = await run(await write("extism-other", plugin(', export: late, config: { minutes: "31" }')));
    expect(other.result).not.toBe(first.result);
  }, 120_000);

  it("has to be told which function, and fails in its own words", async () => {
    const ambiguous = await failureOf(run(await write("ambiguous", plugin(""))));
    expect(ambiguous.code).toBe("MODULE_EXPORT_MISSING");
    expect(ambiguous.message).toContain("late, fails");
    expect(await failureOf(run(await write("failing", plugin(", export: fails"))))).toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringContaining("exit code 3; its last words: on standard error"),
    });
  }, 60_000);
});

describe.skipIf(!canCompile)("a transform of redpanda/1, compiled from C", () => {
  it("runs and replays, with one result for any cut and any number of nodes", async () => {
    const config = await write(
      "redpanda",
      `{ file: ${modules.transform}, abi: redpanda/1, columns: { offset: i64, origin: utf8, hours: f64 } }`,
    );
    const first = await run(config);
    const late = flights.filter(({ delay }) => delay > 0);
    expect(first.table).toBe(
      ndjson(late.map(({ row, origin, delay }) => ({ offset: row, origin, hours: Number((delay / 60).toFixed(2)) }))),
    );
    expect((await run(config, { batchRows: 97 })).result).toBe(first.result);
    expect((await run(config, { replicas: 3 })).result).toBe(first.result);
  }, 120_000);
});

describe("the keys of such modules", () => {
  it.each([
    ["{ file: ./m.wasm, abi: extism/1 }", "modules.foreign.columns is missing: a plugin of extism/1"],
    ["{ file: ./m.wasm, abi: redpanda/1 }", "modules.foreign.columns is missing: a transform of redpanda/1"],
    ["{ file: ./m.wasm, export: late }", "modules.foreign.export has no meaning with abi: ipdm/1"],
    [
      "{ file: ./m.wasm, abi: redpanda/1, columns: { a: i64 }, config: { a: b } }",
      "modules.foreign.config has no meaning",
    ],
    ["{ file: ./m.wasm, abi: extism/1, columns: { a: i64 }, config: { a: 1 } }", "modules.foreign.config.a"],
  ])("%s is refused", async (module, message) => {
    const refused = await failureOf(loadConfig(await write("refused", module), { files: "skip" }));
    expect(refused).toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(message) });
  });
});
