import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import type { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { IpdmError } from "../../../src/core/errors.ts";
import { rawBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import type { WindowPlan } from "../../../src/streams/window/plan.ts";
import type { SavedState } from "../../../src/streams/window/state-tree.ts";
import { WindowAggregate } from "../../../src/streams/window/window-aggregate.ts";
import { SavedStates } from "../../support/saved-states.ts";
import { batchesOf, leavesOf } from "./reference.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "who", type: "utf8", nullable: true },
  { name: "amount", type: "i64", nullable: true },
]);
const plan: WindowPlan = {
  time: "at",
  outOfOrderUs: 30,
  sizeUs: 10,
  latenessUs: 0,
  keys: ["who"],
  aggregates: [
    { name: "n", kind: "count" },
    { name: "sum", kind: "sum", column: "amount" },
    { name: "low", kind: "min", column: "amount" },
  ],
};

/** Keys of up to 60 kB: a few dozen of them make several chunks. */
const key = fc
  .tuple(fc.nat(6), fc.constantFrom(0, 9_000, 20_000, 60_000))
  .map(([n, length]) => `${n}-${"x".repeat(length)}`);
const row = fc.tuple(
  fc.bigInt({ min: 0n, max: 45n }),
  fc.option(key, { nil: null }),
  fc.option(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), { nil: null }),
);
const rows = fc.array(row, { minLength: 1, maxLength: 70, size: "max" });
const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });

function linksOf({ root }: SavedState): CID[] {
  const { chunks = [] } = dagCbor.decode<{ chunks?: CID[] }>(root.bytes);
  return chunks;
}

/** A state and its blocks after all rows. */
function saved(table: readonly (readonly Value[])[]): { state: SavedState; states: SavedStates } {
  const window = new WindowAggregate(plan, schema);
  for (const batch of batchesOf(schema, table, 10)) window.push(batch);
  const states = new SavedStates();
  const state = window.save(sha256);
  states.keep(state);
  return { state, states };
}

