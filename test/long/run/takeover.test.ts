import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addingModule, countingModule } from "../../support/adding-module.ts";
import { audit } from "../../support/audit.ts";
import { build, endAll, runJson } from "../../support/command.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { added, LivePlace, SLOT } from "../../support/live-place.ts";

const ROWS = 1400;

let folder: TestFolder;
let one: Uint8Array;
let two: Uint8Array;
let three: Uint8Array;

beforeAll(async () => {
  build();
  folder = await makeTestFolder("takeover");
  [one, two, three] = await Promise.all([addingModule(1000), addingModule(2000), addingModule(3000)]);
});
afterAll(async () => {
  endAll();
  await folder.remove();
});

describe("a newer version of a live task's module", () => {
  it("is checked by voters, and a run that was stopped goes on with the versions that its slots had", async () => {
    const place = await new LivePlace(folder, ROWS).prepare(one, "  again: { module: late@1.2.0, input: added }\n");
    const stop = new AbortController();
    const stopping = place.run(
      { 2: () => place.publish(two, "1.3.0"), 3: async () => stop.abort(new Error("killed")) },
      { replicas: 3, signal: stop.signal },
    );
    await expect(stopping).rejects.toThrow("killed");
    await place.publish(three, "1.4.0");
    await place.run({}, { replicas: 3 });
    const got = (await place.numbers()).map((number) => number - 1000); // the second task adds so much
    const last = got.findIndex((number, row) => number === row + 3000);
    expect(last % SLOT).toBe(0);
    expect(last).toBeGreaterThanOrEqual(3 * SLOT);
    expect(got).toEqual(added(ROWS, [0, 1000], [2 * SLOT, 2000], [last, 3000]));
    expect(await place.verdict()).toMatchObject({ ok: true, quorum: { n: 3, q: 2 } });
    await audit(place.outDir);
    // Begun anew, it begins with the newest.
    await place.run({}, { fresh: true });
    expect(await place.numbers()).toEqual(added(ROWS, [0, 4000]));
  });

  it("is taken over by voters that do not execute", async () => {
    const place = await new LivePlace(folder, ROWS).prepare(one, "", ", verify: sample, share: 0.3");
    await place.run({ 2: () => place.publish(two, "1.3.0") }, { replicas: 3 });
    expect(await place.numbers()).toEqual(added(ROWS, [0, 1000], [2 * SLOT, 2000]));
    await audit(place.outDir);
  });

  it("may be published by another process, and computes a whole unit of a batch module", async () => {
    const place = await new LivePlace(folder, ROWS, { unit: 100 }).prepare(one);
    const file = join(folder.path, "two.wasm");
    await writeFile(file, two);
    const options = ["--name", "late", "--version", "1.3.0", "--kind", "batch", "--unit", "100"];
    const publish = async (): Promise<void> => {
      await runJson(["module", "publish", file, ...options, "--catalogue", place.catalogueDir], { cwd: folder.path });
    };
    await place.run({ 2: publish });
    expect(await place.numbers()).toEqual(added(ROWS, [0, 1000], [500, 2000]));
    expect((await place.verdict()).receipt?.result.tasks["added"]?.later).toMatchObject([{ from: 500 }]);
    await audit(place.outDir);
  });

  it("goes on from the memory of a stateful module where it says so and its globals fit", async () => {
    const place = await new LivePlace(folder, ROWS, { unit: 100, stateful: true }).prepare(await countingModule(1000));
    const [mute, narrow, fits] = await Promise.all([
      countingModule(2000),
      countingModule(3000, "(global (mut i32) (i32.const 0))"),
      countingModule(4000),
    ]);
    await place.run({
      1: () => place.publish(mute, "1.3.0"),
      2: () => place.publish(narrow, "1.3.1", { continues: "^1.2" }),
      3: () => place.publish(fits, "1.3.2", { continues: "^1.2" }),
    });
    // Each unit adds how many there were before it, whatever version runs it.
    const from = 700;
    const number = (row: number): number => row + (row < from ? 1000 : 4000) + Math.floor(row / 100);
    expect(await place.numbers()).toEqual(Array.from({ length: ROWS }, (_, row) => number(row)));
    const refused = place.notices
      .filter(({ code }) => code === "MODULE_NOT_TAKEN")
      .map(({ facts }) => facts?.["fault"]);
    expect(refused).toEqual([
      "it does not say that it goes on from the memory of 1.2.0",
      "its globals or its memory are not those of 1.2.0",
    ]);
    await audit(place.outDir);
  });
});
