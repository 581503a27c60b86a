import { describe, expect, it } from "vitest";
import { instrument } from "../../../../src/sandbox/metering/instrument.ts";
import { fuelLeft, METER_EXPORT, type MeterGlobal } from "../../../../src/sandbox/metering/meter.ts";
import { MODULE_LIMITS } from "../../../../src/sandbox/wasm/limits.ts";
import { compiled, type Metered, metered, OPTIONS, outcome, STACK } from "../../../support/metered.ts";
import { watBytes } from "../../../support/wat-module.ts";

const DOWN = "(i32.sub (local.get 0) (i32.const 1))";
const RECURSION = `(if (result i32) (local.get 0) (then (i32.add (i32.const 1) (call $r ${DOWN}))) (else (i32.const 7)))`;

/** Ways to a recursive function `$r`, from an export `run` that takes how deep it goes. */
const WAYS: Readonly<Record<string, string>> = {
  "by its name": `(func $r (param i32) (result i32) ${RECURSION})
    (func (export "run") (param i32) (result i32) (call $r (local.get 0)))`,
  "from outside": `(func $r (export "run") (param i32) (result i32) ${RECURSION})`,
  "through a table": `(type $t (func (param i32) (result i32))) (table funcref (elem $r))
    (func $r (param i32) (result i32) ${RECURSION})
    (func (export "run") (param i32) (result i32) (call_indirect (type $t) (local.get 0) (i32.const 0)))`,
  "through a table inside": `(type $t (func (param i32) (result i32))) (table funcref (elem $r))
    (func $r (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.add (i32.const 1)
        (if (result i32) (i32.and (local.get 0) (i32.const 1))
          (then (call $r ${DOWN})) (else (call_indirect (type $t) ${DOWN} (i32.const 0)))))) (else (i32.const 7))))
    (func (export "run") (param i32) (result i32) (call $r (local.get 0)))`,
  "by a tail call": `(func $r (param i32) (result i32) ${RECURSION})
    (func (export "run") (param i32) (result i32) (return_call $r (local.get 0)))`,
};

const load = async (source: string, imports = {}): Promise<Metered> =>
  metered(await watBytes(`(module ${source})`, { tail_call: true }), { tailCalls: true }, imports);

/** Fuel of one call, which has to give its stack back. */
function spent(module: Metered, argument: number, result: number): number {
  module.fill(1e9);
  expect(module.exports["run"]?.(argument)).toBe(result);
  expect(module.stack()).toBe(STACK);
  return module.used();
}

describe.each(Object.entries(WAYS))("a function in a circle that is called %s", (_, source) => {
  it("takes the same for each of its calls, and stops where it is told to", async () => {
    const module = await load(source);
    const [none, two, four] = [0, 2, 4].map((depth) => spent(module, depth, depth + 7)) as [number, number, number];
    expect(four - two).toBe(two - none);
    const fuel = spent(module, 300, 307);
    expect(fuel - none).toBe(150 * (two - none));
    for (const given of [0, none - 1, Math.floor(fuel / 2), fuel - 1]) {
      module.fill(given);
      expect([outcome(() => module.exports["run"]?.(300)), module.overdrawn()]).toEqual([
        expect.stringMatching(/unreachable|^307$/),
        "fuel",
      ]);
      expect(module.used()).toBeGreaterThan(given);
      expect(module.used()).toBeLessThanOrEqual(fuel);
    }
    module.fill(fuel);
    expect([module.exports["run"]?.(300), module.overdrawn()]).toEqual([307, undefined]);
  });

  it("fills the stack at the depth that follows from its frame", async () => {
    const module = await load(source);
    const fits = (depth: number, stack: number): boolean => {
      module.fill(1e9, stack);
      const ended = outcome(() => module.exports["run"]?.(depth));
      if (ended !== `${depth + 7}`) expect([ended, module.overdrawn()]).toEqual(["RuntimeError: unreachable", "stack"]);
      return ended === `${depth + 7}`;
    };
    const least = (depth: number): number => {
      let [few, enough] = [0, STACK];
      while (enough - few > 1) {
        const middle = (few + enough) >> 1;
        if (fits(depth, middle)) enough = middle;
        else few = middle;
      }
      return enough;
    };
    const frame = (least(60) - least(20)) / 40;
    // Eight values, a parameter and three operands; eight values more where an entrance stands before it.
    expect(frame).toBe(source === WAYS["by its name"] ? 12 : 20);
    expect(least(100) - least(60)).toBe(40 * frame);
  });
});

