import { Buffer, isUtf8 as expected } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUtf8 } from "../../../src/batch/utf8.ts";

/** Bytes of ASCII with a few others among them, at any distance from the start of a buffer. */
const bytes = fc
  .tuple(
    fc.nat({ max: 7 }),
    fc.nat({ max: 80 }),
    fc.oneof(
      fc.uint8Array({ maxLength: 6 }),
      fc.string({ unit: "binary", maxLength: 3 }).map((s) => Buffer.from(s)),
    ),
    fc.nat({ max: 80 }),
  )
  .map(([start, before, some, after]) => {
    const all = Buffer.concat([Buffer.alloc(start, 0xff), Buffer.alloc(before, 97), some, Buffer.alloc(after, 98)]);
    return new Uint8Array(all).subarray(start);
  });

describe("whether bytes are UTF-8", () => {
  it("is what Node.js says", () => {
    fc.assert(
      fc.property(bytes, (given) => isUtf8(given) === expected(given)),
      { numRuns: 2000 },
    );
  });

  it("is found in memory that threads share", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(64)).fill(97);
    expect(isUtf8(shared)).toBe(true);
    shared.set([0xc3, 0xa9], 40);
    expect(isUtf8(shared)).toBe(true);
    shared[41] = 0x41;
    expect(isUtf8(shared)).toBe(false);
  });
});
