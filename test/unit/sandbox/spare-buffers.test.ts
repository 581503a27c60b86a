import { describe, expect, it } from "vitest";
import { IN_FLIGHT_BYTES_MAX } from "../../../src/sandbox/limits.ts";
import { SpareBuffers } from "../../../src/sandbox/spare-buffers.ts";

describe("spare buffers", () => {
  it("are used again where they are large enough", () => {
    const spare = new SpareBuffers();
    const first = spare.take(300_000);
    expect(first.byteLength).toBe(512 * 1024);
    spare.give(first);
    const larger = spare.take(600_000);
    expect(larger).not.toBe(first);
    expect(spare.take(500_000)).toBe(first);
    expect(spare.take(500_000)).not.toBe(first);
  });

  it("hold no more than a lane has under way", () => {
    const spare = new SpareBuffers();
    const given = Array.from({ length: 20 }, () => new SharedArrayBuffer(1024 * 1024));
    for (const buffer of given) spare.give(buffer);
    const kept = Array.from({ length: 20 }, () => spare.take(1024 * 1024)).filter((buffer) => given.includes(buffer));
    expect(kept).toHaveLength(IN_FLIGHT_BYTES_MAX / (1024 * 1024));
    expect(kept[0]).toBe(given[12]);
  });
});
