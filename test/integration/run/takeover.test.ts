import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
    const first = await place.run({
      1: () => place.publish(two, "1.2.1", { columns: [{ name: "n", type: "i32" }] }),
      2: () => place.publish(two, "1.3.0"),
      3: () => place.publish(three, "1.4.0"),
    });
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
    const refused = place.notices.filter(({ code }) => code === "MODULE_NOT_TAKEN").map(({ message }) => message);
    expect(refused).toEqual([expect.stringContaining("late 1.2.1 cannot take over") as string]);
    await audit(place.outDir);
    // Again, with something newer there: what is computed stays.
    await place.publish(one, "1.5.0");
    expect(await place.run()).toMatchObject({ reused: ["added"], result: first.result });
  });
});
