import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { rawBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import { LaneThread } from "../../../src/sandbox/lane-thread.ts";
import type { Lane, ModuleHandle, ModuleSession, ModuleSpec } from "../../../src/sandbox/port.ts";
import type { MemorySource, MemoryState } from "../../../src/sandbox/state/memory-tree.ts";
import { makeTestFolder } from "../../support/folder.ts";
import { COUNTER, countingParts, countingSource, SavedMemories } from "../../support/stateful-module.ts";
import { specOf, type WatParts, watBytes, watSource } from "../../support/wat-module.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const context = { firstRow: 0, seed: new Uint8Array(32) };

function batchOf(...values: number[]): Batch {
  const writer = new BatchWriter(schema);
  for (const value of values) writer.push([value]);
  return writer.take();
}

const CHILD = fileURLToPath(new URL("./stateful-child.ts", import.meta.url));
const lane = openLane();
afterAll(() => lane.close());

async function load(parts: WatParts = {}, limits: Partial<ModuleSpec> = {}): Promise<ModuleHandle> {
  return lane.load(specOf(await watBytes(countingSource(parts)), { kind: "stateful", ...limits }));
}

async function sums(session: ModuleSession, ...values: number[]): Promise<number[]> {
  const { batch } = await session.run(batchOf(...values), context);
  return Array.from(batch.columns[0]?.values as Int32Array);
}

function codeOf(end: PromiseSettledResult<unknown>): string {
  return end.status === "rejected" ? String((end.reason as { code?: unknown }).code) : "done";
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

  it("goes on in another process", async () => {
    const folder = await makeTestFolder("state");
    const module = await load();
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, 4, -2, 9);
    const { state, fresh } = await session.save();
    states.keep({ state, fresh });
    const file = join(folder.path, "state");
    await writeFile(
      file,
      dagCbor.encode({ module: module.spec.bytes, state, blocks: Object.fromEntries(states.blocks) }),
    );
    const child = spawnSync(process.execPath, [CHILD, file, "5", "-2"], { encoding: "utf8" });
    const { batch, fuel } = await session.run(batchOf(5, -2), context);
    expect(child.status, child.stderr).toBe(0);
    expect(JSON.parse(child.stdout)).toEqual({
      sums: Array.from(batch.columns[0]?.values as Int32Array),
      fuel,
      after: Buffer.from(dagCbor.encode((await session.save()).state)).toString("hex"),
    });
    await folder.remove();
  });

  it("takes no more after a trap, until it is rolled back to what was saved", async () => {
    const session = await (await load()).openSession(null);
    await sums(session, 1);
    const before = await session.save();
    await sums(session, 7, -2);
    const results = await Promise.allSettled([session.run(batchOf(1, -1), context), session.run(batchOf(1), context)]);
    expect(results.map(codeOf)).toEqual(["MODULE_TRAP", "LANE_STATE_LOST"]);
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

describe("the state of a stateful module", () => {
  it("holds vectors and the bits of NaNs", async () => {
    const fields = `${countingParts().fields ?? ""}
      (global $vector (mut v128) (v128.const i64x2 -1 0x7ff0000000000123))
      (func $turn (global.set $vector (i64x2.add (global.get $vector) (v128.const i64x2 1 1))))`;
    const process = countingParts().process?.replace("(local $value i32)", "(local $value i32) (call $turn)");
    const module = await load({ fields, process: process ?? "" });
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, 1);
    const saved = await session.save();
    const globals = Buffer.from(saved.state?.globals ?? []);
    const lanes = Array.from({ length: globals.length / 8 }, (_, i) => globals.readBigUInt64LE(8 * i));
    expect(lanes.slice(2)).toEqual([
      0xffff_fffan,
      9007199254740992n,
      0x3f00_0000n,
      0x7ff0_0000_0000_0123n,
      0x7f80_0001n,
      0n,
      0x7ff0_0000_0000_0124n,
    ]);
    const again = await module.openSession(states.keep(saved));
    await sums(again, 1);
    await sums(session, 1);
    expect((await again.save()).state).toEqual((await session.save()).state);
  });

  it("has the start function behind it: it runs at the first call alone", async () => {
    const fields = `${countingParts().fields ?? ""}
      (func $begin (i32.store (i32.const ${COUNTER}) (i32.const 100))) (start $begin)`;
    const module = await load({ fields });
    const session = await module.openSession(null);
    expect(await sums(session, 1)).toEqual([101]);
    const states = new SavedMemories();
    const again = await module.openSession(states.keep(await session.save()));
    expect(await sums(again, 1)).toEqual([102]);
  });

  it("has zeros where the module began with data and cleared it", async () => {
    const memory = '(memory (export "memory") 2) (data (i32.const 70000) "\\2a")';
    const process = countingParts().process?.replace(
      "(local $value i32)",
      `(local $value i32) (i32.store (i32.const ${COUNTER}) (i32.add (i32.load (i32.const ${COUNTER})) (i32.load8_u (i32.const 70000))))
       (if (i32.load offset=12 (local.get $batch)) (then (i32.store8 (i32.const 70000) (i32.const 0))))`,
    );
    const module = await load({ memory, process: process ?? "" });
    const states = new SavedMemories();
    const session = await module.openSession(null);
    expect(await sums(session, 1)).toEqual([5 + 0x2a + 1]);
    const saved = await session.save();
    expect(saved.state?.pages).toBe(2);
    const again = await module.openSession(states.keep(saved));
    expect(await sums(again, 1)).toEqual(await sums(session, 1));
  });

  it("has one form for a memory that only grew", async () => {
    const module = await load({}, { memoryBytesMax: 2 ** 23 });
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, ...Array.from({ length: 60 }, () => -3));
    // Around the end of the first list of 64 pages, and in the second, which only pages that are written change otherwise.
    for (let grown = 61; grown < 75; grown++) {
      await sums(session, grown % 3 === 0 ? -2 : -3);
      const again = await module.openSession(states.keep(await session.save()));
      expect(await sums(again, 1)).toHaveLength(1);
      again.close();
    }
  });

  it("takes the same fuel in a restored instance", async () => {
    const module = await load();
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, 1, -2);
    const again = await module.openSession(states.keep(await session.save()));
    const [one, other] = await Promise.all([session, again].map((s) => s.run(batchOf(3, 4, -2), context)));
    expect(one?.fuel).toBe(other?.fuel);
    expect(one?.fuel).toBeGreaterThan(0);
  });

  it.each<[string, WatParts]>([
    [
      "changes a table",
      {
        fields: "(table 1 1 funcref) (elem declare func $abi)",
        process: "(table.set 0 (i32.const 0) (ref.func $abi)) (local.get $batch)",
      },
    ],
    ["drops a segment", { fields: '(data $text "a")', process: "(data.drop $text) (local.get $batch)" }],
    ["keeps a reference", { fields: "(global $f (mut funcref) (ref.null func))" }],
  ])("cannot be kept of a module that %s", async (_, parts) => {
    const bytes = await watBytes(watSource(parts));
    await lane.load(specOf(bytes));
    await expect(lane.load(specOf(bytes, { kind: "stateful" }))).rejects.toMatchObject({
      code: "MODULE_NOT_STATEFUL",
      kind: "config",
    });
  });

  it("is refused in any form but the one that is saved", async () => {
    const module = await load();
    const states = new SavedMemories();
    const session = await module.openSession(null);
    await sums(session, 1, -2);
    const saved = await session.save();
    const source = states.keep(saved) as MemorySource;
    const good = saved.state as MemoryState;
    const node = good.nodes[0] as CID;
    const put = (bytes: Uint8Array): CID => {
      const { cid } = rawBlock(sha256, bytes);
      states.blocks.set(cid.toString(), bytes);
      return cid;
    };
    const list = dagCbor.decode<(CID | null)[]>(await states.read(node));
    const listed = (links: readonly (CID | null)[]): unknown => ({ ...good, nodes: [put(dagCbor.encode(links))] });
    const wide = good.globals.slice();
    wide[7] = 1;
    const bad: unknown[] = [
      null,
      [],
      {},
      { ...good, more: 1 },
      { ...good, pages: 0 },
      { ...good, pages: 1.5 },
      { ...good, pages: 3 },
      { ...good, pages: 1000 },
      { ...good, nodes: [] },
      { ...good, nodes: [node, node] },
      { ...good, nodes: [1] },
      { ...good, globals: good.globals.subarray(8) },
      { ...good, globals: wide },
      { ...good, nodes: [put(Uint8Array.of(0xff))] },
      listed([...list, null]),
      listed([null, null]),
      listed([list[0] as CID, put(new Uint8Array(65_536))]),
      listed([list[0] as CID, put(Uint8Array.of(1))]),
    ];
    for (const state of bad) {
      const opened = module.openSession({ ...source, state: state as never });
      await expect(opened, JSON.stringify(state)).rejects.toMatchObject({ code: "MODULE_STATE_MALFORMED" });
    }
    const lying = { ...source, read: async () => Uint8Array.of(1) };
    await expect(module.openSession(lying)).rejects.toMatchObject({ code: "DAG_CID_MISMATCH" });
    expect(await sums(await module.openSession(source), 1)).toEqual(await sums(session, 1));
  });
});

