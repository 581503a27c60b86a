import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { instrument } from "../../../src/sandbox/metering/instrument.ts";
import { CORPUS_OPTIONS } from "../../corpus/options.ts";

const run = promisify(execFile);
const folder = fileURLToPath(new URL("../../corpus/", import.meta.url));
const packages = join(folder, "node_modules");
const isInstalled = existsSync(packages);
if (!isInstalled)
  process.stderr.write(
    "the corpus is not installed, so its tests are skipped: npm ci --prefix test/corpus --ignore-scripts\n",
  );

/** The modules of the corpus, each once. */
async function modules(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const found = new Map<string, Uint8Array<ArrayBuffer>>();
  const seen = new Set<string>();
  for (const name of (await readdir(packages, { recursive: true })).sort()) {
    if (!name.endsWith(".wasm")) continue;
    const bytes = new Uint8Array(await readFile(join(packages, name)));
    const digest = createHash("sha256").update(bytes).digest("hex");
    if (!seen.has(digest)) found.set(name, bytes);
    seen.add(digest);
  }
  return found;
}

/** What a program prints, as it is or with its WebAssembly instrumented. */
async function said(metered: boolean, ...args: string[]): Promise<string> {
  const preload = metered ? ["--import", new URL("../../corpus/preload.ts", import.meta.url).href] : [];
  const { stdout } = await run(process.execPath, [...preload, ...args], { maxBuffer: 1 << 26 });
  return stdout;
}

describe.runIf(isInstalled)("modules of other people", () => {
  it("are instrumented, and valid afterwards", async () => {
    const all = await modules();
    expect(all.size).toBeGreaterThanOrEqual(40);
    for (const [name, bytes] of all) {
      expect(WebAssembly.validate(bytes), name).toBe(true);
      const { bytes: instrumented } = instrument(bytes, CORPUS_OPTIONS);
      expect(WebAssembly.validate(instrumented), name).toBe(true);
    }
  }, 600_000);

  it("do what they do without", async () => {
    const driver = join(folder, "drive.mjs");
    const names = JSON.parse(await said(false, driver)) as string[];
    expect(names.length).toBeGreaterThanOrEqual(8);
    for (const name of names) {
      const raw = await said(false, driver, name);
      expect(raw.length, name).toBeGreaterThan(10);
      expect(await said(true, driver, name), name).toBe(raw);
    }
  }, 600_000);

  it("do what they do without, as a whole compiler", async () => {
    const esbuild = join(packages, "esbuild-wasm", "bin", "esbuild");
    const args = [
      "--minify",
      "--target=es2017",
      fileURLToPath(new URL("../../../src/sandbox/lane.ts", import.meta.url)),
    ];
    const raw = await said(false, esbuild, ...args);
    expect(raw).toContain("class");
    expect(await said(true, esbuild, ...args)).toBe(raw);
  }, 600_000);
});
