import { describe, expect, it } from "vitest";
import { bad, hostileLane } from "../../../support/hostile.ts";
import { watBytes } from "../../../support/wat-module.ts";

const lane = hostileLane();
const FUEL = "MODULE_FUEL_EXHAUSTED";
const STACK = "MODULE_STACK_EXCEEDED";

/** `$f0` calls `$f1` twice, and so on: two to the power of `levels` calls. */
function doubling(levels: number): string {
  const functions = Array.from(
    { length: levels },
    (_, i) => `(func $f${i} ${i + 1 < levels ? `(call $f${i + 1}) (call $f${i + 1})` : ""})`,
  );
  return functions.join("\n");
}

describe("a module that does not end", () => {
  it.each([
    ["a loop", "(loop (br 0))"],
    ["a loop that only nods", "(loop (nop) (br 0))"],
    ["a loop on a condition", "(loop (br_if 0 (i32.const 1)))"],
    ["a loop by a table", "(loop (br_table 0 0 0 (local.get $batch)))"],
    ["a loop in a block in a loop", "(loop (block (loop (br_if 1 (i32.const 0)) (br 2))) (br 0))"],
    ["two loops that take turns", "(loop $a (loop $b (br_if $b (i32.const 0)) (br $a)))"],
    ["a loop that it goes round from an arm", "(loop (if (i32.const 1) (then (br 1)) (else (nop))))"],
    ["a loop behind a jump", "(block (br 0)) (loop (br 0))"],
    ["a loop with parameters", "(drop (loop (param i32) (result i32) (br 0)))".replace("(loop", "(i32.const 1) (loop")],
    ["a loop of empty memory.fill", "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))"],
    ["a loop of growth by nothing", "(loop (drop (memory.grow (i32.const 0))) (br 0))"],
    ["a loop of growth that fails", "(loop (drop (memory.grow (i32.const -1))) (br 0))"],
  ])("is stopped in %s", async (_, body) => {
    expect(await lane.verdict(await watBytes(bad(body)))).toBe(FUEL);
  });

  it.each([
    ["calls of an empty function", "(loop (call $empty) (br 0))", "(func $empty)"],
    [
      "calls through a table",
      "(loop (call_indirect $t (type $v) (i32.const 0)) (br 0))",
      "(type $v (func)) (table $t funcref (elem $empty)) (func $empty)",
    ],
    ["functions that call each other twice", "(call $f0)", doubling(64)],
    [
      "a function in a loop in a function in a loop",
      "(loop (call $inner) (br 0))",
      "(func $inner (local i32) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 10)))))",
    ],
    [
      "a table that it grows without end",
      "(loop (drop (table.grow $t (ref.null func) (i32.const 1))) (br 0))",
      "(table $t 1 funcref)",
    ],
    [
      "a table that it copies",
      "(loop (table.copy $t $t (i32.const 0) (i32.const 0) (i32.const 9000)) (br 0))",
      "(table $t 9000 funcref)",
    ],
    ["segments that it drops", "(loop (data.drop $d) (br 0))", '(data $d "x")'],
    ["a host function", "(loop (drop (call $time)) (br 0))", ""],
  ])("is stopped in %s", async (_, body, fields) => {
    const imported = body.includes("$time") ? '(module (import "ipdm" "time" (func $time (result i64)))' : "(module";
    const bytes = await watBytes(bad(body, { fields }).replace("(module", imported));
    expect(await lane.verdict(bytes, { kind: "batch", capabilities: ["time"] })).toBe(FUEL);
  });

  it.each([
    ["its version", { abi: "(loop (br 0)) (i32.const 1)" }],
    ["its allocation", { alloc: "(loop (br 0)) (i32.const 64)" }],
    ["its start function", { fields: "(func $begin (loop (br 0))) (start $begin)" }],
  ])("is stopped in %s", async (_, parts) => {
    expect(await lane.verdict(await watBytes(bad("", parts)))).toBe(FUEL);
  });
});

