import { describe, expect, it } from "vitest";
import { concat } from "../../../src/core/bytes.ts";
import { encodeFrame, FrameDecoder } from "../../../src/network/frame.ts";

describe("frames", () => {
  it("puts the length before the payload, big-endian", () => {
    expect([...encodeFrame(Uint8Array.of(7, 8))]).toEqual([0, 0, 0, 2, 7, 8]);
    expect([...encodeFrame(new Uint8Array(0))]).toEqual([0, 0, 0, 0]);
    expect([...encodeFrame(new Uint8Array(0x010203)).subarray(0, 4)]).toEqual([0, 1, 2, 3]);
  });

  it("gives empty payloads, also at the end of a piece", () => {
    const decoder = new FrameDecoder(10);
    expect(
      decoder.push(
        concat(encodeFrame(new Uint8Array(0)), encodeFrame(Uint8Array.of(1)), encodeFrame(new Uint8Array(0))),
      ),
    ).toEqual([new Uint8Array(0), Uint8Array.of(1), new Uint8Array(0)]);
    expect(decoder.idle).toBe(true);
  });

  it("is idle only between frames", () => {
    const decoder = new FrameDecoder(10);
    expect(decoder.idle).toBe(true);
    decoder.push(Uint8Array.of(0));
    expect(decoder.idle).toBe(false);
    decoder.push(Uint8Array.of(0, 0, 1));
    expect(decoder.idle).toBe(false);
    expect(decoder.push(Uint8Array.of(5))).toEqual([Uint8Array.of(5)]);
    expect(decoder.idle).toBe(true);
  });

  it("refuses a length beyond its limit before any of its bytes", () => {
    expect(new FrameDecoder(4).push(encodeFrame(new Uint8Array(4)))).toEqual([new Uint8Array(4)]);
    expect(() => new FrameDecoder(4).push(Uint8Array.of(0, 0, 0, 5))).toThrow(
      expect.objectContaining({ code: "FRAME_MALFORMED" }),
    );
    expect(() => new FrameDecoder(2 ** 31).push(Uint8Array.of(255, 255, 255, 255))).toThrow(
      expect.objectContaining({ code: "FRAME_MALFORMED" }),
    );
  });

  it("copies what it gives", () => {
    const piece = encodeFrame(Uint8Array.of(1, 2, 3));
    const [payload] = new FrameDecoder(10).push(piece);
    piece.fill(9);
    expect(payload).toEqual(Uint8Array.of(1, 2, 3));
  });

  it("does not reserve what a header only promises", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 50 }, () => {
      const decoder = new FrameDecoder(2 ** 30);
      decoder.push(Uint8Array.of(0x3f, 0xff, 0xff, 0xff, 1));
      return decoder;
    });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024);
    expect(decoders.every((decoder) => !decoder.idle)).toBe(true);
  });
});
