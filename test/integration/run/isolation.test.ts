import { subscribe } from "node:diagnostics_channel";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replayReceiptFile } from "../../../src/audit/replay-file.ts";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { addingModule } from "../../support/adding-module.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const ROWS = 20;

let folder: TestFolder;
let module: Uint8Array;

beforeAll(async () => {
  folder = await makeTestFolder("isolation");
  module = await addingModule(1000);
  await writeFile(join(folder.path, "adding.wasm"), module);
  const rows = Array.from({ length: ROWS }, (_, row) => row);
  await writeFile(join(folder.path, "numbers.csv"), `n\n${rows.join("\n")}\n`);
});
afterAll(() => folder.remove());

/** Processes started so far, as Node.js tells it: lanes, since nothing here starts another. */
let started = 0;
subscribe("child_process", () => void started++);

/** Whether work started a process. */
async function startsProcess<T>(work: () => Promise<T>): Promise<[T, boolean]> {
  const before = started;
  return [await work(), started > before];
}

async function runWith(keys: string): Promise<RunSummary & { readonly inProcess: boolean }> {
  const configPath = join(folder.path, "ipdm.yaml");
  await writeFile(
    configPath,
    `name: numbers
sources: { numbers: { file: ./numbers.csv, columns: { n: i64 } } }
modules: { adding: { file: ./adding.wasm, ${keys} } }
tasks: { added: { module: adding, input: numbers } }
outputs: { table: { input: added, file: added.csv } }
`,
  );
  const outDir = folder.fresh("out");
  const [ran, inProcess] = await startsProcess(() => runConfig({ configPath, outDir, lanes: 1 }));
  return { ...ran, inProcess };
}

describe("a module that does not run in a thread", () => {
  it("gives the same result in a process, in the run as in its replay", async () => {
    const [inThread, inProcess] = [await runWith("isolation: thread"), await runWith("isolation: process")];
    expect([inThread.inProcess, inProcess.inProcess]).toEqual([false, true]);
    expect(inProcess.result).toBe(inThread.result);
    const data = join(inProcess.receipt, "..", ".data");
    const [{ ok }, replayedInProcess] = await startsProcess(() => replayReceiptFile(inProcess.receipt, { data }));
    expect([ok, replayedInProcess]).toEqual([true, true]);
  });

  it("is one of the least trust", async () => {
    const untrusted = await runWith("trust: untrusted");
    expect(untrusted.inProcess).toBe(true);
    expect(untrusted.rows).toEqual({ in: ROWS, out: ROWS });
  });
});
