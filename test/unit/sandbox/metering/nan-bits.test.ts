import { describe, expect, it } from "vitest";
import { type Metered, metered } from "../../../support/metered.ts";
import { watBytes } from "../../../support/wat-module.ts";

const PAYLOAD_32 = 0x7fa1_2345;
const PAYLOAD_64 = 0x7ff4_1234_5678_9abcn;

/** A module whose `run` works on memory: at 0 stands an f32 NaN with a payload, at 8 an f64 one, at 16 zeros. */
async function ready(body: string, fields = ""): Promise<Metered> {
  const module = metered(
    await watBytes(`(module (memory (export "memory") 1) ${fields} (func (export "run") ${body}))`),
  );
  const view = new DataView(module.exports.memory.buffer);
  view.setUint32(0, PAYLOAD_32, true);
  view.setBigUint64(8, PAYLOAD_64, true);
  module.fill(1e6);
  module.exports["run"]?.();
  return module;
}

async function stored32(body: string, fields = ""): Promise<number> {
  return new DataView((await ready(body, fields)).exports.memory.buffer).getUint32(64, true);
}

async function stored64(body: string, fields = ""): Promise<bigint> {
  return new DataView((await ready(body, fields)).exports.memory.buffer).getBigUint64(64, true);
}

const LOAD_32 = "(f32.load (i32.const 0))";
const LOAD_64 = "(f64.load (i32.const 8))";
const store32 = (value: string): string => `(f32.store (i32.const 64) ${value})`;
const store64 = (value: string): string => `(f64.store (i32.const 64) ${value})`;
const NAN_32 = "(f32.div (f32.load (i32.const 16)) (f32.load (i32.const 16)))";
const NAN_64 = "(f64.div (f64.load (i32.const 16)) (f64.load (i32.const 16)))";

describe("bits of a NaN that a module loads", () => {
  it.each([
    ["a copy", store32(LOAD_32)],
    ["a local", `(local f32) (local.set 0 ${LOAD_32}) ${store32("(local.get 0)")}`],
    [
      "a local that may hold a sum",
      `(local f32) (local.set 0 ${NAN_32}) (local.set 0 ${LOAD_32}) ${store32("(local.get 0)")}`,
    ],
    ["select", store32(`(select ${LOAD_32} ${NAN_32} (i32.const 1))`)],
    ["a block", store32(`(block (result f32) (drop (br_if 0 ${LOAD_32} (i32.const 1))) ${NAN_32})`)],
    ["an if", store32(`(if (result f32) (i32.const 1) (then ${LOAD_32}) (else ${NAN_32}))`)],
    [
      "an if that may replace it",
      `i32.const 64 ${flat(LOAD_32)} i32.const 0 if (param f32) (result f32) drop ${flat(NAN_32)} end f32.store`,
    ],
    ["lanes", store32(`(f32x4.extract_lane 2 (f32x4.splat ${LOAD_32}))`)],
    [
      "the smaller of two",
      store32("(f32x4.extract_lane 0 (f32x4.pmin (v128.load (i32.const 0)) (v128.load (i32.const 0))))"),
    ],
    ["a loop's parameter", `i32.const 64 ${flat(LOAD_32)} loop (param f32) (result f32) end f32.store`],
  ])("stay through %s", async (_, body) => {
    expect((await stored32(body)).toString(16)).toBe(PAYLOAD_32.toString(16));
  });

  it("stay through an if that may replace a double", async () => {
    const body = `i32.const 64 ${flat(LOAD_64)} i32.const 0 if (param f64) (result f64) drop ${flat(NAN_64)} end f64.store`;
    expect((await stored64(body)).toString(16)).toBe(PAYLOAD_64.toString(16));
  });

  it("stay where a number of one width is read as lanes of another", async () => {
    // The sum is a number as f64; the upper half of its bits is a NaN with a payload as f32.
    const sum = "(f64x2.add (f64x2.splat (f64.const 0x1.2345p+1021)) (f64x2.splat (f64.const 0)))";
    const bits = new DataView(new ArrayBuffer(8));
    bits.setFloat64(0, (0x1_2345 / 0x1_0000) * 2 ** 1021);
    expect(await stored32(store32(`(f32x4.extract_lane 1 ${sum})`))).toBe(bits.getUint32(0));
    expect(Number.isNaN(bits.getFloat32(0))).toBe(true);
    const shuffled = `(local v128) (local.set 0 (f32x4.neg ${sum})) ${store32("(f32x4.extract_lane 1 (local.get 0))")}`;
    expect(await stored32(shuffled)).toBe((bits.getUint32(0) | 0x8000_0000) >>> 0);
  });
});

