import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { compileC, hasClang } from "../../support/clang.ts";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { smallCsv } from "../../support/small-flights.ts";

const ROWS = 5000;
const UNIT = 1000;
const EXAMPLE = join(ROOT, "examples", "wasi-c");

// Flights of which every fiftieth has no delay.
const [HEADER = "", ...LINES] = smallCsv(ROWS)
  .trimEnd()
  .split("\n")
  .map((line, i) => (i > 0 && i % 50 === 0 ? line.replace(/,[^,]*/, ",") : line));

interface Flight {
  readonly line: string;
  readonly date: string;
  readonly delay: number | undefined;
  readonly origin: string;
  readonly destination: string;
}

const FLIGHTS = LINES.map((line): Flight => {
  const [date = "", delay = "", , origin = "", destination = ""] = line.split(",");
  return { line, date, delay: delay === "" ? undefined : Number(delay), origin, destination };
});

/** What the example's programs are to give, computed the plain way. */
function lateRows(): string[] {
  const late = FLIGHTS.filter(({ delay }) => delay !== undefined && delay >= 15);
  return late.map(({ line, date }) => `${line},${Number(date.slice(11, 13))}`);
}

function longestRows(): string[] {
  const rows: string[] = [];
  for (let from = 0; from < FLIGHTS.length; from += UNIT) {
    const known = FLIGHTS.slice(from, from + UNIT).filter(({ delay }) => delay !== undefined);
    const sorted = known.toSorted((a, b) => Number(b.delay) - Number(a.delay));
    for (const [i, { delay, origin, destination }] of sorted.slice(0, 10).entries())
      rows.push(`${i + 1},${delay},${origin},${destination}`);
  }
  return rows;
}

function dailyRows(): string[] {
  const groups = new Map<string, number[]>();
  for (const { date, delay, origin } of FLIGHTS) {
    if (delay === undefined || delay < 15) continue;
    const key = `${date.slice(0, 10)},${origin}`;
    groups.set(key, [...(groups.get(key) ?? []), delay]);
  }
  const rows = [...groups].map(([key, delays]) => {
    const sum = delays.reduce((total, delay) => total + delay, 0);
    return `${key},${delays.length},${sum},${Math.max(...delays)}`;
  });
  return rows.sort();
}

const canCompile = await hasClang();
let folder: TestFolder;

beforeAll(async () => {
  if (!canCompile) return;
  folder = await makeTestFolder("wasi-c");
  for (const name of ["late", "worst"]) await compileC(join(EXAMPLE, `${name}.c`), join(folder.path, `${name}.wasm`));
  await writeFile(join(folder.path, "flights.csv"), `${[HEADER, ...LINES].join("\n")}\n`);
  // The example's own configuration, over fewer flights and with tables that a test can read.
  const config = await readFile(join(EXAMPLE, "ipdm.yaml"), "utf8");
  const changed = config
    .replace(
      "file: npm:vega-datasets/data/flights-3m.parquet,",
      "file: ./flights.csv, columns: { date: timestamp, delay: i64, distance: i64, origin: dict, destination: dict },",
    )
    .replace("unit: 4096", `unit: ${UNIT}`)
    .replace("daily.parquet }", "daily.csv }\n  delayed: { input: delayed, file: delayed.csv }");
  await writeFile(join(folder.path, "ipdm.yaml"), changed);
});
afterAll(() => folder?.remove());

/** Rows of a table that a run wrote, without its header. */
async function tableOf(run: RunSummary, name: string): Promise<string[]> {
  const file = run.outputs.find((output) => output.name === name)?.file ?? "";
  return (await readFile(file, "utf8")).trimEnd().split("\n").slice(1);
}

describe.skipIf(!canCompile)("the example in C (needs clang, lld and wasi-libc)", () => {
  let result: string | undefined;

  it.each([
    [4096, 1],
    [1000, 1],
    [100, 1],
    [100, 3],
    [4096, 3],
  ])(
    "gives the plain tables and one result with batches of %i rows on %i nodes, and its receipt holds",
    async (batchRows, replicas) => {
      const outDir = folder.fresh("out");
      const run = await runConfig({ configPath: join(folder.path, "ipdm.yaml"), outDir, batchRows, replicas });
      expect(await tableOf(run, "delayed")).toEqual(lateRows());
      expect(await tableOf(run, "longest")).toEqual(longestRows());
      const daily = (await tableOf(run, "table")).map((row) => row.replace(/T00:00:00Z,[^,]*,/, ","));
      expect(daily.sort()).toEqual(dailyRows());
      result ??= run.result;
      expect(run.result).toBe(result);
      await audit(outDir);
    },
  );

  it("names program and rows when the input is not what it expects", async () => {
    const outDir = folder.fresh("out");
    const configPath = join(folder.path, "other.yaml");
    const config = await readFile(join(folder.path, "ipdm.yaml"), "utf8");
    await writeFile(configPath, config.replace("stdin: csv", "stdin: ndjson"));
    await expect(runConfig({ configPath, outDir })).rejects.toMatchObject({
      code: "MODULE_TRAP",
      message: expect.stringMatching(
        /exit code 1; its last words: not the header that was expected: \{"date":/,
      ) as string,
    });
  });
});
