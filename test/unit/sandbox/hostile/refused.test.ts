import { describe, expect, it } from "vitest";
import { bad, hostileLane, type Sections, sectionsOf, text } from "../../../support/hostile.ts";
import { watBytes, watSource } from "../../../support/wat-module.ts";

const lane = hostileLane();
const INVALID = "MODULE_INVALID";

const leb = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(Math.floor(value / 128))];
const TYPES = [1, 3, 0x60, 0, 1, 0x7f, 0x60, 1, 0x7f, 1, 0x7f, 0x60, 2, 0x7f, 0x7f, 1, 0x7f] as const;
const FUNCTIONS = [3, 3, 0, 1, 2] as const;
const MEMORY = [5, 1, 0, 1] as const;
const EXPORTS = [
  7,
  4,
  ...text("memory"),
  2,
  0,
  ...text("ipdm_abi"),
  0,
  0,
  ...text("ipdm_alloc"),
  0,
  1,
  ...text("ipdm_process"),
  0,
  2,
] as const;
const abi = [4, 0, 0x41, 1, 0x0b];
// So many bytes at 64 times their number: batch and descriptor lie apart.
const alloc = [7, 0, 0x20, 0, 0x41, 6, 0x74, 0x0b];
const processed = [4, 0, 0x20, 0, 0x0b];
const CODE = [10, 3, ...abi, ...alloc, ...processed] as const;
const GOOD: Sections = [TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE];

/** The good module with `ipdm_process` of other bytes. */
function withBody(...body: number[]): Sections {
  return [TYPES, FUNCTIONS, MEMORY, EXPORTS, [10, 3, ...abi, ...alloc, ...leb(body.length), ...body]];
}

describe("a module that writes to what is not its own", () => {
  it("is taken when all is right: the parts below are good by themselves", async () => {
    expect(await lane.verdict(sectionsOf(GOOD))).toBe("no error");
  });

  it.each([
    ["the number that the meter will have", [0, 0x42, 0x7f, 0x24, 0, 0x20, 0, 0x0b]],
    ["the number behind it", [0, 0x42, 0x7f, 0x24, 1, 0x20, 0, 0x0b]],
    ["the meter, which it reads", [0, 0x23, 0, 0x1a, 0x20, 0, 0x0b]],
    ["a local that the meter is kept in", [0, 0x42, 0x7f, 0x21, 2, 0x03, 0x40, 0x0b, 0x20, 0, 0x0b]],
    ["a type that is added", [0, 0x02, 3, 0x0b, 0x20, 0, 0x0b]],
  ])("is refused: %s", async (_, body) => {
    expect(await lane.verdict(sectionsOf(withBody(...body)))).toBe(INVALID);
  });

  it.each(["__ipdm_meter", "__ipdm_start", "__ipdm_global_0", "__ipdm_"])("is refused as %s", async (name) => {
    const source = watSource({ fields: `(global (export "${name}") (mut i64) (i64.const 0))` });
    expect(await lane.verdict(await watBytes(source))).toBe(INVALID);
  });
});

