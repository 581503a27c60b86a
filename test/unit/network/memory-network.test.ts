import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../../src/core/bytes.ts";
import { MemoryHub, type MemoryHubOptions } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";

const keyOf = (index: number): Uint8Array => createHash("sha256").update(String(index)).digest();

/** Five nodes gossip and answer each other under manual control; returns everything that happened, in order. */
async function history(options: MemoryHubOptions): Promise<string[]> {
  const hub = new MemoryHub({ mode: "manual", ...options });
  const nodes = Array.from({ length: 5 }, (_, index) => hub.join(keyOf(index)));
  const events: string[] = [];
  for (const [index, node] of nodes.entries()) {
    node.subscribe("t", ({ from, data }) => {
      events.push(`${hub.nowMs} ${index} got ${new TextDecoder().decode(data)}`);
      if (data[0] === 0x6d && index === 0)
        void node.request(from, "/echo/1", data, { timeoutMs: 5_000 }).then(() => events.push(`${hub.nowMs} answered`));
    });
    node.handle("/echo/1", async (_, request) => request);
  }
  for (let round = 0; round < 10; round++) {
    for (const [index, node] of nodes.entries()) await node.publish("t", utf8(`m${round}.${index}`));
    await hub.flush();
  }
  for (const node of nodes) await node.close();
  return events;
}

describe("memory hub", () => {
  it("does nothing before it is told, then one delivery a step", async () => {
    const hub = new MemoryHub({ mode: "manual" });
    const [a, b, c] = [0, 1, 2].map((index) => hub.join(keyOf(index))) as [Network, Network, Network];
    const got: string[] = [];
    b.subscribe("t", () => got.push("b"));
    c.subscribe("t", () => got.push("c"));
    await a.publish("t", utf8("x"));
    expect(got).toEqual([]);
    expect(await hub.step()).toBe(true);
    expect(got).toEqual(["b"]);
    expect(await hub.step()).toBe(true);
    expect(got).toEqual(["b", "c"]);
    expect(await hub.step()).toBe(false);
  });

  it("repeats itself for the same seed and differs for another", async () => {
    const faults = { drop: 0.2, duplicate: 0.2, delayMsMax: 50 };
    const first = await history({ ...faults, seed: 7 });
    expect(await history({ ...faults, seed: 7 })).toEqual(first);
    expect(await history({ ...faults, seed: 8 })).not.toEqual(first);
    expect(first.length).toBeGreaterThan(100);
  });

  it("drops, doubles and delays about as often as asked", async () => {
    const gossip = async (options: MemoryHubOptions): Promise<number> =>
      (await history({ seed: 3, ...options })).filter((event) => event.includes("got")).length;
    const all = 10 * 5 * 4;
    expect(await gossip({})).toBe(all);
    expect(await gossip({ drop: 1 })).toBe(0);
    expect(await gossip({ duplicate: 1 })).toBe(2 * all);
    const half = await gossip({ drop: 0.5 });
    expect(half).toBeGreaterThan(all * 0.35);
    expect(half).toBeLessThan(all * 0.65);
  });

  it("splits and heals: gossip is lost, streams break, peers come and go", async () => {
    const hub = new MemoryHub({ mode: "manual" });
    const [a, b, c] = [0, 1, 2].map((index) => hub.join(keyOf(index))) as [Network, Network, Network];
    const got: string[] = [];
    c.subscribe("t", ({ data }) => got.push(new TextDecoder().decode(data)));
    c.handle("/never/1", () => new Promise(() => undefined));
    const hanging = expect(a.request(c.self, "/never/1", new Uint8Array(1))).rejects.toMatchObject({
      code: "PEER_UNREACHABLE",
    });
    await hub.flush();
    hub.partition([a.self, b.self], [c.self]);
    await hanging;
    expect(a.peers().map(toHex)).toEqual([toHex(b.self)]);
    await a.publish("t", utf8("lost"));
    await hub.flush();
    const refused = expect(a.request(c.self, "/never/1", new Uint8Array(1))).rejects.toMatchObject({
      code: "PEER_UNREACHABLE",
    });
    await hub.flush();
    await refused;
    const healed = a.waitForPeers(2);
    hub.heal();
    await healed;
    await a.publish("t", utf8("found"));
    await hub.flush();
    expect(got).toEqual(["found"]);
  });

  it("keeps time-outs in virtual time", async () => {
    const hub = new MemoryHub({ mode: "manual" });
    const [a, b] = [0, 1].map((index) => hub.join(keyOf(index))) as [Network, Network];
    b.handle("/never/1", () => new Promise(() => undefined));
    let outcome = "waiting";
    const asked = a
      .request(b.self, "/never/1", new Uint8Array(1), { timeoutMs: 60_000 })
      .catch((error: { code: string }) => {
        outcome = error.code;
      });
    await hub.flush();
    await hub.advance(59_000);
    expect(outcome).toBe("waiting");
    await hub.advance(2_000);
    await asked;
    expect(outcome).toBe("REQUEST_TIMEOUT");
  });

  it("takes a key once, of the right size, and again after it left", async () => {
    const hub = new MemoryHub();
    const first = hub.join(keyOf(1));
    expect(() => hub.join(keyOf(1))).toThrow(expect.objectContaining({ code: "PEER_DUPLICATE" }));
    expect(() => hub.join(new Uint8Array(31))).toThrow(expect.objectContaining({ code: "KEY_INVALID" }));
    await first.close();
    await using again = hub.join(keyOf(1));
    expect(again.peers()).toEqual([]);
  });
});
