import type { GossipSub } from "@chainsafe/libp2p-gossipsub";
import type { PeerId, Stream } from "@libp2p/interface";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import { abortable } from "./deadline.ts";
import { gossipQueueFull, tooLarge } from "./errors.ts";
import { checkName } from "./exchange.ts";
import type { MeshDegree } from "./gossip-options.ts";
import { whenDrained } from "./libp2p-stream.ts";
import { GOSSIP_BACKLOG_BYTES, GOSSIP_BACKLOG_WAIT_MS, GOSSIP_QUEUE_MAX, GOSSIP_SIZE_MAX_BYTES } from "./limits.ts";
import type { GossipMessage, PeerKey } from "./port.ts";
import type { Subscriptions } from "./subscriptions.ts";

// Members that gossipsub has and its exported type leaves out.
interface GossipInternals {
  readonly mesh: ReadonlyMap<string, ReadonlySet<string>>;
  readonly streamsOutbound: ReadonlyMap<string, { readonly rawStream: Stream }>;
}

/** What gossip is built from. */
export interface GossipPorts {
  readonly pubsub: GossipSub;
  readonly self: PeerKey;
  readonly subscriptions: Subscriptions;
  readonly degree: MeshDegree;
  readonly closing: AbortSignal;
}

/** Signed gossip over gossipsub, sent one message at a time at the pace of the peers. */
export class Libp2pGossip {
  readonly #ports: GossipPorts;
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  constructor(ports: GossipPorts) {
    this.#ports = ports;
    ports.pubsub.addEventListener("message", ({ detail }) => {
      if (detail.type !== "signed") return;
      const from = keyOf(detail.from);
      if (from === undefined || equalBytes(from, ports.self)) return;
      ports.subscriptions.deliver(detail.topic, { from, data: new Uint8Array(detail.data) });
    });
  }

  subscribe(topic: string, onMessage: (message: GossipMessage) => void): () => void {
    const { closing, pubsub, subscriptions } = this.#ports;
    closing.throwIfAborted();
    checkName("topic", topic);
    const end = subscriptions.add(topic, onMessage);
    pubsub.subscribe(topic);
    return () => {
      if (end() && !closing.aborted) pubsub.unsubscribe(topic);
    };
  }

  /**
   * Peers that a message on the topic would reach now. A subscriber counts once there is a stream to it, and, where this
   * node subscribes too, once its own mesh has the links it wants: before that, messages of the first moments are lost.
   */
  reachable(topic: string): number {
    const { pubsub, subscriptions, degree } = this.#ports;
    const { mesh, streamsOutbound } = pubsub as unknown as GossipInternals;
    const subscribers = pubsub.getSubscribers(topic).filter((peer) => streamsOutbound.has(peer.toString())).length;
    if (!subscriptions.has(topic)) return subscribers;
    const links = [...(mesh.get(topic) ?? [])].filter((peer) => streamsOutbound.has(peer)).length;
    return links >= Math.min(subscribers, degree.Dlo) ? subscribers : links;
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    const { closing } = this.#ports;
    closing.throwIfAborted();
    checkName("topic", topic);
    if (data.length > GOSSIP_SIZE_MAX_BYTES) throw tooLarge("GOSSIP_TOO_LARGE", data.length, GOSSIP_SIZE_MAX_BYTES);
    if (this.#waiting >= GOSSIP_QUEUE_MAX) throw gossipQueueFull();
    this.#waiting += 1;
    const sent = this.#last.then(() => this.#send(topic, data));
    this.#last = sent.then(
      () => undefined,
      () => undefined,
    );
    try {
      await abortable(sent, closing);
    } finally {
      this.#waiting -= 1;
    }
  }

  async #send(topic: string, data: Uint8Array): Promise<void> {
    const { closing, pubsub } = this.#ports;
    closing.throwIfAborted();
    await this.#backlogDrained(topic);
    try {
      await pubsub.publish(topic, data);
    } catch (cause) {
      closing.throwIfAborted();
      throw new IpdmError("GOSSIP_FAILED", `a message could not be published: ${String((cause as Error).message)}`, {
        kind: "unreachable",
        retry: "later",
        cause,
      });
    }
  }

  // Gossipsub hands messages to its streams without asking whether they keep up, so the asking is done here.
  async #backlogDrained(topic: string): Promise<void> {
    const { mesh, streamsOutbound } = this.#ports.pubsub as unknown as GossipInternals;
    for (const peer of mesh.get(topic) ?? []) {
      const stream = streamsOutbound.get(peer)?.rawStream;
      if (stream !== undefined && stream.writeBufferLength > GOSSIP_BACKLOG_BYTES)
        await drained(stream, this.#ports.closing);
    }
  }
}

/** The raw Ed25519 key of a peer id; undefined for other kinds of key. */
export function keyOf(peer: PeerId): PeerKey | undefined {
  return peer.type === "Ed25519" ? peer.publicKey.raw : undefined;
}

// Until the stream drains or closes, but no longer than one slow peer may hold up the others.
async function drained(stream: Stream, closing: AbortSignal): Promise<void> {
  try {
    await whenDrained(stream, AbortSignal.any([closing, AbortSignal.timeout(GOSSIP_BACKLOG_WAIT_MS)]));
  } catch {
    closing.throwIfAborted();
  }
}
