import type { GossipSub } from "@chainsafe/libp2p-gossipsub";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import { meshDegree } from "../../../src/network/gossip-options.ts";
import { Libp2pGossip } from "../../../src/network/libp2p-gossip.ts";
import { Subscriptions } from "../../../src/network/subscriptions.ts";
import { quietLog, sha256, signerOf } from "../../../src/node.ts";

const open = new AbortController().signal;
const { publicKey } = signerOf(sha256(utf8("peer")));

describe("gossip over libp2p", () => {
  it("says GOSSIP_FAILED of a message that did not go out, and sends the next", async () => {
    const published: string[] = [];
    const pubsub = {
      addEventListener: () => {},
      mesh: new Map(),
      streamsOutbound: new Map(),
      publish: async (_topic: string, data: Uint8Array) => {
        published.push(new TextDecoder().decode(data));
        if (published.length === 1) throw new Error("no peer took it");
      },
    } as unknown as GossipSub;
    const gossip = new Libp2pGossip({
      pubsub,
      self: publicKey,
      subscriptions: new Subscriptions(quietLog),
      degree: meshDegree(2),
      closing: open,
    });
    const [first, second] = [gossip.publish("t", utf8("a")), gossip.publish("t", utf8("b"))];
    await expect(first).rejects.toMatchObject({
      code: "GOSSIP_FAILED",
      kind: "unreachable",
      retry: "later",
      message: expect.stringContaining("no peer took it"),
    });
    await second;
    expect(published).toEqual(["a", "b"]);
  });
});
