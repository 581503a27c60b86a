import { readFile } from "node:fs/promises";
import { afterAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import { LaneThread } from "../../../src/sandbox/lane-thread.ts";
import type { ModuleHandle, ModuleSpec, Processed } from "../../../src/sandbox/port.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import type { WatParts } from "../../support/wat-module.ts";
import { specOf, watBytes, watSource } from "../../support/wat-module.ts";

const schema = schemaOf([
  { name: "n", type: "i32", nullable: false },
  { name: "text", type: "utf8", nullable: true },
]);
const context = { firstRow: 100, seed: new Uint8Array(32) };
const hasRows = "(i32.load offset=12 (local.get $batch))";

function batchOf(rows: number, first = 0): Batch {
  const writer = new BatchWriter(schema);
  for (let i = 0; i < rows; i++) writer.push([first + i, i % 3 === 0 ? null : `row ${i}`]);
  return writer.take();
}

const lane = openLane();
afterAll(() => lane.close());

async function load(parts: WatParts, limits: Partial<ModuleSpec> = {}): Promise<ModuleHandle> {
  return lane.load(specOf(await watBytes(watSource(parts)), limits));
}

/** A module that does something only when there are rows, so that its output's schema can be found. */
function withRows(body: string): WatParts {
  return { process: `(if ${hasRows} (then ${body})) (local.get $batch)` };
}

async function collect(outputs: AsyncIterable<Processed>): Promise<Processed[]> {
  const all: Processed[] = [];
  for await (const output of outputs) all.push(output);
  return all;
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "no error",
    (error: { code?: string }) => error.code ?? String(error),
  );
}

