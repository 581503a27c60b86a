import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { Lane, ModuleHandle, ModuleSpec, Processed } from "../../../src/sandbox/port.ts";
import { countingSource, SavedMemories } from "../../support/stateful-module.ts";
import { specOf, type WatParts, watBytes, watSource } from "../../support/wat-module.ts";

const schema = schemaOf([
  { name: "n", type: "i32", nullable: false },
  { name: "text", type: "utf8", nullable: true },
]);
const context = { firstRow: 0, seed: new Uint8Array(32) };
const hasRows = "(i32.load offset=12 (local.get $batch))";
/** Address of the first value of the first column. */
const first = `(i32.add (local.get $batch) (i32.load offset=${64 + 32} (local.get $batch)))`;

function batchOf(rows: number, from = 0, shared = false): Batch {
  const writer = new BatchWriter(schema, { shared });
  for (let i = 0; i < rows; i++) writer.push([from + i, i % 3 === 0 ? null : `row ${i}`]);
  return writer.take();
}

function withRows(body: string, fields = ""): WatParts {
  return { process: `(if ${hasRows} (then ${body})) (local.get $batch)`, fields };
}

/** Turns a loop as often as the first value says. */
const BUSY = withRows(
  `(global.set $turns (i32.load ${first}))
   (loop (global.set $turns (i32.sub (global.get $turns) (i32.const 1)))
     (br_if 0 (i32.gt_s (global.get $turns) (i32.const 0))))`,
  "(global $turns (mut i32) (i32.const 0))",
);

/** Puts out how often it was called before, as memory and a global remember it. */
const COUNTER = withRows(
  `(i32.store ${first} (i32.add (global.get $calls) (i32.load (i32.const 512))))
   (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
   (i32.store (i32.const 512) (i32.const 1000))`,
  "(global $calls (mut i32) (i32.const 0))",
);

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

async function collect(outputs: AsyncIterable<Processed>): Promise<unknown[]> {
  const values: unknown[] = [];
  for await (const { batch } of outputs) values.push(batch.columns[0]?.values[0]);
  return values;
}

/** What the suite needs of a kind of lane: one to use, and one that lives for a single test. */
export interface LaneUnderTest {
  open(): Lane;
}

