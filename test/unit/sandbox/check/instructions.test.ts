import { describe, expect, it } from "vitest";
import { sha256 } from "../../../../src/node.ts";
import { analyseModule } from "../../../../src/sandbox/check/analyse.ts";
import { outcomeDifference } from "../../../../src/sandbox/check/check-module.ts";
import { sampleBatches } from "../../../../src/sandbox/check/samples.ts";
import { specOf, watBytes, watSource } from "../../../support/wat-module.ts";

const facts = async (fields: string) => analyseModule(sha256, specOf(await watBytes(watSource({ fields }))));

describe("the static check", () => {
  it("counts instructions by class, loops and how they nest", async () => {
    const empty = await facts("");
    const found = await facts(`(func $f (export "f") (param i32) (result i32)
      (loop $a (loop $b (br_if $b (local.get 0))) (br_if $a (local.get 0)))
      (loop $c (block $d (br_table $d $c $d (local.get 0))))
      (drop (f64.add (f64.const 1) (f64.const 2)))
      (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))
      (i32.extend8_s (i32.trunc_sat_f64_s (f64.const 1))))`);
    const added = Object.fromEntries(
      Object.entries(found.instructions)
        .map(([name, count]) => [name, count - empty.instructions[name as keyof typeof empty.instructions]] as const)
        .filter(([, count]) => count !== 0),
    );
    // Four blocks and their ends, the function's end, three branches.
    expect(added).toEqual({
      control: 12,
      stack: 1,
      variable: 3,
      bulk: 1,
      constant: 6,
      integer: 1,
      float: 1,
      conversion: 1,
    });
    expect(found.features).toEqual(["floats", "sign extension", "saturating conversions", "bulk memory"]);
    const { functions } = found;
    expect(functions.loops).toBe(3);
    expect(functions.costliest.find(({ names }) => names.includes("f"))).toMatchObject({ loops: 3, loopDepth: 2 });
  });

  it("finds recursion: direct, in a circle, and through a table", async () => {
    const { functions, features } = await facts(`
      (type $t (func)) (table 1 funcref) (elem (i32.const 0) $through)
      (func $self (export "self") (call $self))
      (func $a (export "a") (call $b)) (func $b (export "b") (call $a))
      (func $through (export "through") (call_indirect (type $t) (i32.const 0)))
      (func $plain (export "plain") (call $leaf)) (func $leaf (export "leaf"))`);
    const recursive = functions.costliest.flatMap(({ names, isRecursive }) => (isRecursive ? names : []));
    expect(recursive.sort()).toEqual(["a", "b", "self", "through"]);
    expect(functions.recursive).toBe(4);
    expect(features).toContain("calls through tables");
  });

  it("names what is beyond WebAssembly 1.0", async () => {
    const { features } = await facts(`
      (global $g (export "g") (mut i32) (i32.const 0))
      (func $two (result i32 i32) (i32.const 1) (i32.const 2))
      (func (drop (i8x16.splat (i32.const 1))))
      (func $begin) (start $begin)`);
    expect(features).toEqual(["multiple values", "SIMD", "mutable globals", "start function"]);
  });
});

describe("the dynamic check", () => {
  const call = { rows: 3, output: "a", rowsOut: 1, fuel: 5, code: null, message: "" };

  it("takes for a difference: other bytes, other fuel, another error, an error instead of an output, a call less", () => {
    expect(outcomeDifference([call], [{ ...call }], "r")).toBeUndefined();
    const stopped = { ...call, output: null, code: "MODULE_TRAP" };
    const others = [
      [[call], [{ ...call, output: "b" }]],
      [[call], [{ ...call, fuel: 6 }]],
      [[call], [stopped]],
      [[stopped], [{ ...stopped, code: "MODULE_FUEL_EXHAUSTED" }]],
      [[call, call], [call]],
    ] as const;
    for (const [reference, found] of others)
      expect(outcomeDifference(reference, found, "r")).toMatchObject({ code: "CHECK_DIFFERS" });
  });

  it("makes up the same batches each time, with every type, null and extreme in them", () => {
    const [first, second] = [sampleBatches(), sampleBatches()];
    expect(second.map(({ bytes }) => bytes)).toEqual(first.map(({ bytes }) => bytes));
    const types = new Set(first.flatMap(({ schema }) => schema.fields.map(({ type }) => type)));
    expect(types.size).toBe(16);
    expect(first.some(({ columns }) => columns.some(({ nulls }) => nulls > 0))).toBe(true);
    expect(
      sampleBatches(undefined, 5)
        .map(({ rows }) => rows)
        .slice(0, 4),
    ).toEqual([0, 1, 2, 5]);
  });
});
