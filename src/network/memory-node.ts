import type { CID } from "multiformats/cid";
import type { Hash, Log } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import type { ByteStream } from "./byte-stream.ts";
import { gossipQueueFull, tooLarge } from "./errors.ts";
import { checkName, Exchange } from "./exchange.ts";
import { GOSSIP_QUEUE_MAX, GOSSIP_SIZE_MAX_BYTES } from "./limits.ts";
import type { MemoryScheduler } from "./memory-scheduler.ts";
import { PeerWait } from "./peer-wait.ts";
import type {
  BlockProvider,
  GossipMessage,
  Network,
  PeerKey,
  PeerWaitOptions,
  RequestHandler,
  WaitOptions,
} from "./port.ts";
import { Subscriptions } from "./subscriptions.ts";

/** What a hub gives to the nodes on it. */
export interface HubPorts {
  readonly scheduler: MemoryScheduler;
  readonly hash: Hash;
  readonly log: Log;
  others(): readonly MemoryNode[];
  draw(sender: PeerKey, receiver: PeerKey): readonly number[];
  open(to: PeerKey, protocol: string): Promise<ByteStream>;
  leave(): void;
}

/** One node of a memory hub; made by the hub. */
export class MemoryNode implements Network {
  readonly self: PeerKey;
  readonly #hub: HubPorts;
  readonly #exchange: Exchange;
  readonly #subscriptions: Subscriptions;
  readonly #wait: PeerWait;
  #publishing = 0;

  constructor(self: PeerKey, hub: HubPorts) {
    this.self = new Uint8Array(self);
    this.#hub = hub;
    const { timers } = hub.scheduler;
    this.#exchange = new Exchange({
      open: (peer, protocol) => hub.open(peer, protocol),
      timers,
      hash: hub.hash,
      log: hub.log,
    });
    this.#subscriptions = new Subscriptions(hub.log);
    this.#wait = new PeerWait(timers, this.#exchange.closing);
  }

  subscribe(topic: string, onMessage: (message: GossipMessage) => void): () => void {
    this.#exchange.closing.throwIfAborted();
    checkName("topic", topic);
    const end = this.#subscriptions.add(topic, onMessage);
    for (const other of this.#hub.others()) other.peersChanged();
    return () => void end();
  }

  async publish(topic: string, data: Uint8Array): Promise<void> {
    this.#exchange.closing.throwIfAborted();
    checkName("topic", topic);
    if (data.length > GOSSIP_SIZE_MAX_BYTES) throw tooLarge("GOSSIP_TOO_LARGE", data.length, GOSSIP_SIZE_MAX_BYTES);
    if (this.#publishing >= GOSSIP_QUEUE_MAX) throw gossipQueueFull();
    const message = new Uint8Array(data);
    const deliveries: Promise<void>[] = [];
    for (const other of this.#hub.others()) {
      for (const dueMs of this.#hub.draw(this.self, other.self)) {
        const delivered = Promise.withResolvers<void>();
        deliveries.push(delivered.promise);
        this.#hub.scheduler.deliver(dueMs, () => {
          other.deliver(topic, { from: this.self, data: message.slice() });
          delivered.resolve();
        });
      }
    }
    this.#publishing += 1;
    const all = Promise.all(deliveries).then(() => {
      this.#publishing -= 1;
    });
    // Under manual control the caller itself makes deliveries happen, so it cannot wait for them here.
    if (this.#hub.scheduler.mode === "auto") await all;
  }

  handle(protocol: string, handler: RequestHandler): () => void {
    return this.#exchange.handle(protocol, handler);
  }

  request(peer: PeerKey, protocol: string, request: Uint8Array, options?: WaitOptions): Promise<Uint8Array> {
    return this.#exchange.request(peer, protocol, request, options);
  }

  fetchBlocks(peer: PeerKey, cids: readonly CID[], options?: WaitOptions): AsyncIterable<Block> {
    return this.#exchange.fetchBlocks(peer, cids, options);
  }

  serveBlocks(get: BlockProvider): void {
    this.#exchange.serveBlocks(get);
  }

  peers(): readonly PeerKey[] {
    return this.#exchange.closing.aborted ? [] : this.#hub.others().map((other) => other.self);
  }

  waitForPeers(count: number, options: PeerWaitOptions = {}): Promise<void> {
    const { topic } = options;
    const holds = (): boolean =>
      this.#hub.others().filter((other) => topic === undefined || other.listensTo(topic)).length >= count;
    return this.#wait.until(holds, `waiting for ${count} peers`, options);
  }

  async close(): Promise<void> {
    if (this.#exchange.closing.aborted) return;
    this.#exchange.close();
    this.#subscriptions.clear();
    this.#hub.leave();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // What the hub and the other nodes on it call.

  listensTo(topic: string): boolean {
    return this.#subscriptions.has(topic);
  }

  deliver(topic: string, message: GossipMessage): void {
    this.#subscriptions.deliver(topic, message);
  }

  answers(protocol: string): boolean {
    return this.#exchange.answers(protocol);
  }

  accept(protocol: string, from: PeerKey, stream: ByteStream): Promise<void> {
    return this.#exchange.accept(protocol, from, stream);
  }

  peersChanged(): void {
    this.#wait.changed();
  }
}
