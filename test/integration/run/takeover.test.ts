import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { verifyReceiptFile } from "../../../src/audit/verify-file.ts";
import type { ModuleEntryBody } from "../../../src/consensus/module-entry.ts";
import { Catalogue } from "../../../src/registry/catalogue.ts";
import type { RunNotice, RunOptions } from "../../../src/run/options.ts";
import { runTampered } from "../../../src/run/run.ts";
import { addingModule } from "../../support/adding-module.ts";
import { audit } from "../../support/audit.ts";
import { entryOf } from "../../support/catalogue.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

/** Slots of 256 rows, since batches are of one row. */
const ROWS = 1100;
const SLOT = 256;

let folder: TestFolder;
let one: Uint8Array;
let two: Uint8Array;
let three: Uint8Array;

beforeAll(async () => {
  folder = await makeTestFolder("takeover");
  [one, two, three] = (await Promise.all([1000, 2000, 3000].map((number) => addingModule(number)))) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
});
afterAll(() => folder.remove());

/** A pipeline in a folder of its own, with a catalogue that has version 1.2.0. */
class Place {
  readonly catalogueDir = folder.fresh("shelf");
  readonly outDir = folder.fresh("out");
  readonly notices: RunNotice[] = [];
  private readonly configPath = folder.fresh("config.yaml");
  private readonly entry: Partial<ModuleEntryBody>;

  constructor(entry: Partial<ModuleEntryBody> = {}) {
    this.entry = entry;
  }

  async prepare(task = "upgrade: live", more = ""): Promise<this> {
    const rows = Array.from({ length: ROWS }, (_, row) => row);
    await writeFile(join(folder.path, "numbers.csv"), `n\n${rows.join("\n")}\n`);
    await writeFile(
      this.configPath,
      `name: numbers
sources:
  numbers: { file: ./numbers.csv, columns: { n: i64 } }
tasks:
  added: { module: late@^1.2, input: numbers, ${task} }
${more}outputs:
  table: { input: ${more === "" ? "added" : "again"}, file: added.csv }
`,
    );
    await this.publish(one, "1.2.0");
    return this;
  }

  async publish(bytes: Uint8Array, version: string, change: Partial<ModuleEntryBody> = {}): Promise<void> {
    await using catalogue = await Catalogue.open(this.catalogueDir, { create: true });
    await catalogue.add(entryOf(bytes, { version, ...this.entry, ...change }), bytes);
  }

  /** Runs it; `published` are called before the looks of that number (slot), counted from 1. */
  run(published: Readonly<Record<number, () => Promise<void>>> = {}, options: Partial<RunOptions> = {}) {
    let looks = 0;
    const { configPath, catalogueDir, outDir } = this;
    const onNotice = (notice: RunNotice): void => void this.notices.push(notice);
    return runTampered({ configPath, catalogueDir, outDir, batchRows: 1, onNotice, ...options }, [], async () =>
      published[++looks]?.(),
    );
  }

  async numbers(): Promise<number[]> {
    const text = await readFile(join(this.outDir, "added.csv"), "utf8");
    return text.trim().split("\r\n").slice(1).map(Number);
  }

  async verdict() {
    return verifyReceiptFile(join(this.outDir, "receipt.car"));
  }
}

/** What comes out when versions that add so much run from these rows on. */
function added(...versions: readonly (readonly [from: number, number: number])[]): number[] {
  const numberAt = (row: number): number => versions.findLast(([from]) => from <= row)?.[1] ?? 0;
  return Array.from({ length: ROWS }, (_, row) => row + numberAt(row));
}

