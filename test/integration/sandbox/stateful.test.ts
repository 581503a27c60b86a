import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle, ModuleSession, ModuleSpec } from "../../../src/sandbox/port.ts";
import { countingSource, SavedMemories } from "../../support/stateful-module.ts";
import { specOf, type WatParts, watBytes } from "../../support/wat-module.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const context = { firstRow: 0, seed: new Uint8Array(32) };

function batchOf(...values: number[]): Batch {
  const writer = new BatchWriter(schema);
  for (const value of values) writer.push([value]);
  return writer.take();
}

const lane = openLane();
afterAll(() => lane.close());

async function load(parts: WatParts = {}, limits: Partial<ModuleSpec> = {}): Promise<ModuleHandle> {
  return lane.load(specOf(await watBytes(countingSource(parts)), { kind: "stateful", ...limits }));
}

async function sums(session: ModuleSession, ...values: number[]): Promise<number[]> {
  const { batch } = await session.run(batchOf(...values), context);
  return [...(batch.columns[0]?.values as Int32Array)];
}

describe("a session of a stateful module", () => {
  it("keeps memory and globals from one call to the next, and sessions of one module apart", async () => {
    const module = await load();
    const one = await module.openSession(null);
    const other = await module.openSession(null);
    expect(await sums(one, 1, 2)).toEqual([6, 8]);
    expect(await sums(other, 10)).toEqual([15]);
    expect(await sums(one, 3)).toEqual([11]);
    expect((await module.process(batchOf(1), context)).columns[0]?.values[0]).toBe(6);
  });

  it("saves only what has changed, and zeros not at all", async () => {
    const session = await (await load()).openSession(null);
    expect(await session.save()).toEqual({ state: null, fresh: [] });
    await sums(session, 1);
    const first = await session.save();
    expect(first.state?.pages).toBe(1);
    expect(first.fresh.map(({ bytes }) => bytes.length)).toEqual([65_536, expect.any(Number)]);
    expect((await session.save()).fresh).toEqual([]);
    await sums(session, 0);
    const second = await session.save();
    expect(second.state?.nodes).toEqual(first.state?.nodes);
    expect(second.fresh).toEqual([]);
    expect(second.state?.globals).not.toEqual(first.state?.globals);
    await sums(session, -2);
    expect((await session.save()).fresh).toHaveLength(3);
  });

  it("goes on from a saved state in another session and another lane, with every bit of the globals", async () => {
    const module = await load();
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, 4, -2);
    const saved = states.keep(await session.save());
    const whole = await sums(session, 1, -2);
    const end = (await session.save()).state;
    await using second = openLane();
    for (const handle of [module, await second.load(module.spec)]) {
      const again = await handle.openSession(saved);
      expect((await again.save()).fresh).toEqual([]);
      expect(await sums(again, 1, -2)).toEqual(whole);
      expect((await again.save()).state).toEqual(end);
    }
  });

  it("takes no more after a trap, until it is rolled back to what was saved", async () => {
    const session = await (await load()).openSession(null);
    await sums(session, 1);
    const before = await session.save();
    await sums(session, 7, -2);
    const results = await Promise.allSettled([session.run(batchOf(1, -1), context), session.run(batchOf(1), context)]);
    expect(results.map((result) => (result.status === "rejected" ? result.reason.code : "done"))).toEqual([
      "MODULE_TRAP",
      "LANE_STATE_LOST",
    ]);
    await expect(session.save()).rejects.toMatchObject({ code: "LANE_STATE_LOST" });
    session.rollback();
    expect((await session.save()).state).toEqual(before.state);
    expect(await sums(session, 1)).toEqual([7]);
  });

  it("rolls back to the beginning where nothing was saved", async () => {
    const session = await (await load()).openSession(null);
    await expect(session.run(batchOf(9, -1), context)).rejects.toMatchObject({ code: "MODULE_TRAP" });
    session.rollback();
    expect(await sums(session, 1)).toEqual([6]);
  });
});
