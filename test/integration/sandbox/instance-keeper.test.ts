import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { encodeDescriptor } from "../../../src/sandbox/descriptor.ts";
import { InstanceKeeper, reusePlan } from "../../../src/sandbox/instance-keeper.ts";
import type { Outcome } from "../../../src/sandbox/lane-messages.ts";
import { KEPT_INSTANCES_MAX } from "../../../src/sandbox/limits.ts";
import { runCall, type StatelessWork, type ThreadModule } from "../../../src/sandbox/module-call.ts";
import { validateModule } from "../../../src/sandbox/validate.ts";
import { specOf, watBytes, watSource } from "../../support/wat-module.ts";

const schema = schemaOf([{ name: "n", type: "i64", nullable: false }]);
const first = `(i32.add (local.get $batch) (i32.load offset=${64 + 32} (local.get $batch)))`;
const PAGES = 4;

function batchOf(value: bigint): Batch {
  const writer = new BatchWriter(schema);
  writer.push([value]);
  return writer.take();
}

/** A module that puts out what `see` (an i64) finds of its state, then does `spoil`. */
async function moduleOf(see: string, spoil: string, fields = "", memory = `${PAGES}`): Promise<ThreadModule> {
  const source = watSource({
    memory: `(memory (export "memory") ${memory})`,
    fields,
    process: `(i64.store ${first} ${see}) ${spoil} (local.get $batch)`,
  });
  const spec = specOf(await watBytes(source, { simd: true, bulk_memory: true, reference_types: true }), {
    capabilities: ["time"],
    memoryBytesMax: 200 * 65_536,
  });
  const instrumented = validateModule(spec);
  const { abi, memoryBytesMax, stackValuesMax, capabilities } = spec;
  const code = new WebAssembly.Module(instrumented.bytes);
  return { code, abi, memoryBytesMax, stackValuesMax, capabilities, globals: [], reuse: reusePlan(instrumented) };
}

function workOf(value = 7n, timeUs = 0n): StatelessWork {
  return {
    type: "process",
    fuel: 1e6,
    columns: null,
    batch: new Uint8Array(batchOf(value).bytes).buffer,
    descriptor: encodeDescriptor({ firstRow: 0, seed: new Uint8Array(32), timeUs }).buffer,
    outputBytesMax: 1e6,
  };
}

/** Runs calls one after the other as a lane does; also says which of them got a new instance. */
function run(module: ThreadModule, works: readonly StatelessWork[]): { outcomes: Outcome[]; fresh: boolean[] } {
  const keeper = new InstanceKeeper();
  const instances = new Set<unknown>();
  const fresh: boolean[] = [];
  const watching = {
    take: (...args: Parameters<InstanceKeeper["take"]>) => {
      const exports = keeper.take(...args);
      fresh.push(!instances.has(exports));
      instances.add(exports);
      return exports;
    },
  };
  const outcomes = works.map((work) => {
    const outcome = runCall(module, work, watching);
    keeper.giveBack(module, outcome.type === "output");
    return outcome;
  });
  return { outcomes, fresh };
}

/** An outcome as something that equals others by its bytes too. */
function said(outcome: Outcome | undefined): unknown {
  return outcome?.type === "output" ? { ...outcome, bytes: Buffer.from(outcome.bytes).toString("hex") } : outcome;
}

function firstValue(outcome: Outcome | undefined): bigint {
  if (outcome?.type !== "output") throw new Error(`no output but ${JSON.stringify(outcome)}`);
  const view = new DataView(outcome.bytes);
  return view.getBigInt64(view.getUint32(64 + 32, true), true);
}

