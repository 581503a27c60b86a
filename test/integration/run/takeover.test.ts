import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ModuleEntryBody } from "../../../src/consensus/module-entry.ts";
import { addingModule } from "../../support/adding-module.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { added, LivePlace, SLOT } from "../../support/live-place.ts";

/** Of slots of 256 rows, four: three looks for newer versions. */
const ROWS = 900;

let folder: TestFolder;

beforeAll(async () => {
  folder = await makeTestFolder("takeover");
});
afterAll(() => folder.remove());

describe("a newer version of a live task's module", () => {
  it("takes over between two slots, which locks and result tell, verify checks and replay repeats", async () => {
    const [one, two, three] = await Promise.all([1000, 2000, 3000].map((number) => addingModule(number)));
    if (one === undefined || two === undefined || three === undefined) throw new Error("modules are compiled");
    const place = await new LivePlace(folder, ROWS).prepare(one);
    const first = await place.run({ 2: () => place.publish(two, "1.3.0"), 3: () => place.publish(three, "1.4.0") });
    expect(await place.numbers()).toEqual(added(ROWS, [0, 1000], [2 * SLOT, 2000], [3 * SLOT, 3000]));
    const { receipt, locks } = await place.verdict();
    expect(locks).toMatchObject([
      {
        task: "added",
        version: "1.2.0",
        live: [
          { slot: 2, version: "1.3.0" },
          { slot: 3, version: "1.4.0" },
        ],
      },
    ]);
    expect(receipt?.result.tasks["added"]?.later?.map(({ from }) => from)).toEqual([2 * SLOT, 3 * SLOT]);
    expect(receipt?.root.modules).toHaveLength(3);
    expect(place.notices.filter(({ code }) => code === "MODULE_TAKEN_OVER").map(({ facts }) => facts)).toMatchObject([
      { task: "added", version: "1.3.0", from: 2 * SLOT },
      { task: "added", version: "1.4.0", from: 3 * SLOT },
    ]);
    await audit(place.outDir);
    // Again, with something newer there: what is computed stays.
    await place.publish(one, "1.5.0");
    expect(await place.run()).toMatchObject({ reused: ["added"], result: first.result });
  });

  it("is refused where it does not fit, with a notice, and the run goes on", async () => {
    const [one, two] = await Promise.all([addingModule(1000), addingModule(2000)]);
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
    expect(told).toEqual(misfits.map(([version, , why]) => expect.stringMatching(new RegExp(`${version}.*${why}`))));
  });
});
