import { describe, expect, it } from "vitest";
import { gossipOptions, meshDegree } from "../../../src/network/gossip-options.ts";

describe("gossip options", () => {
  it("keeps the degrees in the order that gossipsub needs, and everyone in a small domain", () => {
    for (let nodes = 1; nodes <= 200; nodes++) {
      const { D, Dlo, Dhi, Dout, Dscore } = meshDegree(nodes);
      expect(Dlo).toBeGreaterThanOrEqual(1);
      expect(Dlo).toBeLessThanOrEqual(D);
      expect(D).toBeLessThanOrEqual(Dhi);
      expect(Dout).toBeLessThanOrEqual(Math.min(Dlo, D / 2));
      expect(Dscore).toBeLessThanOrEqual(Dhi);
      expect(D).toBeLessThanOrEqual(6);
    }
    expect([2, 3, 4].map((nodes) => meshDegree(nodes).D)).toEqual([1, 2, 3]);
  });

  it("tells every change of a message apart before its signature is checked", () => {
    const { fastMsgIdFn } = gossipOptions(3);
    const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
    const message = { from: bytes(1), seqno: bytes(2), topic: "t", data: bytes(3), signature: bytes(4), key: bytes(5) };
    const variants = [
      message,
      ...(["from", "seqno", "data", "signature", "key"] as const).map((part) => ({ ...message, [part]: bytes(9) })),
      { ...message, topic: "u" },
      { ...message, from: bytes(1, 2), seqno: bytes() },
      { ...message, data: bytes(3, 4), signature: bytes() },
    ];
    expect(new Set(variants.map((variant) => fastMsgIdFn?.(variant))).size).toBe(variants.length);
    expect(fastMsgIdFn?.({ ...message })).toBe(fastMsgIdFn?.(message));
  });
});
