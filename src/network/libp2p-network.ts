import type { CID } from "multiformats/cid";
import type { Hash, Log } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { BLOCKS_PROTOCOL } from "./block-protocol.ts";
import { wallTimers } from "./deadline.ts";
import { Exchange } from "./exchange.ts";
import { meshDegree } from "./gossip-options.ts";
import { Libp2pConnections } from "./libp2p-connections.ts";
import { keyOf, Libp2pGossip } from "./libp2p-gossip.ts";
import { type Libp2pNode, type Libp2pNodeOptions, startLibp2pNode, stopLibp2pNode } from "./libp2p-node.ts";
import { Libp2pByteStream } from "./libp2p-stream.ts";
import { STREAMS_PER_PROTOCOL_MAX } from "./limits.ts";
import { quietLog, sha256 } from "./node-defaults.ts";
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

/** How to join a network over libp2p. */
export interface Libp2pNetworkOptions extends Omit<Libp2pNodeOptions, "domainNodes"> {
  /** Multiaddrs of nodes to stay connected to; those not up yet are tried again until they are. */
  readonly bootstrap?: readonly string[] | undefined;
  /** Nodes expected in the domain, 8 unless told; sets how many peers gossip is relayed to. */
  readonly domainNodes?: number | undefined;
  /** Closes the network when it aborts. */
  readonly signal?: AbortSignal | undefined;
  readonly hash?: Hash | undefined;
  readonly log?: Log | undefined;
}

/** A {@link Network} over libp2p. */
export interface Libp2pNetwork extends Network {
  /** Multiaddrs that others can reach this node at, with its peer id. */
  readonly addresses: readonly string[];
  /** The libp2p node itself, for what else runs over it, such as bitswap. Stopping it is this network's business. */
  readonly libp2p: Libp2pNode;
}

const DOMAIN_NODES = 8;
const STREAM_LIMITS = { maxInboundStreams: 2 * STREAMS_PER_PROTOCOL_MAX, maxOutboundStreams: STREAMS_PER_PROTOCOL_MAX };

/**
 * Starts a node and begins to connect to the bootstrap addresses; `waitForPeers` says when it has. Loading this module
 * costs a good part of a second: import it only where a network is wanted. Throws `KEY_INVALID`, `NETWORK_INSECURE`.
 */
export async function createLibp2pNetwork(options: Libp2pNetworkOptions): Promise<Libp2pNetwork> {
  options.signal?.throwIfAborted();
  const domainNodes = options.domainNodes ?? DOMAIN_NODES;
  const node = await startLibp2pNode({ ...options, domainNodes });
  const network = new Libp2pNodeNetwork(node, domainNodes, options);
  try {
    await network.begin(options.bootstrap ?? []);
  } catch (error) {
    await network.close();
    throw error;
  }
  return network;
}

class Libp2pNodeNetwork implements Libp2pNetwork {
  readonly self: PeerKey;
  readonly libp2p: Libp2pNode;
  readonly #exchange: Exchange;
  readonly #connections: Libp2pConnections;
  readonly #gossip: Libp2pGossip;
  readonly #subscriptions: Subscriptions;
  readonly #wait: PeerWait;
  readonly #log: Log;
  readonly #background = new Set<Promise<void>>();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => void this.close();
  #closed: Promise<void> | undefined;

  constructor(node: Libp2pNode, domainNodes: number, { hash = sha256, log = quietLog, signal }: Libp2pNetworkOptions) {
    const self = keyOf(node.peerId);
    if (self === undefined) throw new TypeError("a node's key is Ed25519");
    this.self = self;
    this.libp2p = node;
    this.#log = log;
    this.#signal = signal;
    this.#exchange = new Exchange({
      open: (peer, protocol, opening) => this.#connections.open(peer, protocol, protocol === BLOCKS_PROTOCOL, opening),
      timers: wallTimers,
      hash,
      log,
    });
    const { closing } = this.#exchange;
    this.#connections = new Libp2pConnections(node, closing, log);
    this.#subscriptions = new Subscriptions(log);
    this.#wait = new PeerWait(wallTimers, closing);
    const { pubsub } = node.services;
    this.#gossip = new Libp2pGossip({
      pubsub,
      self,
      subscriptions: this.#subscriptions,
      degree: meshDegree(domainNodes),
      closing,
    });
    const changed = (): void => this.#wait.changed();
    // Gossipsub says nothing when a stream to a peer opens; its heartbeat comes soon after.
    for (const event of ["subscription-change", "gossipsub:graft", "gossipsub:heartbeat"] as const)
      pubsub.addEventListener(event, changed);
    for (const event of ["peer:connect", "peer:disconnect"] as const) node.addEventListener(event, changed);
  }

  get addresses(): readonly string[] {
    return this.libp2p.getMultiaddrs().map((address) => address.toString());
  }

  async begin(bootstrap: readonly string[]): Promise<void> {
    await this.#answerStreams(BLOCKS_PROTOCOL);
    for (const address of bootstrap) this.#track(this.#connections.keep(address));
    this.#signal?.addEventListener("abort", this.#onAbort);
    if (this.#signal?.aborted === true) throw this.#signal.reason;
  }

  subscribe(topic: string, onMessage: (message: GossipMessage) => void): () => void {
    return this.#gossip.subscribe(topic, onMessage);
  }

  publish(topic: string, data: Uint8Array): Promise<void> {
    return this.#gossip.publish(topic, data);
  }

  handle(protocol: string, handler: RequestHandler): () => void {
    const end = this.#exchange.handle(protocol, handler);
    this.#track(this.#answerStreams(protocol));
    return () => {
      end();
      if (!this.#exchange.answers(protocol) && !this.#exchange.closing.aborted)
        this.#track(this.libp2p.unhandle(protocol));
    };
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
    return this.libp2p.getPeers().flatMap((peer) => keyOf(peer) ?? []);
  }

  waitForPeers(count: number, options: PeerWaitOptions = {}): Promise<void> {
    const { topic } = options;
    const present = (): number =>
      Math.min(this.peers().length, topic === undefined ? Number.POSITIVE_INFINITY : this.#gossip.reachable(topic));
    return this.#wait.until(() => present() >= count, `waiting for ${count} peers`, options);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#exchange.close();
    this.#subscriptions.clear();
    await Promise.allSettled(this.#background);
    await stopLibp2pNode(this.libp2p);
  }

  async #answerStreams(protocol: string): Promise<void> {
    await this.libp2p.handle(
      protocol,
      (stream, connection) => {
        const from = keyOf(connection.remotePeer);
        if (from === undefined) return stream.abort(new Error("the peer's key is not Ed25519"));
        this.#track(this.#exchange.accept(protocol, from, new Libp2pByteStream(stream)));
      },
      { ...STREAM_LIMITS, force: true },
    );
  }

  // Work that nobody awaits still belongs to this network: close waits for it, and what fails is said.
  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#log.warn("network work failed", { error: String(error) }))
      .finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }
}
