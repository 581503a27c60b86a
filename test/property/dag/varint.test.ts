import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { decodeVarint, encodeVarint } from "../../../src/dag/varint.ts";

describe("varint", () => {
  it("comes back, wherever it stands", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 35 - 1 }), fc.uint8Array({ maxLength: 5 }), (value, before) => {
        const bytes = concat(before, encodeVarint(value), Uint8Array.of(0xff));
        expect(decodeVarint(bytes, before.length)).toEqual({ value, end: bytes.length - 1 });
      }),
    );
  });

  it("has one form a value: what is read is what would be written", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 7 }), (bytes) => {
        const found = decodeVarint(bytes, 0);
        if (found !== undefined) expect([...encodeVarint(found.value)]).toEqual([...bytes.subarray(0, found.end)]);
      }),
      { numRuns: 1000 },
    );
    for (const bad of [[], [0x80], [0x80, 0], [0xff, 0x80, 0], [0xff, 0xff, 0xff, 0xff, 0xff, 1]])
      expect(decodeVarint(Uint8Array.from(bad), 0)).toBeUndefined();
  });
});