describe("a module that lies about lengths", () => {
  const patched = (sections: Sections, at: (bytes: Uint8Array) => void): Uint8Array => {
    const bytes = sectionsOf(sections);
    at(bytes);
    return bytes;
  };
  it.each([
    ["a section beyond the end", patched(GOOD, (bytes) => void (bytes[9] = 0x7f))],
    ["a section that ends too early", patched(GOOD, (bytes) => void (bytes[9] = 3))],
    ["four billion types", sectionsOf([[1, 0xff, 0xff, 0xff, 0xff, 0x0f]])],
    ["four billion functions", sectionsOf([TYPES, [3, 0xff, 0xff, 0xff, 0xff, 0x0f]])],
    ["four billion parameters", sectionsOf([[1, 1, 0x60, 0xff, 0xff, 0xff, 0xff, 0x0f]])],
    [
      "a body beyond its section",
      sectionsOf([TYPES, FUNCTIONS, MEMORY, EXPORTS, [10, 3, ...abi, ...alloc, 0xff, 1, 0, 0x20, 0, 0x0b]]),
    ],
    ["bytes behind a body's end", sectionsOf(withBody(0, 0x20, 0, 0x0b, 0x0b))],
    ["bodies without functions", sectionsOf([TYPES, [3, 2, 0, 1], MEMORY, EXPORTS, CODE])],
    ["four billion locals", sectionsOf(withBody(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 0x20, 0, 0x0b))],
    [
      "locals that add up beyond 32 bits",
      sectionsOf(withBody(2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x7f, 2, 0x7f, 0x20, 0, 0x0b)),
    ],
    ["four billion targets", sectionsOf(withBody(0, 0x41, 0, 0x0e, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0x0b))],
    ["a name of four billion bytes", sectionsOf([TYPES, FUNCTIONS, MEMORY, [7, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]])],
    ["a segment of four billion bytes", sectionsOf([...GOOD, [11, 1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f]])],
    [
      "an element segment of four billion items",
      sectionsOf([
        TYPES,
        FUNCTIONS,
        [4, 1, 0x70, 0, 1],
        MEMORY,
        EXPORTS,
        [9, 1, 0, 0x41, 0, 0x0b, 0xff, 0xff, 0xff, 0xff, 0x0f],
        CODE,
      ]),
    ],
    ["a data count that is not so", sectionsOf([TYPES, FUNCTIONS, MEMORY, EXPORTS, [12, 7], CODE])],
    ["the same section twice", sectionsOf([TYPES, TYPES, FUNCTIONS, MEMORY, EXPORTS, CODE])],
    ["sections in disorder", sectionsOf([TYPES, FUNCTIONS, EXPORTS, MEMORY, CODE])],
    ["a section of unknown number", sectionsOf([...GOOD, [14, 0]])],
    ["a name that is no text", sectionsOf([TYPES, FUNCTIONS, MEMORY, [7, 1, 2, 0xc3, 0x28, 2, 0], CODE])],
  ])("is refused: %s", async (_, bytes) => {
    expect(await lane.verdict(bytes)).toBe(INVALID);
  });

  it.each([
    ["six bytes for 32 bits", [0, 0x20, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b]],
    ["more than 32 bits in five bytes", [0, 0x20, 0x80, 0x80, 0x80, 0x80, 0x10, 0x0b]],
    ["eleven bytes for 64 bits", [0, 0x42, ...Array.from({ length: 10 }, () => 0x80), 0, 0x1a, 0x20, 0, 0x0b]],
    ["a constant whose sign does not fit", [0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b]],
    ["a number that never ends", [0, 0x20, ...Array.from({ length: 40 }, () => 0xff), 0x0b]],
    ["a type of a block beyond 33 bits", [0, 0x02, 0x80, 0x80, 0x80, 0x80, 0x20, 0x0b, 0x20, 0, 0x0b]],
  ])("is refused where a number has %s", async (_, body) => {
    expect(await lane.verdict(sectionsOf(withBody(...body)))).toBe(INVALID);
  });

  it("is read right where numbers are longer than they need be", async () => {
    const body = [0x80, 0x80, 0x00, 0x02, 0x40, 0x0c, 0x80, 0x80, 0x80, 0x80, 0x00, 0x0b, 0x20, 0x80, 0x00, 0x0b];
    expect(await lane.verdict(sectionsOf(withBody(...body)))).toBe("no error");
  });
});

