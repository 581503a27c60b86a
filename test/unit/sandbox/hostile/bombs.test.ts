import { describe, expect, it } from "vitest";
import { bad, hostileLane } from "../../../support/hostile.ts";
import { watBytes, watSource } from "../../../support/wat-module.ts";

const lane = hostileLane();

describe("a module that takes all memory", () => {
  it.each([
    ["page by page", "(loop (br_if 0 (i32.ge_s (memory.grow (i32.const 1)) (i32.const 0)))) unreachable"],
    ["at once, then beyond", "(drop (memory.grow (i32.const 3))) (i32.store (i32.const -4) (i32.const 1))"],
  ])("is stopped: %s", async (_, body) => {
    expect(await lane.verdict(await watBytes(bad(body)))).toBe("MODULE_MEMORY_EXCEEDED");
  });

  it("is told that there is no more at its limit, as on every machine", async () => {
    const grows = (pages: number, expected: number): string =>
      `(if (i32.ne (memory.grow (i32.const ${pages})) (i32.const ${expected})) (then unreachable))`;
    const body = `${grows(3, 1)} ${grows(1, -1)} ${grows(0, 4)} ${grows(65_535, -1)}`;
    expect(await lane.verdict(await watBytes(bad(body)), { fuelPerCall: 1e9 })).toBe("no error");
  });

  it("is told the same of a table", async () => {
    const body = `(if (i32.ne (table.grow $t (ref.null func) (i32.const 9999)) (i32.const 1)) (then unreachable))
      (if (i32.ne (table.grow $t (ref.null func) (i32.const 1)) (i32.const -1)) (then unreachable))`;
    expect(await lane.verdict(await watBytes(bad(body, { fields: "(table $t 1 funcref)" })))).toBe("no error");
  });

  it("is stopped where it declares no maximum", async () => {
    const memory = '(memory (export "memory") 1)';
    const body = "(if (i32.ge_s (memory.grow (i32.const 4)) (i32.const 0)) (then unreachable))";
    expect(await lane.verdict(await watBytes(bad(body, { memory })))).toBe("no error");
  });
});

describe("a module that fails on its way", () => {
  it.each([
    ["in its start function", "(func $begin unreachable) (start $begin)", "MODULE_TRAP"],
    ["in its start function, by recursion", "(func $begin (call $begin)) (start $begin)", "MODULE_STACK_EXCEEDED"],
    ["in a segment outside its memory", '(data (i32.const 70000) "x")', "MODULE_TRAP"],
    ["in a segment outside its table", "(table 1 funcref) (elem (i32.const 5) $abi)", "MODULE_TRAP"],
  ])("is stopped: %s", async (_, fields, code) => {
    expect(await lane.verdict(await watBytes(watSource({ fields })))).toBe(code);
  });

  it.each([
    ["a division by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))"],
    ["a division that does not fit", "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))"],
    ["a conversion of a NaN", "(drop (i32.trunc_f64_s (f64.const nan)))"],
    ["a call through an empty place", "(call_indirect $t (type $v) (i32.const 1))"],
    ["a call of another type", "(call_indirect $t (type $v) (i32.const 0))"],
    ["a call outside the table", "(call_indirect $t (type $v) (i32.const -1))"],
    ["a vector outside memory", "(drop (v128.load offset=0xfffffff0 (i32.const 0)))"],
  ])("is stopped: %s", async (_, body) => {
    const fields = "(type $v (func)) (table $t 2 funcref) (elem (i32.const 0) $abi)";
    expect(await lane.verdict(await watBytes(bad(body, { fields })))).toBe("MODULE_TRAP");
  });
});

describe("a module that returns something impossible", () => {
  it.each([
    ["an output of two gigabytes", "(i32.store offset=8 (local.get $batch) (i32.const 0x7fffffc0))"],
    ["an output that ends beyond 32 bits", "(i32.store offset=8 (local.get $batch) (i32.const -64))"],
    ["four billion rows", "(i32.store offset=12 (local.get $batch) (i32.const -1))"],
    ["four billion columns", "(i32.store offset=16 (local.get $batch) (i32.const -1))"],
    ["an address outside memory", "(return (i32.const -64))"],
    ["its own descriptor", "(return (local.get $descriptor))"],
  ])("is stopped: %s", async (_, body) => {
    expect(await lane.verdict(await watBytes(bad(body)))).toBe("MODULE_OUTPUT_INVALID");
  });

  it("is stopped where it takes the input to another place than its own", async () => {
    for (const alloc of ["(i32.const -64)", "(i32.const 65472)", "(i32.const 1)"])
      expect(await lane.verdict(await watBytes(watSource({ alloc })))).toBe("MODULE_TRAP");
  });
});
