import type { GossipSub } from "@chainsafe/libp2p-gossipsub";
import { TooManyOutboundProtocolStreamsError } from "@libp2p/interface";
import { describe, expect, it } from "vitest";
import { utf8 } from "../../../src/core/bytes.ts";
import { meshDegree } from "../../../src/network/gossip-options.ts";
import { Libp2pConnections } from "../../../src/network/libp2p-connections.ts";
import { Libp2pGossip } from "../../../src/network/libp2p-gossip.ts";
import type { Libp2pNode } from "../../../src/network/libp2p-node.ts";
import { Subscriptions } from "../../../src/network/subscriptions.ts";
import { quietLog, sha256, signerOf } from "../../../src/node.ts";

const open = new AbortController().signal;
const { publicKey } = signerOf(sha256(utf8("peer")));

describe("what libp2p refuses", () => {
  it("is PEER_BUSY where a peer has as many streams of a protocol as it may, and can be tried later", async () => {
    const asked: unknown[] = [];
    const connection = {
      id: "1",
      status: "open",
      newStream: async (protocol: string, options: object) => {
        asked.push({ protocol, ...options });
        throw new TooManyOutboundProtocolStreamsError("too many");
      },
    };
    const node = { getConnections: () => [connection] } as unknown as Libp2pNode;
    const connections = new Libp2pConnections(node, open, quietLog);
    await expect(connections.open(publicKey, "/echo/1", false, open)).rejects.toMatchObject({
      code: "PEER_BUSY",
      retry: "later",
      where: "/echo/1",
      cause: { message: "too many" },
    });
    expect(asked).toMatchObject([{ protocol: "/echo/1", maxOutboundStreams: 128 }]);
  });

  it("is GOSSIP_FAILED where a message does not go out, and does not hold up the next", async () => {
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