const state: readonly [name: string, see: string, spoil: string, fields?: string][] = [
  ["memory that begins as zeros", "(i64.load (i32.const 200000))", "(i64.store (i32.const 200000) (i64.const -1))"],
  ["the last byte of memory", "(i64.load8_u (i32.const 262143))", "(i32.store8 (i32.const 262143) (i32.const 9))"],
  [
    "memory that segments fill",
    "(i64.load (i32.const 131080))",
    "(memory.fill (i32.const 131072) (i32.const 0) (i32.const 65536))",
    '(data (i32.const 131080) "abcdefgh")',
  ],
  [
    "an i32",
    "(i64.extend_i32_s (global.get $g))",
    "(global.set $g (i32.const 1))",
    "(global $g (mut i32) (i32.const -5))",
  ],
  [
    "an i64",
    "(global.get $g)",
    "(global.set $g (i64.const 1))",
    "(global $g (mut i64) (i64.const -0x7fffffffffffffff))",
  ],
  [
    "an f32 of -0",
    "(i64.extend_i32_u (i32.reinterpret_f32 (global.get $g)))",
    "(global.set $g (f32.const 1.5))",
    "(global $g (mut f32) (f32.const -0))",
  ],
  [
    "an f64 of -inf",
    "(i64.reinterpret_f64 (global.get $g))",
    "(global.set $g (f64.const 3))",
    "(global $g (mut f64) (f64.const -inf))",
  ],
  [
    "a reference to a function",
    "(i64.extend_i32_u (ref.is_null (global.get $g)))",
    "(global.set $g (ref.func $abi))",
    "(global $g (mut funcref) (ref.null func))",
  ],
  [
    "a vector",
    "(i64x2.extract_lane 0 (global.get $g))",
    "(global.set $g (v128.const i64x2 1 2))",
    "(global $g (mut v128) (v128.const i64x2 -1 -1))",
  ],
  [
    "a NaN with a payload",
    "(i64.reinterpret_f64 (global.get $g))",
    "(global.set $g (f64.const 3))",
    "(global $g (mut f64) (f64.const nan:0x123))",
  ],
];

const beyond: readonly [name: string, see: string, spoil: string, fields?: string][] = [
  ["grown memory", "(i64.extend_i32_u (memory.size))", "(drop (memory.grow (i32.const 1)))"],
  [
    "a changed table",
    "(i64.extend_i32_u (ref.is_null (table.get $t (i32.const 0))))",
    "(table.set $t (i32.const 0) (ref.func $abi))",
    "(table $t 1 funcref)",
  ],
  [
    "a grown table",
    "(i64.extend_i32_u (table.size $t))",
    "(drop (table.grow $t (ref.null func) (i32.const 3)))",
    "(table $t 1 funcref)",
  ],
  [
    "a copied table",
    "(i64.extend_i32_u (ref.is_null (table.get $t (i32.const 0))))",
    "(table.copy $t $t (i32.const 0) (i32.const 1) (i32.const 1))",
    "(table $t 2 funcref) (elem (i32.const 1) $abi)",
  ],
];

