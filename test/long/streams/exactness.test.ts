import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { digest, PIPELINES } from "../../support/exact-pipelines.ts";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../support/exact-digests.ts", import.meta.url));
const older = fileURLToPath(new URL("../../corpus/node_modules/node-22/bin/node", import.meta.url));
const hasOlder = existsSync(older);
if (!hasOlder)
  process.stderr.write(
    "Node.js 22 is not installed, so its test is skipped: npm ci --prefix test/corpus --ignore-scripts\n",
  );

const SIZES = [1, 7, 64, 1000, 4096, 100_000];

describe("output bytes", () => {
  for (const [name, pipeline] of Object.entries(PIPELINES)) {
    it(`of ${name} are the same for batches of 1, 7, 64, 1000, 4096 and 100000 rows`, async () => {
      const found = new Set<string>();
      for (const [i, size] of SIZES.entries()) found.add(await digest(pipeline, size, 1 + 5 * i));
      expect(found.size).toBe(1);
    });
  }

  it.runIf(hasOlder)("are the same on Node.js 22", async () => {
    const { stdout: version } = await run(older, ["--version"]);
    expect(version).toMatch(/^v22\./);
    const made = async (node: string): Promise<unknown> => {
      const { stdout } = await run(node, ["--disable-warning=ExperimentalWarning", program]);
      return JSON.parse(stdout);
    };
    const here = (await made(process.execPath)) as object;
    expect(Object.keys(here)).toHaveLength(Object.keys(PIPELINES).length + 3);
    expect(await made(older)).toEqual(here);
  });
});
