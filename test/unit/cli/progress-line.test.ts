import { expect, it } from "vitest";
import { progressLine } from "../../../src/cli/progress-line.ts";
import type { RunProgress } from "../../../src/run/options.ts";

const PROGRESS: RunProgress = {
  rowsIn: 3000,
  rowsRecovered: 0,
  rowsTotal: 9000,
  isEstimate: false,
  statements: 3,
  certificates: 2,
  proofs: 0,
  phase: "running",
};

it("tells rows, rate and the time left", () => {
  expect(progressLine(PROGRESS, 2)).toBe("running: 3,000 of 9,000 rows · 1,500 rows/s · 4 s left · 2 certified");
});

it("says where the total is an estimate, and never that all is read because of one", () => {
  const line = progressLine({ ...PROGRESS, rowsTotal: 9001, isEstimate: true, proofs: 1 }, 2);
  expect(line).toBe("running: 3,000 of about 9,000 rows · 1,500 rows/s · 5 s left · 2 certified · 1 proof");
  const beyond = progressLine({ ...PROGRESS, rowsIn: 9001, isEstimate: true }, 1);
  expect(beyond).toBe("running: 9,001 rows · 9,001 rows/s · 2 certified");
  expect(progressLine({ ...PROGRESS, rowsIn: 9000 }, 1)).toMatch(/^committing and proving: 9,000 rows/);
});

it("rates what this run did, not what it found done", () => {
  const line = progressLine({ ...PROGRESS, rowsRecovered: 2000 }, 2);
  expect(line).toBe("running: 3,000 of 9,000 rows · 500 rows/s · 12 s left · 2 certified");
  expect(progressLine({ ...PROGRESS, rowsRecovered: 3000 }, 2)).toContain(" 0 rows/s · 2 certified");
});
