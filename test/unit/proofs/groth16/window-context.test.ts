import { describe, expect, it } from "vitest";
import { contextOf, type WindowContext } from "../../../../proofs/groth16/window-context.ts";

const context: WindowContext = {
  statement: Uint8Array.of(1, 2, 3),
  domain: "aviation",
  epoch: 1,
  task: "daily",
  column: "delay",
  key: Uint8Array.of(4),
  windowStart: -86_400_000_000,
  windowEnd: 0,
  chunk: 0,
  chunks: 2,
};

describe("contextOf", () => {
  it("is fixed for all time, and below 2^253", () => {
    expect(contextOf(context)).toBe(VECTOR);
    expect(contextOf(context)).toBeLessThan(2n ** 253n);
  });

  it("is another for every change", () => {
    const others: readonly Partial<WindowContext>[] = [
      { statement: Uint8Array.of(1, 2) },
      { domain: "aviatiom" },
      { epoch: 2 },
      { task: "hourly" },
      { column: "distance" },
      { key: Uint8Array.of() },
      { windowStart: 0 },
      { windowEnd: 1 },
      { chunk: 1 },
      { chunks: 3 },
    ];
    const seen = new Set(others.map((other) => contextOf({ ...context, ...other })));
    expect(seen.add(contextOf(context)).size).toBe(others.length + 1);
  });

  it("does not depend on how an integer is held", () => {
    expect(contextOf({ ...context, windowStart: -86_400_000_000n, windowEnd: 0n, epoch: 1n })).toBe(contextOf(context));
  });

  it("refuses numbers that are not exact integers and chunks that are not there", () => {
    for (const wrong of [
      { windowStart: 0.5 },
      { windowEnd: 2 ** 60 },
      { epoch: Number.NaN },
      { chunk: 2 },
      { chunk: -1 },
    ]) {
      expect(() => contextOf({ ...context, ...wrong })).toThrow(expect.objectContaining({ code: "INVARIANT" }));
    }
  });
});

const VECTOR = 6321947994652745367681811683507912009584813054152444846893781752051884590295n;