describe("a host function inside a circle", () => {
  const SOURCE = `(import "env" "back" (func $back (param i32) (result i32)))
    (func $r (export "run") (param i32) (result i32)
      (if (result i32) (local.get 0)
        (then (i32.add (call $back (local.get 0)) (call $r ${DOWN}))) (else (i32.const 0))))`;

  it("sees what was taken, and what it takes itself counts", async () => {
    const seen: number[] = [];
    const module: Metered = await load(SOURCE, {
      env: {
        back: () => {
          seen.push(module.used());
          (module.exports[METER_EXPORT] as unknown as MeterGlobal).value -= 1000n << 20n;
          return 1;
        },
      },
    });
    const fuel = spent(module, 10, 10);
    const steps = seen.slice(1).map((used, i) => used - (seen[i] as number));
    expect(new Set(steps).size).toBe(1);
    expect(steps[0]).toBeGreaterThan(1000);
    expect(fuel).toBeGreaterThan(10 * 1000 + (seen[0] as number));
    module.fill(5500);
    expect([outcome(() => module.exports["run"]?.(10)), module.overdrawn()]).toEqual([
      "RuntimeError: unreachable",
      "fuel",
    ]);
    expect(module.used()).toBeLessThan(6500);
  });

  it("may call back: both accounts are one", async () => {
    let depth = 0;
    const module: Metered = await load(SOURCE, {
      env: { back: (n: number) => (depth++ === 0 ? (module.exports["run"]?.(n) as number) : 1) },
    });
    // Six calls of ours, the first of which asks for six more: 12 turns, and one end more than a call without.
    module.fill(1e9);
    expect(module.exports["run"]?.(6)).toBe(6 + 5);
    expect(module.stack()).toBe(STACK);
    const both = module.used();
    depth = 1;
    expect(both).toBe(2 * spent(module, 6, 6));
  });
});

describe("what a carrier has beside the meter", () => {
  it("stays: parameters and results of all types and numbers", async () => {
    const kinds = [
      ["i32", "(i32.const 5)"],
      ["i64", "(i64.const 6)"],
      ["f32", "(f32.const 1.5)"],
      ["f64", "(f64.const 2.5)"],
    ] as const;
    for (let count = 0; count <= 9; count++) {
      const all = Array.from({ length: count }, (_, i) => kinds[i % 4] as (typeof kinds)[number]);
      const types = all.map(([type]) => type).join(" ");
      const source = `(func $r (param $n i32) (param ${types}) (result ${types})
          (if (local.get $n) (then ${all.map((_, i) => `(local.get ${i + 1})`).join(" ")}
            ${"drop ".repeat(count)}
            (call $r (i32.sub (local.get $n) (i32.const 1)) ${all.map((_, i) => `(local.get ${i + 1})`).join(" ")}) return))
          ${all.map((_, i) => `(local.get ${i + 1})`).join(" ")})
        (func (export "run") (result ${types}) (call $r (i32.const 20) ${all.map(([, value]) => value).join(" ")}))`;
      const module = await load(source);
      module.fill(1e9);
      const values = all.map(([type]) => ({ i32: 5, i64: 6n, f32: 1.5, f64: 2.5 })[type]);
      const result = module.exports["run"]?.();
      expect(count === 0 ? [] : count === 1 ? [result] : result).toEqual(values);
      expect(module.stack()).toBe(STACK);
    }
  });

  it("stays: locals whose numbers grow by a byte", async () => {
    const locals = 130;
    const each = (write: (i: number) => string): string =>
      Array.from({ length: locals }, (_, i) => write(i + 1)).join("\n");
    const source = `(func $r (param i32) (result i32) (local ${"i32 ".repeat(locals)})
        ${each((i) => `(local.set ${i} (i32.add (local.get 0) (i32.const ${i})))`)}
        (if (local.get 0) (then (drop (call $r ${DOWN}))))
        (i32.const 0) ${each((i) => `(local.get ${i}) i32.add (drop (local.tee ${i} (i32.const 0)))`)})
      (func (export "run") (param i32) (result i32) (call $r (local.get 0)))`;
    const module = await load(source);
    module.fill(1e9);
    expect(module.exports["run"]?.(10)).toBe((locals * (locals + 1)) / 2 + 10 * locals);
  });

  it("stays: functions with as many parameters as an engine allows, which cannot have one more", async () => {
    const parameters = 1000;
    const source = `(module (func $r (param ${"i32 ".repeat(parameters)})
        (if (local.get 0) (then (call $r ${DOWN} ${"(i32.const 0) ".repeat(parameters - 1)}))))
      (func (export "run") (call $r ${"(i32.const 4) ".repeat(parameters)})))`;
    const limits = { ...MODULE_LIMITS, typeValues: parameters };
    const { bytes } = instrument(await watBytes(source), { ...OPTIONS, limits });
    expect(WebAssembly.validate(bytes)).toBe(true);
  });

  it("is nothing that a module can give it: what tables hold and exports are keeps its type", async () => {
    const module =
      await load(`(type $own (func (param i32) (result i32))) (type $forged (func (param i32 i64) (result i32 i64)))
      (table funcref (elem $r)) (func $r (export "run") (param i32) (result i32) ${RECURSION})
      (func (export "own") (result i32) (call_indirect (type $own) (i32.const 3) (i32.const 0)))
      (func (export "forged") (result i32 i64)
        (call_indirect (type $forged) (i32.const 3) (i64.const -1) (i32.const 0)))`);
    module.fill(1e9);
    expect(module.exports["run"]?.length).toBe(1);
    expect(module.exports["own"]?.()).toBe(10);
    expect(outcome(() => module.exports["forged"]?.())).toMatch(/signature mismatch/);
  });

  it("is not there where nothing is metered", async () => {
    const bytes = await watBytes(`(module ${WAYS["from outside"]})`);
    const { exports } = new WebAssembly.Instance(compiled(instrument(bytes, { ...OPTIONS, meter: false }).bytes));
    expect(Object.keys(exports)).toEqual(["run"]);
    expect((exports["run"] as (depth: number) => number)(5)).toBe(12);
  });
});

