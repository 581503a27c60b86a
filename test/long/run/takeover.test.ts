import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModuleEntryBody } from "../../../src/consensus/module-entry.ts";
import { addingModule, countingModule } from "../../support/adding-module.ts";
import { audit } from "../../support/audit.ts";
import { build, endAll, runJson, start } from "../../support/command.ts";
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
    const verified = await runJson(["verify", join(place.outDir, "receipt.car")], { cwd: folder.path });
    expect(verified).toMatchObject({ ok: true, lock: [{ version: "1.2.0", live: [{ slot: 2, version: "1.3.0" }] }] });
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

  it("is refused where it does not fit, with a notice, and the run goes on", async () => {
    const place = await new LivePlace(folder, ROWS).prepare(one);
    const misfits: [version: string, change: Partial<ModuleEntryBody>, why: string][] = [
      ["1.3.0", { unit: 8 }, "of kind batch on units of 8 rows"],
      ["1.3.1", { capabilities: ["log"] }, "capability log"],
      ["1.3.2", { columns: [{ name: "n", type: "i32" }] }, "other columns"],
    ];
    const looks = misfits.map(([version, change], i) => [i + 1, () => place.publish(two, version, change)] as const);
    await place.run(Object.fromEntries(looks));
    expect(await place.numbers()).toEqual(added(ROWS, [0, 1000]));
    const told = place.notices.filter(({ code }) => code === "MODULE_NOT_TAKEN").map(({ message }) => message);
    expect(told).toEqual(
      misfits.map(([version, , why]) => expect.stringMatching(new RegExp(`${version}.*${why}`)) as string),
    );
  });

  it("is in processes of their own where another than the catalogue's key published it", async () => {
    let started = 0;
    const count = (): void => void started++;
    const place = await new LivePlace(folder, ROWS).prepare(one);
    const key = join(place.catalogueDir, "publisher.key");
    await rename(key, `${key}.elsewhere`);
    subscribe("child_process", count);
    try {
      await place.run({ 2: () => place.publish(two, "1.3.0") }, { lanes: 1 });
    } finally {
      unsubscribe("child_process", count);
    }
    expect(started).toBe(1);
    expect(await place.numbers()).toEqual(added(ROWS, [0, 1000], [2 * SLOT, 2000]));
    // Begun anew, it begins with the newest.
    await place.run({}, { fresh: true, lanes: 1 });
    expect(await place.numbers()).toEqual(added(ROWS, [0, 2000]));
  });

  it("survives kills at any moment: what slots had stays, and what was decided is not decided again", async () => {
    const place = await new LivePlace(folder, 8_000).prepare(one);
    const args = [
      "run",
      place.configPath,
      "--out",
      place.outDir,
      "--catalogue",
      place.catalogueDir,
      "--batch-rows",
      "1",
    ];
    for (const [kill, version] of ["1.3.0", "1.4.0"].entries()) {
      const going = start([...args, "--json"], { cwd: folder.path });
      await going.says('"running"');
      await place.publishWhenFree(kill % 2 === 0 ? two : three, version);
      setTimeout(() => going.child.kill("SIGKILL"), 150 * kill); // deadline
      await going.ended;
    }
    await runJson(args, { cwd: folder.path });
    const verified = await place.verdict();
    const live = verified.locks[0]?.live ?? [];
    expect(live.length).toBeGreaterThan(0);
    const numberOf: Readonly<Record<string, number>> = { "1.3.0": 2000, "1.4.0": 3000 };
    const from = live.map(({ slot, version }) => [slot * SLOT, numberOf[version] ?? 0] as const);
    expect(await place.numbers()).toEqual(added(8_000, [0, 1000], ...from));
    await audit(place.outDir);
  });
});