describe("a module that is too large", () => {
  it.each([
    ["locals", "(local i64)", `(func $big (local ${"i64 ".repeat(2001)}))`],
    ["targets of one jump", "", `(func $big (block (br_table ${"0 ".repeat(4098)} (i32.const 0))))`],
    ["parameters", "", `(func $big (param ${"i32 ".repeat(65)}))`],
    ["a table", "", "(table 10001 funcref)"],
    ["operands", "", `(func $big ${"i32.const 1 ".repeat(250_000)} ${"drop ".repeat(250_000)})`],
  ])("is refused for its %s", async (_, __, fields) => {
    const bytes = await watBytes(watSource({ fields }).replace("(local i64)", ""));
    expect(await lane.verdict(bytes)).toBe(INVALID);
  });

  it("is refused for its blocks inside each other", async () => {
    const nested = (depth: number): Uint8Array => {
      const open = Array.from({ length: depth }, () => [0x02, 0x40]).flat();
      return sectionsOf(withBody(0, ...open, ...Array.from({ length: depth }, () => 0x0b), 0x20, 0, 0x0b));
    };
    expect(await lane.verdict(nested(255))).toBe("no error");
    expect(await lane.verdict(nested(256))).toBe(INVALID);
  });

  it("is refused for the memory that it begins with", async () => {
    const memory = '(memory (export "memory") 65536)';
    expect(await lane.verdict(await watBytes(watSource({ memory })))).toBe("MODULE_MEMORY_EXCEEDED");
  });
});

describe("a module that wants something of the host", () => {
  it.each([
    ["another function", '(import "env" "exit" (func))', "MODULE_IMPORT_DENIED"],
    ["a function of JavaScript", '(import "Function" "constructor" (func))', "MODULE_IMPORT_DENIED"],
    ["what every object has", '(import "__proto__" "toString" (func (result i32)))', "MODULE_IMPORT_DENIED"],
    ["a name that another one is made of", '(import "ipdm.time" "" (func (result i64)))', "MODULE_IMPORT_DENIED"],
    ["the meter", '(import "env" "__ipdm_meter" (global (mut i64)))', "MODULE_IMPORT_DENIED"],
    ["a known function of another type", '(import "ipdm" "time" (func (param i64)))', "MODULE_IMPORT_DENIED"],
    ["a function it is not allowed", '(import "ipdm" "log" (func (param i32 i32)))', "MODULE_CAPABILITY_DENIED"],
    ["a table of functions", '(import "env" "table" (table 1 funcref))', "MODULE_IMPORT_DENIED"],
  ])("is refused: %s", async (_, wanted, code) => {
    expect(await lane.verdict(await watBytes(watSource().replace("(module", `(module ${wanted}`)))).toBe(code);
  });

  it("is stopped where it hands the host addresses that it has not", async () => {
    const imported = '(module (import "ipdm" "random" (func $random (param i64 i32 i32)))';
    const random = async (address: number, bytes: number): Promise<string> => {
      const body = `(call $random (i64.const 1) (i32.const ${address}) (i32.const ${bytes}))`;
      return lane.verdict(await watBytes(bad(body).replace("(module", imported)), { capabilities: ["random"] });
    };
    expect(await random(-8, 16)).toBe("MODULE_TRAP");
    expect(await random(65_530, 100)).toBe("MODULE_TRAP");
    expect(await random(64, -1)).toBe("MODULE_FUEL_EXHAUSTED");
  });
});

describe("a module that uses what differs from machine to machine", () => {
  it.each([
    ["threads", "(func $x (drop (i32.atomic.load (i32.const 0))))", { threads: true }],
    ["exceptions", "(tag $t) (func $x (throw $t))", { exceptions: true }],
    ["tail calls", "(func $x (return_call $x))", { tail_call: true }],
    [
      "relaxed vectors",
      "(func $x (drop (f32x4.relaxed_min (v128.const i64x2 0 0) (v128.const i64x2 0 0))))",
      { relaxed_simd: true },
    ],
    ["several memories", "(memory $other 1)", { multi_memory: true }],
    ["constants that are sums", "(global i32 (i32.add (i32.const 1) (i32.const 2)))", { extended_const: true }],
  ])("is refused: %s", async (_, fields, features) => {
    expect(await lane.verdict(await watBytes(watSource({ fields }), features as { threads?: boolean }))).toBe(INVALID);
  });

  it.each([
    ["garbage collection", [0x5f, 0]],
    ["recursive types", [0x4e, 0]],
  ])("is refused: %s", async (_, type) => {
    expect(await lane.verdict(sectionsOf([[1, 1, ...type], ...GOOD.slice(1)]))).toBe(INVALID);
  });
});