describe("a window's state as a tree", () => {
  it("has the same CID and goes on to the same rows, however the input is cut and wherever it is saved and restored", async () => {
    let trees = 0;
    await fc.assert(
      fc.asyncProperty(rows, sizes, fc.array(fc.nat(70)), fc.array(fc.nat(70)), async (table, cut, saves, restores) => {
        const whole = new WindowAggregate(plan, schema);
        const expected = batchesOf(schema, table, 70).flatMap((batch) => whole.push(batch).rows);
        const state = whole.save(sha256);
        expected.push(...whole.end().rows);
        if (linksOf(state).length > 1) trees++;

        const states = new SavedStates();
        let window = new WindowAggregate(plan, schema);
        const found = [];
        for (const [i, batch] of batchesOf(schema, table, ...cut).entries()) {
          found.push(...window.push(batch).rows);
          if (saves.includes(i)) states.keep(window.save(sha256));
          if (restores.includes(i))
            window = await WindowAggregate.restore(plan, schema, states.source(states.keep(window.save(sha256))));
        }
        expect(states.keep(window.save(sha256)).toString()).toBe(state.root.cid.toString());
        window = await WindowAggregate.restore(plan, schema, states.source(state.root.cid));
        found.push(...window.end().rows);
        expect(leavesOf(found)).toEqual(leavesOf(expected));
      }),
      { numRuns: 60 },
    );
    expect(trees).toBeGreaterThan(10);
  });

  it("is restored from all its blocks and then has nothing new to write", async () => {
    await fc.assert(
      fc.asyncProperty(rows, async (table) => {
        const { state, states } = saved(table);
        const again = await WindowAggregate.restore(plan, schema, states.source(state.root.cid));
        const second = again.save(sha256);
        expect(second.root.cid.toString()).toBe(state.root.cid.toString());
        expect(second.fresh).toEqual([]);
        expect(linksOf(state).map(String)).toEqual(state.fresh.map(({ cid }) => cid.toString()));
      }),
      { numRuns: 40 },
    );
  });

  it("is refused with any byte of any block flipped", async () => {
    await fc.assert(
      fc.asyncProperty(rows, fc.nat(), fc.nat(), fc.integer({ min: 1, max: 255 }), async (table, which, at, bits) => {
        const { state, states } = saved(table);
        const blocks = [state.root, ...state.fresh];
        const { cid, bytes } = blocks[which % blocks.length] as (typeof blocks)[number];
        const flipped = bytes.slice();
        flipped[at % bytes.length] = (flipped[at % bytes.length] as number) ^ bits;
        states.blocks.set(cid.toString(), flipped);
        await expect(WindowAggregate.restore(plan, schema, states.source(state.root.cid))).rejects.toMatchObject({
          code: "DAG_CID_MISMATCH",
        });
      }),
      { numRuns: 40 },
    );
  });

  it("is taken from a liar only in its own canonical form", async () => {
    const change = fc.constantFrom("byte", "swap", "drop", "twice");
    await fc.assert(
      fc.asyncProperty(rows, change, fc.nat(), fc.nat(), async (table, kind, which, at) => {
        const { state, states } = saved(table);
        const node = dagCbor.decode<{ chunks?: CID[] }>(state.root.bytes);
        const links = node.chunks ?? [];
        if (links.length === 0) return;
        const i = which % links.length;
        if (kind === "byte") {
          const bytes = (states.blocks.get(String(links[i])) as Uint8Array).slice();
          bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ 1;
          const made = rawBlock(sha256, bytes);
          states.blocks.set(made.cid.toString(), bytes);
          links[i] = made.cid;
        } else if (kind === "swap") links.reverse();
        else if (kind === "drop") links.splice(i, 1);
        else links.splice(i, 0, links[i] as CID);
        const root = rawBlock(sha256, dagCbor.encode(node));
        states.keep({ root, fresh: [] });
        const restored = await WindowAggregate.restore(plan, schema, states.source(root.cid)).catch(
          (error: unknown) => error,
        );
        // Another state may be a possible one: then it is that one, byte by byte. Whose it is, votes say.
        if (restored instanceof WindowAggregate) {
          expect(kind === "byte" || kind === "drop").toBe(true);
          expect(restored.save(sha256).root.cid.toString()).toBe(root.cid.toString());
        } else expect(restored).toBeInstanceOf(IpdmError);
      }),
      { numRuns: 80 },
    );
  });
});

describe("chunks", () => {
  const counting: WindowPlan = { ...plan, outOfOrderUs: 0, sizeUs: 1_000_000 };
  const fill = (keys: readonly string[]): WindowAggregate => {
    const window = new WindowAggregate(counting, schema);
    const table = keys.map((name): Value[] => [1n, name, 1n]);
    for (const batch of batchesOf(schema, table, 4096)) window.push(batch);
    return window;
  };
  const names = Array.from({ length: 40_000 }, (_, i) => `customer ${String(i).padStart(6, "0")}`);

  it("are of bounded size, and few are new when few keys change, come or go", () => {
    const window = fill(names);
    const first = window.save(sha256);
    expect(first.fresh.length).toBeGreaterThan(5);
    for (const { bytes } of first.fresh.slice(0, -1)) {
      expect(bytes.length).toBeGreaterThan(100 * 1024);
      expect(bytes.length).toBeLessThan(1024 * 1024 + 4096);
    }
    expect(window.save(sha256).fresh).toEqual([]);
    for (const batch of batchesOf(schema, [[2n, "customer 020000", 5n]], 1)) window.push(batch);
    expect(window.save(sha256).fresh).toHaveLength(1);
    for (const batch of batchesOf(schema, [[2n, "customer 010000 bis", 5n]], 1)) window.push(batch);
    expect(window.save(sha256).fresh.length).toBeLessThanOrEqual(2);

    const before = new Set(first.fresh.map(({ cid }) => cid.toString()));
    const without = fill(names.filter((name) => name !== "customer 015000")).save(sha256);
    expect(without.fresh.filter(({ cid }) => !before.has(cid.toString())).length).toBeLessThanOrEqual(3);
  });
});