describe("a loop without a check of its own", () => {
  it.each([
    ["around a call in a circle", "(loop (call $r (i32.const 0)) (br 0))"],
    ["around a call in a circle, in a block", "(loop (block (call $r (i32.const 0))) (br 0))"],
    ["around a loop that does not turn", "(loop (loop) (br 0))"],
    ["around a loop that ends", "(loop (loop (br_if 0 (i32.const 0))) (br 0))"],
    ["around a call that may be left out", "(loop (if (i32.const 0) (then (call $r (i32.const 0)))) (br 0))"],
    ["around a call behind a branch", "(loop (block (br_if 0 (i32.const 1)) (call $r (i32.const 0))) (br 0))"],
    ["around work by length", "(loop (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)) (br 0))"],
    ["around a small function", "(loop (call $small) (br 0))"],
    ["around a function with a loop", "(loop (call $long) (br 0))"],
    ["around a host function", "(loop (call $host) (br 0))"],
    ["around a call through a table", "(loop (call_indirect (i32.const 0)) (br 0))"],
  ])("ends with its fuel: %s", async (_, body) => {
    const source = `(module (import "env" "host" (func $host)) (memory 1) (table funcref (elem $small))
      (func $r (param i32) (if (local.get 0) (then (call $r ${DOWN}))))
      (func $small) (func $long (loop (br_if 0 (i32.const 0))))
      (func (export "run") ${body}))`;
    const module = metered(await watBytes(source), {}, { env: { host: () => undefined } });
    module.fill(10_000);
    expect([outcome(() => module.exports["run"]?.()), module.overdrawn()]).toEqual([
      "RuntimeError: unreachable",
      "fuel",
    ]);
    expect(module.used()).toBeLessThan(10_100);
  });
});

it("an instance takes from one meter, whoever is called", async () => {
  const module = await load(
    `${WAYS["by its name"]} (func (export "other") (param i32) (result i32) (call $r (local.get 0)))`,
  );
  const once = spent(module, 50, 57);
  module.fill(1e9);
  module.exports["run"]?.(50);
  module.exports["other"]?.(50);
  expect(1e9 - fuelLeft((module.exports[METER_EXPORT] as unknown as MeterGlobal).value)).toBe(2 * once);
});
