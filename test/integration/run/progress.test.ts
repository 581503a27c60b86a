import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { RunProgress } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { writeSmall } from "../../support/small-flights.ts";

const ROWS = 250_000;

let folder: TestFolder;

beforeAll(async () => {
  folder = await makeTestFolder("progress");
});
afterAll(() => folder.remove());

it("estimates the rows of a CSV while it is read, and tells a run that goes on what was done before", async () => {
  const configPath = await writeSmall(folder.path, { rows: ROWS });
  const outDir = join(folder.path, "out");
  const stop = new AbortController();
  const first: RunProgress[] = [];
  const onProgress = (progress: RunProgress): void => {
    first.push(progress);
    if (progress.certificates === 1) stop.abort(new Error("enough"));
  };
  await expect(runConfig({ configPath, outDir, signal: stop.signal, onProgress })).rejects.toThrow("enough");
  const guesses = first.filter(({ isEstimate }) => isEstimate).map(({ rowsTotal = 0 }) => rowsTotal);
  expect(guesses.length).toBeGreaterThan(0);
  for (const guess of guesses) expect(Math.abs(guess / ROWS - 1)).toBeLessThan(0.2);

  const second: RunProgress[] = [];
  await runConfig({ configPath, outDir, onProgress: (progress) => second.push(progress) });
  const last = second.at(-1) as RunProgress;
  expect(last).toMatchObject({ rowsIn: ROWS, rowsTotal: ROWS, isEstimate: false });
  expect(last.rowsRecovered).toBeGreaterThan(0);
  expect(last.rowsRecovered).toBeLessThanOrEqual(ROWS);

  const third: RunProgress[] = [];
  await runConfig({ configPath, outDir, onProgress: (progress) => third.push(progress) });
  expect(third.at(-1)).toMatchObject({ rowsIn: ROWS, rowsRecovered: ROWS, rowsTotal: ROWS });
});
