import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { assign, setup } from "xstate";
import { createRuntime } from "../../../src/runtime/runtime.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { VirtualClock } from "../../support/virtual-clock.ts";

const keeper = setup({
  types: { context: {} as { readonly sizes: readonly number[]; readonly rings: number }, events: {} as Keep },
}).createMachine({
  id: "keeper",
  context: { sizes: [], rings: 0 },
  after: { 500: { actions: assign({ rings: ({ context }) => context.rings + 1 }) } },
  on: { keep: { actions: assign({ sizes: ({ context, event }) => [...context.sizes, event.text.length] }) } },
});

interface Keep {
  readonly type: "keep";
  readonly text: string;
}

let folder: TestFolder;
beforeAll(async () => {
  folder = await makeTestFolder("full");
});
afterAll(() => folder.remove());

describe.skipIf(process.platform !== "linux")("a runtime whose disk is full", () => {
  it("refuses new work, and goes on in the same process when there is room: timers that fell due too", async () => {
    const dir = folder.fresh();
    const clock = new VirtualClock();
    const large = "x".repeat(70_000);
    await using runtime = await createRuntime({ dir, machines: [keeper], clock });
    const [a, b] = [await runtime.spawn(keeper, { id: "a" }), await runtime.spawn(keeper, { id: "b" })];
    await a.send({ type: "keep", text: "small" });
    // A block that is too large for LevelDB goes to a segment, and this one is the device that is always full.
    await symlink("/dev/full", join(dir, "store", "segments", "000001.seg"));
    await expect(a.send({ type: "keep", text: large })).rejects.toMatchObject({ code: "DISK_FULL", retry: "later" });
    await expect(a.send({ type: "keep", text: "small" })).rejects.toMatchObject({ code: "DISK_FULL" });
    await expect(runtime.spawn(keeper, { id: "c" })).rejects.toMatchObject({ code: "DISK_FULL" });
    await clock.advance(500); // what both wait for cannot be written
    await clock.advance(500); // the disk is looked at
    const sent = await vi.waitFor(() => b.send({ type: "keep", text: "more" }).then(() => true));
    expect(sent).toBe(true);
    await vi.waitFor(async () => {
      await clock.advance(100);
      expect((await a.snapshot()).context.rings).toBe(1);
    });
    await a.send({ type: "keep", text: large });
    const sizes = (await a.snapshot()).context.sizes;
    expect(sizes.filter((size) => size === 5)).toHaveLength(1);
    expect(sizes.at(-1)).toBe(70_000);
    expect((await b.snapshot()).context).toEqual({ sizes: [4], rings: 1 });
    expect(runtime.quarantined()).toEqual([]);
  });
});
