import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runConfig } from "../../../src/run/run.ts";
import { ROOT } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { say } from "../../support/say.ts";
import { type SmallOptions, writeSmall } from "../../support/small-flights.ts";

/** An empty custom section: another module that does the same. */
const SECTION = Uint8Array.of(0, 2, 1, 0x78);
const ROWS = 300;
/** Slots of 256 batches: two of the source. */
const BATCH_ROWS = 1;

let folder: TestFolder;
let base: string;

beforeAll(async () => {
  folder = await makeTestFolder("diff");
  base = await made({});
}, 60_000);
afterAll(() => folder.remove());

/** Runs the small flights, changed, in a folder of their own. Returns the receipt's path. */
async function made(
  options: SmallOptions,
  batchRows = BATCH_ROWS,
  change?: (lines: string[]) => void,
): Promise<string> {
  const dir = folder.fresh("run");
  await mkdir(dir);
  const configPath = await writeSmall(dir, { rows: ROWS, ...options });
  if (change !== undefined) {
    const lines = (await readFile(join(dir, "flights.csv"), "utf8")).split("\n");
    change(lines);
    await writeFile(join(dir, "flights.csv"), lines.join("\n"));
  }
  return (await runConfig({ configPath, outDir: join(dir, "out"), batchRows })).receipt;
}

const csvOf = (receipt: string): string => join(receipt, "../../flights.csv");
/** Moves a receipt away from its data. */
async function alone(receipt: string): Promise<string> {
  const dir = folder.fresh("alone");
  await mkdir(dir);
  await copyFile(receipt, join(dir, "receipt.car"));
  return join(dir, "receipt.car");
}

describe("diff", () => {
  it("finds that runs are the same, however they were cut", async () => {
    const other = await made({}, 70);
    const said = await say("diff", base, other, "--json");
    expect(said).toMatchObject({ exit: 0, last: { v: 1, event: "compared", ok: true, causes: [], first: null } });
    expect((await say("diff", base, base)).text).toContain("THE SAME");
  });

  it("finds a changed row of an input, and prints both; without data it names the batch, or takes the files", async () => {
    const changed = await made(
      {},
      BATCH_ROWS,
      (lines) => (lines[281] = (lines[281] as string).replace(/,\w+$/, ",ATX")),
    );
    const said = await say("diff", base, changed, "--json");
    const a = { statement: "delayed/1", batch: 24, row: expect.stringMatching(/"destination":"[A-Z]{3}"}$/) as string };
    const first = { stage: "flights", from: "source", port: null, row: 280, a };
    expect(said).toMatchObject({
      exit: 5,
      last: { ok: false, code: "INPUT_DIFFERS", where: "inputs/flights", reads: { states: 0, batches: 2 }, first },
    });
    expect(said.last["first"]).toMatchObject({
      b: { ...a, row: expect.stringContaining('"destination":"ATX"}') as string },
    });
    const text = (await say("diff", base, changed)).text;
    expect(text).toContain("First difference: input flights, row 280");
    expect(text).toContain('"destination":"ATX"}');

    const [x, y] = [await alone(base), await alone(changed)];
    const needs = await say("diff", x, y, "--json");
    expect(needs).toMatchObject({
      exit: 4,
      last: { code: "NEEDS_DATA", where: expect.stringMatching(/^bafkrei/) as string },
    });
    const files = ["--input", `flights=${csvOf(base)}`, "--input", `flights=${csvOf(changed)}`];
    expect((await say("diff", y, x, ...files, "--json")).last).toMatchObject({ first: { row: 280 } });
    expect((await say("diff", x, changed, "--data", join(base, "../.data"), "--json")).last).toMatchObject({ first });
    const stranger = await say("diff", x, y, "--input", `flights=${x}`, "--json");
    expect(stranger).toMatchObject({ exit: 2, last: { code: "INPUT_UNKNOWN" } });
  });

  it("says first what was done otherwise: a module before the configuration of the task that reads it", async () => {
    const own = join(folder.path, "own.wasm");
    await writeFile(own, Buffer.concat([await readFile(join(ROOT, "examples/flights/late.wasm")), SECTION]));
    const aggregate = "{ flights: count(), delay: sum(delay), worst: min(delay) }";
    // Another cut: the rows of the stage before are compared too, and are the same.
    const said = (await say("diff", base, await made({ module: own, aggregate }, 70), "--json")).last;
    expect(said).toMatchObject({ code: "MODULE_DIFFERS", where: "tasks/delayed" });
    expect(said["causes"]).toMatchObject([{ code: "MODULE_DIFFERS" }, { code: "TASK_DIFFERS", where: "tasks/daily" }]);
    expect(said["first"]).toMatchObject({ stage: "daily", from: "task", port: "main", row: 0 });
  });

  it("does not compare what does not verify, and says which", async () => {
    const damaged = join(folder.path, "damaged.car");
    const bytes = await readFile(base);
    await writeFile(damaged, bytes.subarray(0, bytes.length - 3));
    const said = await say("diff", base, damaged, "--json");
    expect(said).toMatchObject({ exit: 5, last: { ok: false, where: expect.stringContaining(damaged) as string } });
    expect((await say("diff", damaged, base)).text).toContain(`NOT COMPARED: ${damaged} does not verify`);
  });
});
