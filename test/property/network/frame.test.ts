import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { encodeFrame, FrameDecoder } from "../../../src/network/frame.ts";

const SIZE_MAX = 100_000;
const payloads = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.uint8Array({ maxLength: 40 }) },
    { weight: 1, arbitrary: fc.integer({ min: 65_000, max: SIZE_MAX }).map((size) => new Uint8Array(size).fill(size)) },
  ),
  { maxLength: 12 },
);

function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return at.slice(1).map((end, index) => bytes.subarray(at[index], end));
}

describe("frame decoder", () => {
  it("gives the same payloads however the bytes are cut", () => {
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(), { maxLength: 30 }), (frames, cuts) => {
        const decoder = new FrameDecoder(SIZE_MAX);
        const got = split(concat(...frames.map(encodeFrame)), cuts).flatMap((piece) => decoder.push(piece));
        expect(got.length).toBe(frames.length);
        for (const [index, payload] of got.entries())
          expect(Buffer.compare(payload, frames[index] as Uint8Array)).toBe(0);
        expect(decoder.idle).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same payloads byte by byte", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (frames) => {
        const decoder = new FrameDecoder(20);
        const got = [...concat(...frames.map(encodeFrame))].flatMap((byte) => decoder.push(Uint8Array.of(byte)));
        expect(got).toEqual(frames);
      }),
    );
  });

  it("on any bytes gives payloads within its limit or FRAME_MALFORMED, wherever they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.array(fc.nat(), { maxLength: 10 }), (bytes, cuts) => {
        const outcome = (pieces: readonly Uint8Array[]): unknown => {
          const decoder = new FrameDecoder(64);
          const got: Uint8Array[] = [];
          try {
            for (const piece of pieces) got.push(...decoder.push(piece));
          } catch (error) {
            return (error as { code?: string }).code;
          }
          expect(got.every((payload) => payload.length <= 64)).toBe(true);
          return [got, decoder.idle];
        };
        expect(outcome(split(bytes, cuts))).toEqual(outcome([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});
