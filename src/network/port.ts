import type { CID } from "multiformats/cid";
import type { Block } from "../dag/block.ts";

/** A peer is its 32-byte raw Ed25519 public key (RFC 8032). */
export type PeerKey = Uint8Array;

/** A gossip message as its subscribers get it. `from` signed it; whoever relayed it is not shown. */
export interface GossipMessage {
  readonly from: PeerKey;
  readonly data: Uint8Array;
}

/** Answers one request. What it throws as an `IpdmError` reaches the asker with its code; anything else as `REMOTE_FAILED`. */
export type RequestHandler = (from: PeerKey, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;

/** Gives the bytes of a block to a peer that asks for it, or undefined to refuse or for want of it. */
export type BlockProvider = (cid: CID) => Promise<Uint8Array | undefined>;

/** Bounds of one wait. A wait that its signal ends rejects with the signal's reason. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** Bounds of a wait for peers; with `topic` they must also be reachable by gossip on it. */
export interface PeerWaitOptions extends WaitOptions {
  readonly topic?: string | undefined;
}

/**
 * One node's face to the others: gossip for control, request/response for state, a bulk protocol for blocks.
 * Sizes and counts are bounded by `limits.ts`. After `close` every call and every pending wait fails with `NETWORK_CLOSED`.
 */
export interface Network extends AsyncDisposable {
  /** This node's own key. */
  readonly self: PeerKey;

  /**
   * Delivers every message that others publish on `topic` from now on, at most once each, in no promised order.
   * The callback must not throw; what it throws is logged and dropped. Returns what ends the subscription.
   */
  subscribe(topic: string, onMessage: (message: GossipMessage) => void): () => void;

  /**
   * Signs `data` and hands it to the gossip mesh; never delivered to this node itself. Best effort: resolves when the
   * message has left, not when it arrived. Fails with `GOSSIP_TOO_LARGE` over {@link GOSSIP_SIZE_MAX_BYTES},
   * `GOSSIP_QUEUE_FULL` (retry later) when too many wait already.
   */
  publish(topic: string, data: Uint8Array): Promise<void>;

  /** Answers requests of one protocol (`/name/version`). One handler a protocol: a second throws `PROTOCOL_TAKEN`. */
  handle(protocol: string, handler: RequestHandler): () => void;

  /**
   * Asks one peer and waits for its answer. Fails with `REQUEST_TOO_LARGE`, `RESPONSE_TOO_LARGE`, `PEER_UNREACHABLE`,
   * `PROTOCOL_UNSUPPORTED`, `REQUEST_TIMEOUT` (default {@link REQUEST_TIMEOUT_MS}), `FRAME_MALFORMED`, or the error of
   * the peer's handler with its code kept and `facts.remote: true`.
   */
  request(peer: PeerKey, protocol: string, request: Uint8Array, options?: WaitOptions): Promise<Uint8Array>;

  /**
   * Fetches blocks over a stream of their own, in the order asked, each checked against its CID before it is handed on.
   * The reader's pace is the sender's: at most {@link BLOCK_WINDOW_FRAMES} frames are under way. `timeoutMs` bounds the
   * silence between frames; the sender gives up on a reader that takes none for {@link BLOCK_TIMEOUT_MS}.
   * Fails with `BLOCK_MISMATCH` at the first wrong block, `PEER_UNREACHABLE`, `BLOCK_TIMEOUT`,
   * and, after all that the peer does give, with `BLOCK_UNAVAILABLE` naming those it does not.
   */
  fetchBlocks(peer: PeerKey, cids: readonly CID[], options?: WaitOptions): AsyncIterable<Block>;

  /** Serves blocks to peers: only what `get` gives. A later call replaces the earlier. */
  serveBlocks(get: BlockProvider): void;

  /** Peers connected now. */
  peers(): readonly PeerKey[];

  /** Resolves once at least `count` peers are connected. Fails with `PEERS_TIMEOUT` when `timeoutMs` is given and passes. */
  waitForPeers(count: number, options?: PeerWaitOptions): Promise<void>;

  /** Ends everything this node has under way. May be called again. */
  close(): Promise<void>;
}
