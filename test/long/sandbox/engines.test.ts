import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const program = fileURLToPath(new URL("../../corpus/engine-run.ts", import.meta.url));
const older = fileURLToPath(new URL("../../corpus/node_modules/node-22/bin/node", import.meta.url));
const hasOlder = existsSync(older);
if (!hasOlder)
  process.stderr.write(
    "Node.js 22 is not installed, so its test is skipped: npm ci --prefix test/corpus --ignore-scripts\n",
  );

/** What an engine makes of the same modules. */
async function made(node: string, ...flags: string[]): Promise<unknown> {
  const { stdout } = await run(node, [...flags, "--disable-warning=ExperimentalWarning", program], {
    maxBuffer: 1 << 26,
  });
  return JSON.parse(stdout);
}

describe("instrumented bytes, results, memory and fuel", () => {
  const here = made(process.execPath);
  it.each(["--liftoff-only", "--no-liftoff", "--no-wasm-tier-up"])("are the same with %s", async (flag) => {
    expect(await made(process.execPath, flag)).toEqual(await here);
  });

  it.runIf(hasOlder)("are the same on Node.js 22", async () => {
    const { stdout } = await run(older, ["--version"]);
    expect(stdout).toMatch(/^v22\./);
    expect(await made(older)).toEqual(await here);
    expect(await made(older, "--liftoff-only")).toEqual(await here);
  });
});
