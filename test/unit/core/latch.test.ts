import { describe, expect, it } from "vitest";
import { Latch } from "../../../src/core/latch.ts";

const { signal } = new AbortController();

describe("a latch", () => {
  it("gives its value to those who wait and those who come later", async () => {
    const latch = new Latch<number>();
    const waiting = Promise.all([latch.wait(signal), latch.wait(signal)]);
    expect(latch.value).toBeUndefined();
    latch.set(7);
    expect(await waiting).toEqual([7, 7]);
    expect(await latch.wait(signal)).toBe(7);
    expect(latch.value).toBe(7);
  });

  it("keeps the first value", async () => {
    const latch = new Latch<string>();
    latch.set("first");
    latch.set("second");
    expect(await latch.wait(signal)).toBe("first");
  });

  it("takes undefined for a value once it is set", async () => {
    const latch = new Latch<undefined>();
    const waiting = latch.wait(signal);
    latch.set(undefined);
    expect(await waiting).toBeUndefined();
    expect(await latch.wait(AbortSignal.abort())).toBeUndefined();
  });

  it("rejects with the signal's reason, and others go on waiting", async () => {
    const latch = new Latch<number>();
    const stop = new AbortController();
    const stopped = latch.wait(stop.signal);
    const other = latch.wait(signal);
    stop.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    await expect(latch.wait(stop.signal)).rejects.toThrow("enough");
    latch.set(1);
    expect(await other).toBe(1);
  });

  it("takes its listener off a signal that outlives the wait", async () => {
    const latch = new Latch<number>();
    const listeners = new Set<() => void>();
    const counted = {
      aborted: false,
      reason: undefined,
      addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
    };
    const waiting = latch.wait(counted);
    expect(listeners.size).toBe(1);
    latch.set(1);
    await waiting;
    expect(listeners.size).toBe(0);
  });
});