describe("bits of a NaN that arithmetic makes", () => {
  it.each([
    ["a store", store64(NAN_64)],
    ["a global", `(global.set $g ${NAN_64}) ${store64("(global.get $g)")}`],
    ["reinterpretation", `(i64.store (i32.const 64) (i64.reinterpret_f64 ${NAN_64}))`],
    ["a call", store64(`(call $same ${NAN_64})`)],
    ["a lane", `(v128.store (i32.const 64) (f64x2.replace_lane 0 (v128.const i64x2 0 0) ${NAN_64}))`],
    ["promotion", store64(`(f64.promote_f32 ${NAN_32})`)],
    [
      "several results",
      `i32.const 64 ${flat(NAN_64)} i32.const 1 block (param f64 i32) (result f64 i32) end drop f64.store`,
    ],
    [
      "a branch of a table",
      store64(`(block (result f64) (block (result f64) (br_table 0 1 ${NAN_64} (i32.const 1))))`),
    ],
    ["the sign of another", store64(`(f64.abs (f64.copysign ${NAN_64} (f64.const -1)))`)],
    ["a vector store", "(v128.store (i32.const 64) (f64x2.div (v128.load (i32.const 16)) (v128.load (i32.const 16))))"],
    [
      "a bitwise operation",
      "(v128.store (i32.const 64) (v128.or (v128.const i64x2 0 0) (f64x2.div (v128.load (i32.const 16)) (v128.load (i32.const 16)))))",
    ],
  ])("are canonical after %s", async (_, body) => {
    const fields = "(global $g (mut f64) (f64.const 0)) (func $same (param f64) (result f64) (local.get 0))";
    expect((await stored64(body, fields)).toString(16)).toBe("7ff8000000000000");
  });
});

describe("bits of a NaN that are taken for an integer", () => {
  it.each([
    ["f64x2.convert_low_i32x4_s", "(f64x2.extract_lane 1 (f64x2.convert_low_i32x4_s"],
    ["f64x2.convert_low_i32x4_u", "(f64x2.extract_lane 1 (f64x2.convert_low_i32x4_u"],
    ["f32x4.convert_i32x4_s", "(f64.promote_f32 (f32x4.extract_lane 1 (f32x4.convert_i32x4_s"],
    ["f32x4.convert_i32x4_u", "(f64.promote_f32 (f32x4.extract_lane 1 (f32x4.convert_i32x4_u"],
  ])("are canonical for %s", async (_, open) => {
    const close = ")".repeat(open.split("(").length - 1);
    const nan = "(f64x2.div (v128.load (i32.const 16)) (v128.load (i32.const 16)))";
    const bits = await stored64(store64(`${open} ${nan}${close}`));
    const expected = new DataView(new ArrayBuffer(8));
    expected.setFloat64(0, 0x7ff8_0000);
    expect(bits).toBe(expected.getBigUint64(0));
  });
});

/** One folded instruction as a flat one; operands first. */
function flat(folded: string): string {
  const match = /^\((\S+) (.*)\)$/s.exec(folded.trim());
  if (match === null) return folded;
  const [, op, rest] = match;
  const parts = split(rest ?? "");
  return [
    ...parts.filter((part) => part.startsWith("(")).map(flat),
    op,
    ...parts.filter((part) => !part.startsWith("(")),
  ].join(" ");
}

function split(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const letter of text) {
    if (letter === "(") depth++;
    if (letter === ")") depth--;
    if (letter === " " && depth === 0) {
      if (part !== "") parts.push(part);
      part = "";
    } else part += letter;
  }
  if (part !== "") parts.push(part);
  return parts;
}