describe("a lane", () => {
  it("gives back what the module gives, and the input stays usable", async () => {
    const echo = await load({});
    const batch = batchOf(10);
    const first = await echo.process(batch, context);
    const second = await echo.process(batch, context);
    expect(first.bytes).toEqual(batch.bytes);
    expect(second.bytes).toEqual(batch.bytes);
    expect(await echo.outputSchema(schema)).toEqual(schema);
  });

  it("keeps the order of many calls and several modules", async () => {
    const echo = await load({});
    const other = await load({});
    const calls = Array.from({ length: 40 }, (_, i) => ({ batch: batchOf(3, i), context }));
    const [a, b] = await Promise.all([echo, other].map((handle) => collect(handle.processAll(calls))));
    for (const outputs of [a, b])
      expect(outputs?.map(({ batch }) => batch.columns[0]?.values[0])).toEqual(calls.map((_, i) => i));
  });

  it("shows a module its descriptor", async () => {
    // The output is the input with its first value replaced by a field of the descriptor.
    const field = (offset: number): WatParts =>
      withRows(`
      (i32.store (i32.add (local.get $batch) (i32.load offset=${64 + 32} (local.get $batch))) (i32.load offset=${offset} (local.get $descriptor)))`);
    const seed = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
    const full = { firstRow: 2 ** 32 * 7 + 5, seed, timeUs: -2n };
    const read = async (offset: number): Promise<unknown> =>
      (await (await load(field(offset))).process(batchOf(1), full)).columns[0]?.values[0];
    const words = await Promise.all([0, 4, 8, 12, 16, 20, 24, 28, 32, 60].map(read));
    expect(words).toEqual([0x44445049, 1, 5, 7, -2, -1, 1, 0, 0x04030201, 0x201f1e1d]);
  });

  it("starts every call from the initial memory, globals and tables", async () => {
    const stateful = await load({
      fields: '(global $seen (mut i32) (i32.const 0)) (table 1 1 funcref) (elem declare func $abi) (data $text "a")',
      process: `
        (if (i32.or (i32.or (global.get $seen) (i32.load8_u (i32.const 32))) (i32.eqz (ref.is_null (table.get 0 (i32.const 0))))) (then unreachable))
        (if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
        (memory.init $text (i32.const 32) (i32.const 0) (i32.const 1))
        (data.drop $text)
        (global.set $seen (i32.const 1))
        (table.set 0 (i32.const 0) (ref.func $abi))
        (drop (memory.grow (i32.const 1)))
        (local.get $batch)`,
    });
    for (let i = 0; i < 3; i++) expect((await stateful.process(batchOf(2), context)).rows).toBe(2);
  });

  it("stops an endless loop, names it, and works on", async () => {
    const loop = await load(withRows("(loop (br 0))"));
    const echo = await load({});
    const stuck = loop.process(batchOf(5), context);
    const behind = Array.from({ length: 10 }, (_, i) => echo.process(batchOf(2, i), context));
    await expect(stuck).rejects.toMatchObject({
      code: "MODULE_FUEL_EXHAUSTED",
      kind: "failed",
      where: "bafytest rows 100 to 104",
    });
    expect((await Promise.all(behind)).map((batch) => batch.columns[0]?.values[0])).toEqual(
      Array.from({ length: 10 }, (_, i) => i),
    );
  });

  it("ends the worker of a module that has fuel for longer than a node may wait, and works on", async () => {
    const loop = await load(withRows("(loop (br 0))"), { timeoutMs: 300, fuelPerCall: 1e12 });
    const echo = await load({});
    const stuck = loop.process(batchOf(5), context);
    const behind = Array.from({ length: 10 }, (_, i) => echo.process(batchOf(2, i), context));
    await expect(stuck).rejects.toMatchObject({ code: "MODULE_TIMEOUT", where: "bafytest rows 100 to 104" });
    expect((await Promise.all(behind)).map((batch) => batch.columns[0]?.values[0])).toEqual(
      Array.from({ length: 10 }, (_, i) => i),
    );
  });

  it("counts the same fuel for the same batch, and more for a module that does more", async () => {
    const busy = await load(withRows("(loop (drop (i32.load (i32.const 64))))"));
    const [first, second] = [await busy.run(batchOf(5), context), await busy.run(batchOf(5), context)];
    expect(first.fuel).toBe(second.fuel);
    const echo = await load({});
    expect(first.fuel).toBeGreaterThan((await echo.run(batchOf(5), context)).fuel);
  });

  it("hands on what a module writes to the log, where it may", async () => {
    const lines: string[] = [];
    const parts: WatParts = {
      ...withRows("(call $log (i32.const 900) (i32.const 5))"),
      fields: '(data (i32.const 900) "hello")',
    };
    const source = watSource(parts).replace("(module", '(module (import "ipdm" "log" (func $log (param i32 i32)))');
    const spec = specOf(await watBytes(source), { capabilities: ["log"], onLog: (line) => lines.push(line) });
    const module = await lane.load(spec);
    await module.process(batchOf(2), context);
    await module.process(batchOf(2), context);
    expect(lines).toEqual(["hello", "hello"]);
    // What takes the lines cannot fail the call.
    const deaf = await lane.load({
      ...spec,
      onLog: () => {
        throw new Error("the disk is full");
      },
    });
    expect((await deaf.process(batchOf(2), context)).rows).toBe(2);
  });

  it("hands on what a module wrote to the log before it failed", async () => {
    for (const [end, code] of [
      ["unreachable", "MODULE_TRAP"],
      ["(loop (br 0))", "MODULE_FUEL_EXHAUSTED"],
    ] as const) {
      const lines: string[] = [];
      const parts: WatParts = {
        ...withRows(`(call $log (i32.const 900) (i32.const 5)) ${end}`),
        fields: '(data (i32.const 900) "hello")',
      };
      const source = watSource(parts).replace("(module", '(module (import "ipdm" "log" (func $log (param i32 i32)))');
      const onLog = (line: string): void => void lines.push(line);
      const module = await lane.load(specOf(await watBytes(source), { capabilities: ["log"], onLog }));
      expect(await codeOf(module.process(batchOf(2), context).finally(() => lines.push("error")))).toBe(code);
      expect(lines).toEqual(["hello", "error"]);
    }
  });

  it("does not take a busy main thread for a slow module", async () => {
    const echo = await load({}, { timeoutMs: 50 });
    await echo.outputSchema(schema);
    const output = echo.process(batchOf(2), context);
    await new Promise((resolve) => setImmediate(resolve));
    const until = performance.now() + 200;
    while (performance.now() < until);
    expect((await output).rows).toBe(2);
  });

  it("stops a load whose version function does not end, and refuses another version", async () => {
    expect(await codeOf(load({ abi: "(loop (br 0)) (i32.const 1)" }))).toBe("MODULE_FUEL_EXHAUSTED");
    const patient = load({ abi: "(loop (br 0)) (i32.const 1)" }, { timeoutMs: 200, fuelPerCall: 1e12 });
    expect(await codeOf(patient)).toBe("MODULE_TIMEOUT");
    expect(await codeOf(load({ abi: "(i32.const 2)" }))).toBe("MODULE_INVALID");
    expect(await codeOf(load({ abi: "unreachable" }))).toBe("MODULE_TRAP");
  });

  it.each([
    ["unreachable", "unreachable", "unreachable"],
    ["a division by zero", "(drop (i32.div_s (i32.const 1) (i32.const 0)))", "divide by zero"],
    ["an access outside memory", "(drop (i32.load (i32.const -8)))", "memory access out of bounds"],
    ["a reported failure", "(return (i32.const 0))", "reported a failure"],
  ])("reports %s as a trap with its rows", async (_, body, message) => {
    const handle = await load(withRows(body));
    const error = await handle.process(batchOf(3), context).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "MODULE_TRAP",
      kind: "failed",
      retry: "never",
      where: "bafytest rows 100 to 102",
    });
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain("bafytest");
  });

  it("repeats the words of an abort, bounded and without control characters", async () => {
    const abort = (length: number, text: string): Promise<ModuleHandle> =>
      watBytes(
        watSource({
          fields: `(data (i32.const 16) "${String.raw`\%`.replace("%", length.toString(16).padStart(2, "0"))}\\ff\\00\\00${text}")`,
          ...withRows("(call $abort (i32.const 20) (i32.const 0) (i32.const 7) (i32.const 9))"),
        }).replace("(module", '(module (import "env" "abort" (func $abort (param i32 i32 i32 i32)))'),
      ).then((bytes) => lane.load(specOf(bytes)));
    const handle = await abort(4, String.raw`h\00i\00\1b\00`);
    const error = await handle.process(batchOf(1), context).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "MODULE_TRAP" });
    expect((error as Error).message).toContain("hi ");
    expect((error as Error).message.length).toBeLessThan(400);
  });

  it("ends a memory bomb", async () => {
    const bomb = await load(
      withRows("(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable"),
    );
    expect(await codeOf(bomb.process(batchOf(1), context))).toBe("MODULE_MEMORY_EXCEEDED");
    const greedy = await load({ alloc: "(i32.const 0)" });
    expect(await codeOf(greedy.process(batchOf(1), context))).toBe("MODULE_MEMORY_EXCEEDED");
  });

  it("survives a module that only asks for more than it may have", async () => {
    const asking = await load(withRows("(if (i32.ge_s (memory.grow (i32.const 4)) (i32.const 0)) (then unreachable))"));
    expect((await asking.process(batchOf(1), context)).rows).toBe(1);
  });

  it.each([
    ["a length beyond memory", "(i32.store offset=8 (local.get $batch) (i32.const 0x7fffffc0))"],
    ["a length of nothing", "(i32.store offset=8 (local.get $batch) (i32.const 0))"],
    ["more rows than values", "(i32.store offset=12 (local.get $batch) (i32.const 1000000))"],
    ["more columns than descriptors", "(i32.store offset=16 (local.get $batch) (i32.const 200))"],
    ["a buffer outside the block", "(i32.store offset=96 (local.get $batch) (i32.const 0x7fffff80))"],
    ["another magic", "(i32.store (local.get $batch) (i32.const 7))"],
    ["a pointer outside memory", "(return (i32.const 0x7fffff00))"],
    ["a negative pointer", "(return (i32.const -64))"],
    ["a pointer just before the end", "(return (i32.const 65500))"],
    ["another type of column", "(i32.store offset=72 (local.get $batch) (i32.const 8))"],
  ])("refuses an output with %s", async (_, body) => {
    const handle = await load(withRows(body), { memoryBytesMax: 65_536 });
    expect(await codeOf(handle.process(batchOf(4), context))).toBe("MODULE_OUTPUT_INVALID");
  });

  it("refuses an output that is larger than allowed", async () => {
    const echo = await load({}, { outputBytesMax: 256 });
    expect(await codeOf(echo.process(batchOf(4), context))).toBe("MODULE_OUTPUT_INVALID");
  });

  it.each(["(i32.const 65536)", "(i32.const 1025)", "(i32.const -64)"])(
    "refuses an address for its input that is %s",
    async (alloc) => {
      expect(await codeOf((await load({ alloc })).process(batchOf(4), context))).toBe("MODULE_TRAP");
    },
  );

  it("stops a module that recurses without end, before the engine's own stack is full", async () => {
    const deep = await load({ ...withRows("(call $down)"), fields: "(func $down (call $down) (call $down))" });
    await expect(deep.process(batchOf(1), context)).rejects.toMatchObject({ code: "MODULE_STACK_EXCEEDED" });
    expect((await (await load({})).process(batchOf(1), context)).rows).toBe(1);
  });

  it("ends the wait when the signal says so", async () => {
    const loop = await load(withRows("(loop (br 0))"), { timeoutMs: 300, fuelPerCall: 1e12 });
    await loop.outputSchema(schema);
    const abort = new AbortController();
    const waits = [loop, loop].map((handle) => codeOf(handle.process(batchOf(1), context, { signal: abort.signal })));
    setImmediate(() => abort.abort());
    expect(await Promise.all(waits)).toEqual(["INTERRUPTED", "INTERRUPTED"]);
    expect(await codeOf(loop.process(batchOf(1), context, { signal: abort.signal }))).toBe("INTERRUPTED");
    expect((await (await load({})).process(batchOf(1), context)).rows).toBe(1);
  });

  it("fails what waits when it is closed", async () => {
    const own = openLane();
    const echo = await own.load(specOf(await watBytes(watSource())));
    const waiting = codeOf(echo.process(batchOf(1), context));
    await own.close();
    expect(await waiting).toBe("LANE_CLOSED");
    expect(await codeOf(echo.process(batchOf(1), context))).toBe("LANE_CLOSED");
    await own.close();
  });

  it("refuses calls beyond its queue", async () => {
    await using own = openLane();
    const echo = await own.load(specOf(await watBytes(watSource())));
    await echo.outputSchema(schema);
    const batch = batchOf(1);
    const codes = await Promise.all(Array.from({ length: 4200 }, () => codeOf(echo.process(batch, context))));
    expect(new Set(codes)).toEqual(new Set(["no error", "LANE_OVERLOADED"]));
    expect(codes.filter((code) => code === "no error").length).toBeGreaterThanOrEqual(4096);
  });
});

