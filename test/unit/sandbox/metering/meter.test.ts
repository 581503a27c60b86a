import { describe, expect, it } from "vitest";
import { metered, outcome, STACK } from "../../../support/metered.ts";
import { watBytes } from "../../../support/wat-module.ts";

const TAIL = { tail_call: true };

/** Functions `$f0` to `$f<n>`, each of which calls the next one. */
function chain(count: number, body: (i: number, next: string) => string): string {
  return Array.from({ length: count }, (_, i) => {
    const next = i + 1 < count ? `(call $f${i + 1})` : "";
    return `(func $f${i} ${i === 0 ? '(export "run")' : ""} ${body(i, next)})`;
  }).join("\n");
}

describe("the stack", () => {
  it("is counted where functions without recursion have large frames", async () => {
    const locals = `(local ${"v128 ".repeat(2000)})`;
    const bytes = await watBytes(`(module ${chain(1000, (_, next) => `${locals} ${next}`)})`);
    const module = metered(bytes);
    module.fill(1e9);
    expect(outcome(module.exports["run"] as () => void)).toBe("RuntimeError: unreachable");
    expect(module.overdrawn()).toBe("stack");
  });

  it("is counted where operands make frames large", async () => {
    const operands = 8300;
    const body = (next: string): string =>
      `${"i32.const 1 ".repeat(operands)} ${next.replaceAll(/[()]/g, "")} ${"drop ".repeat(operands)}`;
    const module = metered(await watBytes(`(module ${chain(24, (_, next) => body(next))})`));
    module.fill(1e9);
    expect(outcome(module.exports["run"] as () => void)).toBe("RuntimeError: unreachable");
    expect(module.overdrawn()).toBe("stack");
  });

  it("is counted where a function is entered by a tail call", async () => {
    const locals = `(local ${"v128 ".repeat(2000)})`;
    // Each `$t` gives its frame back and jumps to `$u`, whose frame stays while it calls the next `$t`.
    const count = 400;
    const functions = Array.from(
      { length: count },
      (_, i) => `(func $t${i} ${locals} (return_call $u${i}))
        (func $u${i} ${locals} ${i + 1 < count ? `(call $t${i + 1})` : ""})`,
    );
    const source = `(module ${functions.join("\n")} (func (export "run") (call $t0)))`;
    const module = metered(await watBytes(source, TAIL), { tailCalls: true });
    module.fill(1e9);
    expect(outcome(module.exports["run"] as () => void)).toBe("RuntimeError: unreachable");
    expect(module.overdrawn()).toBe("stack");
  });

  it("is given back when calls end", async () => {
    const source = `(module (func $r (export "run") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (call $r (i32.sub (local.get 0) (i32.const 1)))) (else (i32.const 7)))))`;
    const module = metered(await watBytes(source));
    module.fill(1e9);
    expect(module.exports["run"]?.(400)).toBe(7);
    expect(module.stack()).toBe(STACK);
  });
});

describe("fuel", () => {
  it("stops a function that only makes many calls soon after it ran out", async () => {
    // The callee has neither loops nor calls, so it does not check; 60,000 units a call.
    const work = "(drop (i64.div_u (i64.const 1) (local.get 0)))".repeat(2900);
    const calls = "(call $work (i64.const 1))".repeat(20_000);
    const module = metered(await watBytes(`(module (func $work (param i64) ${work}) (func (export "run") ${calls}))`));
    module.fill(1e6);
    expect(outcome(module.exports["run"] as () => void)).toBe("RuntimeError: unreachable");
    expect(module.overdrawn()).toBe("fuel");
    expect(module.used()).toBeLessThan(1e6 + 20_000 * 6 + 2 * 65_536);
  });

  it("is paid for small functions that are reached by a tail call", async () => {
    const work = "(drop (i32.div_u (i32.const 1) (i32.const 1)))".repeat(2);
    const source = `(module (func $small ${work}) (func $jump (return_call $small))
      (func (export "run") (param i32) (loop (call $jump)
        (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))`;
    const module = metered(await watBytes(source, TAIL), { tailCalls: true });
    module.fill(1e9);
    module.exports["run"]?.(1000);
    expect(module.used()).toBeGreaterThanOrEqual(1000 * (2 + 2 * 16 + 6 + 2));
  });

  it("is taken from the whole length of a bulk instruction before it begins", async () => {
    const source = `(module (memory (export "memory") 1) (table 1 funcref) (elem $none func)
      (func (export "fill") (param i32) (memory.fill (i32.const 0) (i32.const 1) (local.get 0)))
      (func (export "copy") (param i32) (memory.copy (i32.const 0) (i32.const 0) (local.get 0)))
      (func (export "grow") (param i32) (drop (memory.grow (local.get 0))))
      (func (export "table") (param i32) (drop (table.grow (ref.null func) (local.get 0))))
      (func (export "put") (param i32) (table.fill (i32.const 0) (ref.null func) (local.get 0))))`;
    const module = metered(await watBytes(source));
    for (const [name, length, price] of [
      ["fill", -1, 2 ** 29],
      ["copy", -1, 2 ** 29],
      ["grow", -1, 8192 * 65_536],
      ["grow", 65_537, 8192 * 65_536],
      ["table", -1, 2 ** 33],
      ["put", -1, 2 ** 33],
    ] as const) {
      module.fill(1e6);
      expect(
        outcome(() => module.exports[name]?.(length)),
        name,
      ).toBe("RuntimeError: unreachable");
      expect(module.overdrawn(), name).toBe("fuel");
      expect(module.used(), name).toBeGreaterThan(price - 10);
      expect(module.used(), name).toBeLessThan(price + 3000);
    }
  });
});