describe("a newer version of a live task's module", () => {
  it("takes over between two slots, which locks and result tell, verify checks and replay repeats", async () => {
    const place = await new Place().prepare();
    const first = await place.run({ 2: () => place.publish(two, "1.3.0"), 4: () => place.publish(three, "1.4.0") });
    expect(await place.numbers()).toEqual(added([0, 1000], [2 * SLOT, 2000], [4 * SLOT, 3000]));
    const { receipt, locks } = await place.verdict();
    expect(locks).toMatchObject([
      {
        task: "added",
        version: "1.2.0",
        live: [
          { slot: 2, version: "1.3.0" },
          { slot: 4, version: "1.4.0" },
        ],
      },
    ]);
    expect(receipt?.result.tasks["added"]?.later?.map(({ from }) => from)).toEqual([2 * SLOT, 4 * SLOT]);
    expect(receipt?.root.modules).toHaveLength(3);
    expect(place.notices.filter(({ code }) => code === "MODULE_TAKEN_OVER").map(({ facts }) => facts)).toMatchObject([
      { task: "added", version: "1.3.0", from: 2 * SLOT },
      { task: "added", version: "1.4.0", from: 4 * SLOT },
    ]);
    await audit(place.outDir);
    // Again, with something newer there: what is computed stays.
    await place.publish(one, "1.5.0");
    expect(await place.run()).toMatchObject({ reused: ["added"], result: first.result });
    // Begun anew, it begins with the newest.
    await place.run({}, { fresh: true });
    expect(await place.numbers()).toEqual(added([0, 1000]));
  });

  it("is checked by voters, and a run that was stopped goes on with the versions that its slots had", async () => {
    const place = await new Place().prepare("upgrade: live", "  again: { module: late@1.2.0, input: added }\n");
    const stop = new AbortController();
    const stopping = place.run(
      {
        2: () => place.publish(two, "1.3.0"),
        3: async () => stop.abort(new Error("killed")),
      },
      { replicas: 3, signal: stop.signal },
    );
    await expect(stopping).rejects.toThrow("killed");
    await place.publish(three, "1.4.0");
    const again = await place.run({}, { replicas: 3 });
    const got = (await place.numbers()).map((number) => number - 1000); // the second task adds so much
    const last = got.findIndex((number, row) => number === row + 3000);
    expect(last % SLOT).toBe(0);
    expect(last).toBeGreaterThanOrEqual(3 * SLOT);
    expect(got).toEqual(added([0, 1000], [2 * SLOT, 2000], [last, 3000]));
    expect(await place.verdict()).toMatchObject({ ok: true, quorum: { n: 3, q: 2 } });
    await audit(place.outDir);
    expect(again.statements).toBeGreaterThan(5);
  });

  it("is refused where it does not fit, with a notice, and the run goes on", async () => {
    const place = await new Place().prepare();
    const misfits: [version: string, change: Partial<ModuleEntryBody>, why: string][] = [
      ["1.3.0", { unit: 8 }, "of kind batch on units of 8 rows"],
      ["1.3.1", { capabilities: ["log"] }, "capability log"],
      ["1.3.2", { columns: [{ name: "n", type: "i32" }] }, "other columns"],
    ];
    await place.run(
      Object.fromEntries(
        misfits.map(([version, change], i) => [i + 1, () => place.publish(two, version, change)] as const),
      ),
    );
    expect(await place.numbers()).toEqual(added([0, 1000]));
    const told = place.notices.filter(({ code }) => code === "MODULE_NOT_TAKEN").map(({ message }) => message);
    expect(told).toEqual(misfits.map(([version, , why]) => expect.stringMatching(new RegExp(`${version}.*${why}`))));
    await audit(place.outDir);
  });

  it("changes nothing in a task that is not live, where a catalogue is not even looked at", async () => {
    const place = await new Place().prepare("upgrade: start");
    await place.run({ 1: () => place.publish(two, "1.3.0") });
    expect(await place.numbers()).toEqual(added([0, 1000]));
    expect((await place.verdict()).locks[0]).not.toHaveProperty("live");
  });

  it("computes a whole unit of a batch module: that which its first row lies in", async () => {
    const place = await new Place({ unit: 100 }).prepare();
    await place.run({ 2: () => place.publish(two, "1.3.0") });
    expect(await place.numbers()).toEqual(added([0, 1000], [500, 2000]));
    expect((await place.verdict()).receipt?.result.tasks["added"]?.later).toMatchObject([{ from: 500 }]);
    await audit(place.outDir);
  });
});