describe("a session whose thread is lost", () => {
  /** A lane that loses its threads at the given outcomes, counted from its first, before they are read. */
  function dyingLane(losses: ReadonlySet<number>): Lane {
    let outcomes = 0;
    return openLane((events) => {
      const thread: LaneThread = new LaneThread({
        ready: events.ready,
        lost: events.lost,
        outcome: (outcome) => {
          if (!losses.has(outcomes++)) return events.outcome(outcome);
          void thread.end();
          events.lost("the thread died");
        },
      });
      return thread;
    });
  }

  const calls = Array.from({ length: 9 }, (_, i) => [i + 1, i % 3 === 0 ? -2 : i]);
  const saves = new Set([2, 6]);

  /** All that comes out of the calls, two other sessions' calls and stateless ones between them. */
  async function work(own: Lane): Promise<unknown> {
    const module = await own.load(
      specOf(await watBytes(countingSource()), { kind: "stateful", memoryBytesMax: 2 ** 20 }),
    );
    const [one, other] = await Promise.all([module.openSession(null), module.openSession(null)]);
    const out: Promise<unknown>[] = [];
    for (const [i, values] of calls.entries()) {
      out.push(
        sums(one, ...values),
        sums(other, 1),
        module.process(batchOf(i), context).then(({ bytes }) => bytes),
      );
      if (saves.has(i)) out.push(one.save().then(({ state }) => state));
    }
    const all = await Promise.all(out);
    return [all, (await one.save()).state, (await other.save()).state];
  }

  it("begins again where it was saved, and skips and doubles no call", async () => {
    await using plain = openLane();
    const expected = await work(plain);
    for (let at = 1; at < 32; at += 4) {
      // Far enough apart that no call meets its end twice, however many are done again between.
      await using own = dyingLane(new Set([at, at + 25]));
      expect(await work(own), `lost at outcome ${at}`).toEqual(expected);
    }
  });

  it("is lost again and again, and no call is doubled by the ones before", async () => {
    await using own = dyingLane(new Set([3, 6, 10, 15]));
    const module = await own.load(specOf(await watBytes(countingSource()), { kind: "stateful" }));
    const session = await module.openSession(null);
    for (let call = 1; call <= 8; call++) expect(await sums(session, 1)).toEqual([5 + call]);
  });

  it("is lost when the same call loses two threads, and its rollback works in a third", async () => {
    await using own = dyingLane(new Set([3, 5]));
    const module = await own.load(specOf(await watBytes(countingSource()), { kind: "stateful" }));
    const session = await module.openSession(null);
    await sums(session, 1);
    const codes = await Promise.allSettled([sums(session, 2), sums(session, 3)]);
    expect(codes.map(codeOf)).toEqual(["LANE_CRASHED", "LANE_STATE_LOST"]);
    session.rollback();
    expect(await sums(session, 4)).toEqual([9]);
  });

  it("is lost when a call of it is stopped or given up, and no other session with it", async () => {
    const endless = countingParts().process?.replace(
      "(i32.const -1)) (then unreachable)",
      "(i32.const -1)) (then (loop (br 0)))",
    );
    await using own = openLane();
    const spec = specOf(await watBytes(countingSource({ process: endless ?? "" })), {
      kind: "stateful",
      timeoutMs: 300,
      fuelPerCall: 1e12,
    });
    const module = await own.load(spec);
    const [one, other] = await Promise.all([module.openSession(null), module.openSession(null)]);
    await Promise.all([sums(one, 1), sums(other, 1)]);
    const states = await one.save();
    await sums(one, 5);
    await expect(sums(one, -1)).rejects.toMatchObject({ code: "MODULE_TIMEOUT" });
    await expect(sums(one, 1)).rejects.toMatchObject({ code: "LANE_STATE_LOST" });
    expect(await sums(other, 1)).toEqual([7]);
    one.rollback();
    expect((await one.save()).state).toEqual(states.state);
    expect(await sums(one, 1)).toEqual([7]);
    const abort = new AbortController();
    const waiting = one.run(batchOf(3), context, { signal: abort.signal });
    const behind = one.run(batchOf(3), context);
    abort.abort();
    const ends = await Promise.allSettled([waiting, behind]);
    expect(ends.map(codeOf)).not.toContain("done");
    one.rollback();
    expect(await sums(one, 1)).toEqual([7]);
    one.close();
    await expect(sums(one, 1)).rejects.toMatchObject({ code: "LANE_STATE_LOST" });
    expect(await sums(other, 1)).toEqual([8]);
  });
});