describe("docs/reference/abi.md", () => {
  it("shows a module that works", async () => {
    const page = await readFile(new URL("../../../docs/reference/abi.md", import.meta.url), "utf8");
    const source = /```wat\n([^`]*)```/.exec(page)?.[1] ?? "";
    const echo = await lane.load(specOf(await watBytes(source), { memoryBytesMax: 64 * 65_536 }));
    const batch = batchOf(20_000);
    expect((await echo.process(batch, context)).bytes).toEqual(batch.bytes);
  });
});

describe("a lane whose thread dies", () => {
  /** A lane that loses its threads at the given outcomes, counted from its first; the real thread goes too. */
  function dyingLane(losses: ReadonlySet<number>): ReturnType<typeof openLane> {
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

  it("runs the call again, and those behind it", async () => {
    await using own = dyingLane(new Set([2]));
    const echo = await own.load(specOf(await watBytes(watSource())));
    const outputs = await Promise.all(Array.from({ length: 8 }, (_, i) => echo.process(batchOf(2, i), context)));
    expect(outputs.map((batch) => batch.columns[0]?.values[0])).toEqual(Array.from({ length: 8 }, (_, i) => i));
  });

  it("gives up after the second time", async () => {
    await using own = dyingLane(new Set([2, 3]));
    const echo = await own.load(specOf(await watBytes(watSource())));
    const outcomes = await Promise.all([0, 1, 2].map((i) => codeOf(echo.process(batchOf(2, i), context))));
    expect(outcomes).toEqual(["LANE_CRASHED", "no error", "no error"]);
  });
});

describe("checkRowsProperty", () => {
  it("passes a module that treats rows one by one, and refuses one that does not", async () => {
    const echo = await load({});
    await checkRowsProperty(echo, batchOf(50), 3);
    // Overwrites the first value of every batch.
    const first = withRows(
      `(i32.store (i32.add (local.get $batch) (i32.load offset=96 (local.get $batch))) (i32.const 77))`,
    );
    await expect(checkRowsProperty(await load(first), batchOf(50), 3)).rejects.toMatchObject({
      code: "MODULE_NOT_ROWWISE",
      kind: "config",
    });
  });
});