/** What every lane does, alone or in a pool, in a thread or in a process. */
export function laneContract(name: string, { open }: LaneUnderTest): void {
  describe(name, () => {
    const lane = open();
    afterAll(() => lane.close());

    async function load(parts: WatParts, limits: Partial<ModuleSpec> = {}, to = lane): Promise<ModuleHandle> {
      return to.load(specOf(await watBytes(watSource(parts)), limits));
    }

    it("gives back what the module gives, for blocks of every kind and size", async () => {
      const echo = await load({}, { memoryBytesMax: 64 * 65_536 });
      for (const batch of [batchOf(1), batchOf(10, 0, true), batchOf(40_000), batchOf(40_000, 7, true)]) {
        const before = batch.bytes.slice();
        expect(Buffer.compare((await echo.process(batch, context)).bytes, before)).toBe(0);
        expect(Buffer.compare(batch.bytes, before)).toBe(0);
        expect((await echo.process(batch, context)).rows).toBe(batch.rows);
      }
    });

    it("gives outputs in the order of the calls, however long each takes", async () => {
      const modules = await Promise.all([load(BUSY), load({})]);
      const turns = Array.from({ length: 120 }, (_, i) => (i % 7 === 0 ? 200_000 : 1 + (i % 5)));
      const calls = turns.map((from) => ({ batch: batchOf(1, from), context }));
      const outputs = await Promise.all(modules.map((handle) => collect(handle.processAll(calls))));
      expect(outputs).toEqual([turns, turns]);
    });

    it("starts every call from the module's initial state, for the same fuel", async () => {
      const counter = await load(COUNTER);
      const fuels = new Set<number>();
      for (let round = 0; round < 4; round++) {
        const many = Array.from({ length: 20 }, () => counter.run(batchOf(2, 55), context));
        for (const { batch, fuel } of await Promise.all(many)) {
          expect(batch.columns[0]?.values[0]).toBe(0);
          fuels.add(fuel);
        }
      }
      expect(fuels.size).toBe(1);
    });

    it("stops a module whose fuel is used up, again and again, and works on", async () => {
      const loop = await load(withRows("(loop (br 0))"), { fuelPerCall: 1e6, fuelPerRow: 0 });
      const echo = await load({});
      const stopped = Array.from({ length: 12 }, () => codeOf(loop.process(batchOf(1), context)));
      const others = collect(
        echo.processAll(Array.from({ length: 12 }, (_, i) => ({ batch: batchOf(1, i), context }))),
      );
      expect(await others).toEqual(Array.from({ length: 12 }, (_, i) => i));
      expect(new Set(await Promise.all(stopped))).toEqual(new Set(["MODULE_FUEL_EXHAUSTED"]));
    });

    it("replaces what does not end in time, and loses no call behind it", async () => {
      await using own = open();
      const loop = await load(
        withRows(`(if (i32.eq (i32.load ${first}) (i32.const 5)) (then (loop (br 0))))`),
        { timeoutMs: 300, fuelPerCall: 1e12 },
        own,
      );
      const codes = await Promise.all(
        Array.from({ length: 30 }, (_, i) => codeOf(loop.process(batchOf(1, i), context))),
      );
      expect(codes).toEqual(Array.from({ length: 30 }, (_, i) => (i === 5 ? "MODULE_TIMEOUT" : "no error")));
    });

    it("does not take a busy main thread for a slow module", async () => {
      const echo = await load({}, { timeoutMs: 400, memoryBytesMax: 64 * 65_536 });
      await echo.process(batchOf(1), context);
      const outputs = [echo.process(batchOf(40_000), context), echo.process(batchOf(1), context)];
      await new Promise((resolve) => setImmediate(resolve));
      const until = performance.now() + 600;
      while (performance.now() < until);
      expect((await Promise.all(outputs)).map(({ rows }) => rows)).toEqual([40_000, 1]);
    });

    it("ends the wait when the signal says so, waiting or running", async () => {
      await using own = open();
      const loop = await load(withRows("(loop (br 0))"), { timeoutMs: 300, fuelPerCall: 1e12 }, own);
      await loop.outputSchema(schema);
      const abort = new AbortController();
      const { signal } = abort;
      const waits = Array.from({ length: 70 }, () => codeOf(loop.process(batchOf(1), context, { signal })));
      setImmediate(() => abort.abort());
      expect(new Set(await Promise.all(waits))).toEqual(new Set(["INTERRUPTED"]));
      expect(await codeOf(loop.process(batchOf(1), context, { signal }))).toBe("INTERRUPTED");
      expect((await (await load({}, {}, own)).process(batchOf(1), context)).rows).toBe(1);
    });

    it("keeps the state of a session through lost calls of others, saves it, and goes on from it", async () => {
      await using own = open();
      const numbers = schemaOf([{ name: "n", type: "i32", nullable: false }]);
      const one = new BatchWriter(numbers);
      const bytes = await watBytes(countingSource());
      const module = await own.load(specOf(bytes, { kind: "stateful" }));
      const stuck = await load(withRows("(loop (br 0))"), { timeoutMs: 200, fuelPerCall: 1e12 }, own);
      await stuck.outputSchema(schema);
      const states = new SavedMemories();
      const session = await module.openSession(null);
      const add = async (to: typeof session, value: number): Promise<unknown> => {
        one.push([value]);
        return (await to.run(one.take(), context)).batch.columns[0]?.values[0];
      };
      // It begins at 5.
      expect(await add(session, 1)).toBe(6);
      expect(await Promise.all([codeOf(stuck.process(batchOf(1), context)), add(session, 2)])).toEqual([
        "MODULE_TIMEOUT",
        8,
      ]);
      expect(await add(session, -2)).toBe(6);
      const saved = states.keep(await session.save());
      expect(await add(session, 10)).toBe(16);
      session.rollback();
      expect(await add(session, 20)).toBe(26);
      session.close();
      const again = await module.openSession(saved);
      expect(await add(again, 30)).toBe(36);
      await using alone = openLane();
      const other = await (await alone.load(module.spec)).openSession(saved);
      await add(other, 30);
      expect((await again.save()).state).toEqual((await other.save()).state);
    });

    it("refuses calls beyond its queue, and fails what waits when it is closed", async () => {
      const own = open();
      const echo = await load({}, {}, own);
      await echo.outputSchema(schema);
      const batch = batchOf(1);
      const codes = Array.from({ length: 4300 }, () => codeOf(echo.process(batch, context)));
      expect(new Set(await Promise.all(codes))).toEqual(new Set(["no error", "LANE_OVERLOADED"]));
      const waiting = Array.from({ length: 100 }, () => codeOf(echo.process(batch, context)));
      await own.close();
      expect(new Set(await Promise.all(waiting))).toContain("LANE_CLOSED");
      expect(await codeOf(echo.process(batch, context))).toBe("LANE_CLOSED");
      expect(await codeOf(load({}, {}, own))).toBe("LANE_CLOSED");
      await own.close();
    });
  });
}