describe("a module that calls without end", () => {
  const wide = "(local v128 v128 v128 v128 v128 v128 v128 v128)";
  const arguments64 = "(param i64 i64 i64 i64 i64 i64 i64 i64)";
  it.each([
    ["itself", "(call $r)", "(func $r (call $r))"],
    ["itself, and keeps something", "(drop (call $r))", "(func $r (result i32) (i32.add (i32.const 1) (call $r)))"],
    ["itself with many locals", "(call $r)", `(func $r ${wide} (call $r))`],
    [
      "itself with many arguments",
      "(call $r (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4) (i64.const 5) (i64.const 6) (i64.const 7) (i64.const 8))",
      `(func $r ${arguments64} (call $r (local.get 7) (local.get 6) (local.get 5) (local.get 4) (local.get 3) (local.get 2) (local.get 1) (local.get 0)))`,
    ],
    ["two in turns", "(call $a)", "(func $a (call $b)) (func $b (call $a))"],
    [
      "itself through a table",
      "(call $r)",
      "(type $v (func)) (table $t funcref (elem $r)) (func $r (call_indirect $t (type $v) (i32.const 0)))",
    ],
    [
      "others through a table that it fills itself",
      "(table.set $t (i32.const 3) (ref.func $b)) (call $a)",
      "(type $v (func)) (table $t 4 funcref) (elem declare func $b) (func $a (call_indirect $t (type $v) (i32.const 3))) (func $b (call $a))",
    ],
    [
      "through a type of the same form",
      "(call $r)",
      "(type $v (func)) (type $w (func)) (table $t funcref (elem $r)) (func $r (type $v) (call_indirect $t (type $w) (i32.const 0)))",
    ],
    [
      "itself after a loop that ends",
      "(call $r)",
      "(func $r (local i32) (loop (br_if 0 (i32.lt_u (local.tee 0 (i32.add (local.get 0) (i32.const 1))) (i32.const 3)))) (call $r))",
    ],
    ["the ABI's own function", "(drop (call $process (local.get $batch) (local.get $descriptor)))", ""],
  ])("is stopped: %s", async (_, body, fields) => {
    expect(await lane.verdict(await watBytes(bad(body, { fields })), { fuelPerCall: 1e8 })).toBe(STACK);
  });

  it("is stopped in a chain of functions with large frames, none of which is called twice", async () => {
    const locals = `(local ${"v128 ".repeat(1990)})`;
    const functions = Array.from(
      { length: 600 },
      (_, i) => `(func $f${i} ${locals} ${i < 599 ? `(call $f${i + 1})` : ""})`,
    );
    expect(await lane.verdict(await watBytes(bad("(call $f0)", { fields: functions.join("\n") })))).toBe(STACK);
  });

  it("is refused where it would do so by tail calls", async () => {
    const fields = "(func $r (return_call $r))";
    expect(await lane.verdict(await watBytes(bad("(call $r)", { fields }), { tail_call: true }))).toBe(
      "MODULE_INVALID",
    );
  });

  it("is stopped by its fuel where tail calls are allowed, in which it keeps no stack", async () => {
    const features = ["tail-calls"] as const;
    const endless = await watBytes(bad("(call $r)", { fields: "(func $r (return_call $r))" }), { tail_call: true });
    expect(await lane.verdict(endless, { features })).toBe("MODULE_FUEL_EXHAUSTED");
    const fields = `(type $n (func (param i32))) (table $t funcref (elem $r))
      (func $r (param i32) (if (local.get 0)
        (then (return_call_indirect $t (type $n) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))))`;
    const deep = await watBytes(bad("(call $r (i32.const 20000))", { fields }), { tail_call: true });
    expect(await lane.verdict(deep, { features })).toBe("no error");
  });
});

describe("a module that does a lot at once", () => {
  it.each([
    ["memory.fill", "(memory.fill (i32.const 0) (i32.const 1) (i32.const -1))"],
    ["memory.copy", "(memory.copy (i32.const 0) (i32.const 0) (i32.const -1))"],
    ["memory.grow", "(drop (memory.grow (i32.const 65535)))"],
    ["table.grow", "(drop (table.grow $t (ref.null func) (i32.const -1)))"],
    ["table.fill", "(table.fill $t (i32.const 0) (ref.null func) (i32.const -1))"],
    ["table.copy", "(table.copy $t $t (i32.const 0) (i32.const 0) (i32.const -1))"],
    ["table.init", "(table.init $t $e (i32.const 0) (i32.const 0) (i32.const -1))"],
    ["memory.init", "(memory.init $d (i32.const 0) (i32.const 0) (i32.const -1))"],
  ])("is stopped before %s of four billion", async (_, body) => {
    const fields = '(table $t 1 funcref) (elem $e func $abi) (data $d "x")';
    expect(await lane.verdict(await watBytes(bad(body, { fields })))).toBe(FUEL);
  });

  it("is stopped in a function that only makes costly calls", async () => {
    const work = "(drop (i64.div_u (i64.const 1) (local.get 0)))".repeat(2900);
    const fields = `(func $work (param i64) ${work}) (func $many ${"(call $work (i64.const 1))".repeat(20_000)})`;
    expect(await lane.verdict(await watBytes(bad("(call $many)", { fields })))).toBe(FUEL);
  });

  it("is stopped where it runs out of fuel between its last check and its end", async () => {
    const body = "(drop (i64.div_u (i64.const 1) (i64.const 1)))".repeat(400);
    const bytes = await watBytes(bad(body));
    expect(await lane.verdict(bytes, { fuelPerCall: 5000, fuelPerRow: 0 })).toBe(FUEL);
    expect(await lane.verdict(bytes, { fuelPerCall: 10_000, fuelPerRow: 0 })).toBe("no error");
  });
});