describe("an instance that is used again", () => {
  it.each(state)("finds %s as the module begins", async (_, see, spoil, fields) => {
    const { outcomes, fresh } = run(
      await moduleOf(see, spoil, fields),
      Array.from({ length: 4 }, () => workOf()),
    );
    expect(fresh).toEqual([true, false, false, false]);
    for (const outcome of outcomes) expect(said(outcome)).toEqual(said(outcomes[0]));
    // The call does see what it spoils, so the test would see what survives.
    const twice = await moduleOf(`(block (result i64) ${spoil} ${see})`, "", fields);
    expect(firstValue(run(twice, [workOf()]).outcomes[0])).not.toBe(firstValue(outcomes[0]));
  });

  it.each(beyond)("gives way to a fresh one after %s", async (_, see, spoil, fields) => {
    const { outcomes, fresh } = run(
      await moduleOf(see, spoil, fields),
      Array.from({ length: 3 }, () => workOf()),
    );
    expect(fresh).toEqual([true, true, true]);
    for (const outcome of outcomes) expect(said(outcome)).toEqual(said(outcomes[0]));
    expect(outcomes[0]?.type).toBe("output");
  });

  it("gives way to a fresh one after a dropped segment", async () => {
    const module = await moduleOf(
      "(i64.const 0)",
      "(memory.init $d (i32.const 900) (i32.const 0) (i32.const 4)) (data.drop $d)",
      '(data $d "abcd")',
    );
    expect(module.reuse).toBeNull();
    const { outcomes } = run(module, [workOf(), workOf()]);
    expect(outcomes.map(({ type }) => type)).toEqual(["output", "output"]);
  });

  it("gives way to a fresh one after a trap, whatever the call had done", async () => {
    const see = "(i64.load (i32.const 200000))";
    const module = await moduleOf(
      see,
      `(i64.store (i32.const 200000) (i64.const 5)) (if (i64.eq (i64.load (i32.const 200008)) (i64.const 0)) (then
         (if (i32.eq (i32.load8_u offset=16 (local.get $descriptor)) (i32.const 1)) (then unreachable))))`,
    );
    const { outcomes, fresh } = run(module, [workOf(), workOf(7n, 1n), workOf(), workOf()]);
    expect(outcomes.map(({ type }) => type)).toEqual(["output", "trap", "output", "output"]);
    expect(fresh).toEqual([true, false, true, false]);
    expect(said(outcomes[3])).toEqual(said(outcomes[0]));
  });

  it("runs the start function in every call, for the same fuel", async () => {
    const module = await moduleOf(
      "(global.get $g)",
      "(global.set $g (i64.const 1))",
      "(global $g (mut i64) (i64.const 40)) (func $init (global.set $g (i64.add (global.get $g) (i64.const 2)))) (start $init)",
    );
    const { outcomes, fresh } = run(module, [workOf(), workOf(), workOf()]);
    expect(fresh).toEqual([true, false, false]);
    expect(firstValue(outcomes[0])).toBe(42n);
    for (const outcome of outcomes) expect(said(outcome)).toEqual(said(outcomes[0]));
  });

  it("asks the host of its own call", async () => {
    const source = watSource({ process: `(i64.store ${first} (call $time)) (local.get $batch)` }).replace(
      "(module",
      '(module (import "ipdm" "time" (func $time (result i64)))',
    );
    const spec = specOf(await watBytes(source), { capabilities: ["time"] });
    const instrumented = validateModule(spec);
    const code = new WebAssembly.Module(instrumented.bytes);
    const { abi, memoryBytesMax, stackValuesMax, capabilities } = spec;
    const module = {
      code,
      abi,
      memoryBytesMax,
      stackValuesMax,
      capabilities,
      globals: [],
      reuse: reusePlan(instrumented),
    };
    const { outcomes, fresh } = run(module, [workOf(0n, 11n), workOf(0n, 22n), workOf(0n, 33n)]);
    expect(outcomes.map(firstValue)).toEqual([11n, 22n, 33n]);
    expect(fresh).toEqual([true, false, false]);
  });

  it("is not kept when its memory is large, nor when many modules came after it", async () => {
    const large = await moduleOf("(i64.const 0)", "", "", "129");
    expect(large.reuse).toBeNull();
    const keeper = new InstanceKeeper();
    const seen = new Set<unknown>();
    const modules = [];
    for (let i = 0; i <= KEPT_INSTANCES_MAX; i++) modules.push(await moduleOf(`(i64.const ${i})`, ""));
    const taken = (module: ThreadModule): boolean => {
      const exports = keeper.take(module, {});
      keeper.giveBack(module, true);
      const isKnown = seen.has(exports);
      seen.add(exports);
      return isKnown;
    };
    expect(modules.map(taken)).toEqual(modules.map(() => false));
    expect(taken(modules.at(-1) as ThreadModule)).toBe(true);
    expect(taken(modules[0] as ThreadModule)).toBe(false);
  });
});
