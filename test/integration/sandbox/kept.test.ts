import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle, ModuleSession } from "../../../src/sandbox/port.ts";
import { compileModule } from "../../../tools/build-modules.ts";
import { ROOT } from "../../support/command.ts";
import { SavedMemories } from "../../support/stateful-module.ts";
import { specOf } from "../../support/wat-module.ts";

/**
 * A module whose rows are work for the allocator: a positive number keeps so many bytes, a negative one releases a block, and each
 * row takes memory of the call as well. It traps when memory that it gets is not zero, or when a block has changed.
 */
const SOURCE = `
import { Batch, Column, Output, Selection, Type, allocate } from "../src/sandbox/sdk/index";
import { KeptMap, keep, release } from "../src/sandbox/sdk/stateful";
export { ipdm_abi, ipdm_alloc } from "../src/sandbox/sdk/index";
export { ipdm_end } from "../src/sandbox/sdk/stateful";

const blocks = memory.data(64 << 2);
const sizes = memory.data(64 << 2);
let count: i32 = 0;
let map: usize = 0;

function check(address: usize, bytes: usize, value: u8): void {
  for (let at = address; at < address + bytes; at++) if (load<u8>(at) != value) unreachable();
}

export function ipdm_process(address: usize, descriptor: usize): usize {
  const input = Batch.at(address);
  const work = input.column("work");
  if (map == 0) map = changetype<usize>(KeptMap.of(8));
  const counts = Output.of(input.rows, 1);
  const seen = counts.add("seen", Type.I64, false);
  for (let row = 0; row < input.rows; row++) {
    const value = <i32>work.integer(row);
    const own = allocate(1 + 3 * abs(value));
    check(own, 1 + 3 * abs(value), 0);
    memory.fill(own, 0xee, 1 + 3 * abs(value));
    if (value >= 0 && count < 64) {
      const block = keep(value);
      if ((block & 63) != 0) unreachable();
      check(block, value, 0);
      memory.fill(block, <u8>(count + 1), value);
      store<usize>(blocks + (count << 2), block);
      store<usize>(sizes + (count << 2), value);
      count++;
    } else if (value < 0 && count > 0) {
      count--;
      const block = load<usize>(blocks + (count << 2));
      check(block, load<usize>(sizes + (count << 2)), <u8>(count + 1));
      release(block, load<usize>(sizes + (count << 2)));
    }
    for (let i = 0; i < count; i++)
      check(load<usize>(blocks + (i << 2)), load<usize>(sizes + (i << 2)), <u8>(i + 1));
    const mark = changetype<KeptMap>(map).value(work.data + 8 * row, 8);
    store<i64>(mark, load<i64>(mark) + 1);
    seen.push<i64>(load<i64>(mark));
  }
  return counts.finish();
}`;

const schema = schemaOf([{ name: "work", type: "i64", nullable: false }]);
const lane = openLane();
let module: ModuleHandle;

beforeAll(async () => {
  const bytes = await compileModule(ROOT, "test/kept-module.ts", { "test/kept-module.ts": SOURCE });
  module = await lane.load(specOf(bytes, { kind: "stateful", memoryBytesMax: 2 ** 25, fuelPerCall: 1e9 }));
});
afterAll(() => lane.close());

function batchOf(values: readonly number[]): Batch {
  const writer = new BatchWriter(schema);
  for (const value of values) writer.push([BigInt(value)]);
  return writer.take();
}

async function seen(session: ModuleSession, values: readonly number[]): Promise<bigint[]> {
  const { batch } = await session.run(batchOf(values), { firstRow: 0, seed: new Uint8Array(32) });
  return Array.from(batch.columns[0]?.values as BigInt64Array);
}

const work = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 90_000 }),
  fc.integer({ min: -9, max: -1 }),
);

describe("memory that lives from call to call", () => {
  it("is zero when it is given out, and nobody else's until it is released, in restored instances too", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(work, { minLength: 1, maxLength: 12 }), { maxLength: 12 }),
        fc.func(fc.boolean()),
        async (calls, restart) => {
          const states = new SavedMemories();
          let session = await module.openSession(null);
          const counts = new Map<number, bigint>();
          for (const [i, values] of calls.entries()) {
            const expected = values.map((value) => {
              counts.set(value, (counts.get(value) ?? 0n) + 1n);
              return counts.get(value);
            });
            expect(await seen(session, values)).toEqual(expected);
            if (!restart(i)) continue;
            const saved = states.keep(await session.save());
            session.close();
            session = await module.openSession(saved);
          }
          session.close();
        },
      ),
      { numRuns: 60 },
    );
  });

  it("grows with what is kept, not with the calls, and what calls leave behind is not saved", async () => {
    const session = await module.openSession(null);
    await seen(session, [100, 50_000, -1, 2000]);
    const early = await session.save();
    for (let i = 0; i < 200; i++) await seen(session, [50_000, -1, -1, 2000]);
    const late = await session.save();
    expect(late.state?.pages).toBe(early.state?.pages);
    // A page with static data, and those of the segments in use.
    expect(early.fresh.filter(({ bytes }) => bytes.length === 65_536).length).toBeLessThanOrEqual(4);
    expect(late.fresh.filter(({ bytes }) => bytes.length === 65_536).length).toBeLessThanOrEqual(4);
    session.close();
  });
});
