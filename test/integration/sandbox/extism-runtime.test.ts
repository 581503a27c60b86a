import { readFile } from "node:fs/promises";
import createPlugin from "@extism/extism";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RowWriter } from "../../../src/batch/text/row-writer.ts";
import { TextBytes } from "../../../src/batch/text/text-bytes.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import { compilePlugin } from "../../support/c-modules.ts";
import { hasClang } from "../../support/clang.ts";
import { asPlugin } from "../../support/extism-module.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { declared, rowsOf } from "../../support/rows.ts";
import { specOf } from "../../support/wat-module.ts";

const input = declared({ delay: "i32", origin: "utf8" });
const context = { firstRow: 0, seed: new Uint8Array(32) };
const lane = openLane();
const canCompile = await hasClang();
let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("extism");
});
afterAll(async () => {
  await lane.close();
  await folder.remove();
});

type Row = readonly [delay: number, origin: string];
const rows = fc.array(fc.tuple(fc.integer({ min: -100, max: 100 }), fc.string({ unit: "grapheme", maxLength: 20 })), {
  maxLength: 12,
});

/** What Extism's own runtime makes of the rows, one call each, each as our plugins are given it. */
async function byExtism(
  code: WebAssembly.Module,
  entry: string,
  settings: Record<string, string>,
  given: readonly Row[],
): Promise<unknown[]> {
  const plugin = await createPlugin(code, { useWasi: true, config: settings });
  const writer = new BatchWriter(input);
  for (const row of given) writer.push(row);
  const batch = writer.take();
  const text = new TextBytes();
  const write = new RowWriter("ndjson", input).rowsOf(batch, text);
  const outputs: unknown[] = [];
  for (let row = 0; row < batch.rows; row++) {
    text.clear();
    write(row);
    const output = await plugin.call(entry, text.view(0, text.length - 1).slice());
    if (output === null || output.text() === "") continue;
    const value: unknown = output.json();
    if (Array.isArray(value)) outputs.push(...(value as unknown[]));
    else outputs.push(value);
  }
  await plugin.close();
  return outputs;
}

async function both(bytes: Uint8Array, entry: string, output: Record<string, string>): Promise<void> {
  const settings = { minutes: "20", thing: "a setting" };
  const code = new WebAssembly.Module(new Uint8Array(bytes));
  const ours = await lane.load(
    specOf(bytes, {
      abi: "extism/1",
      columns: declared(output),
      fuelPerCall: 1e10,
      memoryBytesMax: 16 * 1024 * 1024,
      options: { entry, settings },
    }),
  );
  await fc.assert(
    fc.asyncProperty(rows, async (given) => {
      const writer = new BatchWriter(input);
      for (const row of given) writer.push(row);
      expect(rowsOf(await ours.process(writer.take(), context))).toEqual(await byExtism(code, entry, settings, given));
    }),
    { numRuns: 25 },
  );
}

describe("a plugin gives here what it gives in Extism's own runtime for JavaScript", () => {
  it.skipIf(!canCompile)(
    "compiled from C, over wasi-libc",
    async () => {
      await both(await readFile(await compilePlugin(folder.path)), "late", {
        origin: "utf8",
        delay: "f64",
        hours: "f64",
      });
    },
    60_000,
  );

  // That PDK cuts what it puts out where its UTF-8 is longer than its UTF-16, so that its settings are ASCII here.
  it("compiled from AssemblyScript, over the published PDK", async () => {
    await both(await asPlugin(), "count_vowels", { count: "f64", config: "utf8", a: "utf8" });
  }, 60_000);
});
