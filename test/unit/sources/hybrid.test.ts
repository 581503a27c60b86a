import { describe, expect, it } from "vitest";
import { decodeHybrid } from "../../../src/sources/parquet/hybrid.ts";

/** Bits of the values, least significant first, as one bit-packed run. */
function packed(values: readonly number[], width: number): Uint8Array {
  const groups = Math.ceil(values.length / 8);
  let bits = 0n;
  values.forEach((value, i) => (bits |= BigInt(value) << BigInt(i * width)));
  const bytes = Array.from({ length: groups * width }, (_, i) => Number((bits >> BigInt(8 * i)) & 0xffn));
  return Uint8Array.of((groups << 1) | 1, ...bytes);
}

describe("the RLE and bit-packed hybrid", () => {
  for (const width of [1, 2, 3, 7, 8, 9, 16, 23, 24, 25, 31, 32]) {
    it(`unpacks ${width} bits a value`, () => {
      const values = Array.from({ length: 21 }, (_, i) =>
        Number((BigInt(i) * 2_654_435_761n) & ((1n << BigInt(width)) - 1n)),
      );
      const bytes = packed(values, width);
      const out = new Uint32Array(21);
      expect(decodeHybrid(bytes, 0, bytes.length, width, out)).toBe(bytes.length);
      expect([...out]).toEqual(values);
    });
  }

  it("reads the example of the format's specification", () => {
    const out = new Uint32Array(8);
    decodeHybrid(Uint8Array.of(0x03, 0x88, 0xc6, 0xfa), 0, 4, 3, out);
    expect([...out]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it("repeats runs and mixes them with packed groups", () => {
    const out = new Uint32Array(19);
    const bytes = Uint8Array.of(6 << 1, 5, ...packed([1, 2, 3, 4, 5, 6, 7, 0], 3), 200, 1, 2);
    decodeHybrid(bytes, 0, bytes.length, 3, out);
    expect([...out]).toEqual([5, 5, 5, 5, 5, 5, 1, 2, 3, 4, 5, 6, 7, 0, 2, 2, 2, 2, 2]);
  });

  it("refuses what ends early, empty runs, and endless headers", () => {
    const decode =
      (bytes: readonly number[], width = 3): (() => number) =>
      () =>
        decodeHybrid(Uint8Array.from(bytes), 0, bytes.length, width, new Uint32Array(8));
    for (const bytes of [[], [0x03], [0x03, 1, 2], [16], [0, 1], [1, 1], [0x80], [0x80, 0x80, 0x80, 0x80, 0x80, 1]])
      expect(decode(bytes)).toThrow(RangeError);
  });
});
