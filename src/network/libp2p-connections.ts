import { setImmediate } from "node:timers/promises";
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import type { Connection, PeerId } from "@libp2p/interface";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { multiaddr } from "@multiformats/multiaddr";
import { toHex } from "../core/bytes.ts";
import { IpdmError, type Retry } from "../core/errors.ts";
import type { Log } from "../core/ports.ts";
import { abortable, wallTimers } from "./deadline.ts";
import { peerUnreachable, protocolUnsupported } from "./errors.ts";
import type { Libp2pNode } from "./libp2p-node.ts";
import { Libp2pByteStream } from "./libp2p-stream.ts";
import { STREAMS_PER_PROTOCOL_MAX } from "./limits.ts";
import type { PeerKey } from "./port.ts";

const BULK_DIALS_MAX = 3;
const RETRY_FIRST_MS = 250;
const RETRY_LAST_MS = 30_000;

/** The connections of one node: control and bulk apart, so that a large transfer does not delay votes. */
export class Libp2pConnections {
  readonly #node: Libp2pNode;
  readonly #log: Log;
  readonly #closing: AbortSignal;
  readonly #bulk = new Map<string, Promise<Connection>>();
  readonly #bulkIds = new Set<string>();

  constructor(node: Libp2pNode, closing: AbortSignal, log: Log) {
    this.#node = node;
    this.#closing = closing;
    this.#log = log;
  }

  /** Opens a stream; `bulk` ones go over a second connection to the peer when one can be made. */
  async open(peer: PeerKey, protocol: string, bulk: boolean, signal: AbortSignal): Promise<Libp2pByteStream> {
    try {
      const id = peerIdFromPublicKey(publicKeyFromRaw(peer));
      const connection = bulk
        ? await this.#bulkConnection(id, peer, signal)
        : await this.#controlConnection(id, signal);
      return new Libp2pByteStream(
        await connection.newStream(protocol, { signal, maxOutboundStreams: STREAMS_PER_PROTOCOL_MAX }),
      );
    } catch (error) {
      signal.throwIfAborted();
      throw openError(error, peer, protocol);
    }
  }

  /** Stays connected to an address until the network closes: dials, and dials again after a failure or a lost connection. */
  async keep(address: string): Promise<void> {
    let delayMs = RETRY_FIRST_MS;
    const target = multiaddr(address);
    while (!this.#closing.aborted) {
      try {
        const connection = await this.#node.dial(target, { signal: this.#closing });
        delayMs = RETRY_FIRST_MS;
        await abortable(lost(this.#node, connection.remotePeer), this.#closing);
      } catch (error) {
        if (this.#closing.aborted) return;
        this.#log.debug("a bootstrap address does not answer", { address, reason: String((error as Error).message) });
      }
      const waited = Promise.withResolvers<void>();
      const cancel = wallTimers.after(delayMs, waited.resolve);
      await abortable(waited.promise, this.#closing).catch(() => undefined);
      cancel();
      delayMs = Math.min(2 * delayMs, RETRY_LAST_MS);
    }
  }

  async #controlConnection(id: PeerId, signal: AbortSignal): Promise<Connection> {
    const known = this.#node.getConnections(id).find((one) => one.status === "open" && !this.#bulkIds.has(one.id));
    return known ?? (await this.#node.dial(id, { signal }));
  }

  async #bulkConnection(id: PeerId, peer: PeerKey, signal: AbortSignal): Promise<Connection> {
    const name = toHex(peer);
    let dialling = this.#bulk.get(name);
    if (dialling === undefined) {
      dialling = this.#dialBulk(id, name);
      this.#bulk.set(name, dialling);
      dialling.catch(() => this.#bulk.delete(name));
    }
    try {
      return await abortable(dialling, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#log.debug("no second connection to a peer", { peer: name, reason: String((error as Error).message) });
      // A peer behind a firewall cannot be dialled back: the connection it made has to do.
      return this.#controlConnection(id, signal);
    }
  }

  // Not bound to the asker's signal: others may wait for the same connection.
  async #dialBulk(id: PeerId, name: string): Promise<Connection> {
    const first = await this.#controlConnection(id, this.#closing);
    // Where we dialled, the address is known to work; else it is what the peer says of itself, which may not be known yet.
    const target = first.direction === "outbound" ? first.remoteAddr : id;
    let connection = first;
    for (let attempt = 0; connection.id === first.id; attempt++) {
      if (attempt === BULK_DIALS_MAX) throw new Error("every dial gave the first connection again");
      // A dial joins one that is still in the queue for the same peer, forced or not, and the first may just be leaving it.
      await setImmediate();
      connection = await this.#node.dial(target, { force: true, signal: this.#closing });
    }
    this.#bulkIds.add(connection.id);
    connection.addEventListener("close", () => {
      this.#bulkIds.delete(connection.id);
      this.#bulk.delete(name);
    });
    if (connection.status !== "open") this.#bulk.delete(name);
    return connection;
  }
}

function lost(node: Libp2pNode, peer: PeerId): Promise<void> {
  return new Promise((resolve) => {
    const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => {
      if (!detail.equals(peer)) return;
      node.removeEventListener("peer:disconnect", onDisconnect);
      resolve();
    };
    node.addEventListener("peer:disconnect", onDisconnect);
    if (node.getConnections(peer).length === 0) {
      node.removeEventListener("peer:disconnect", onDisconnect);
      resolve();
    }
  });
}

function openError(error: unknown, peer: PeerKey, protocol: string): Error {
  if (error instanceof IpdmError) return error;
  const { name, message } = error as Error;
  if (name === "UnsupportedProtocolError") return protocolUnsupported(protocol, error);
  if (name === "TooManyOutboundProtocolStreamsError") {
    const retry: Retry = "later";
    return new IpdmError("PEER_BUSY", `more than ${STREAMS_PER_PROTOCOL_MAX} streams of ${protocol} to one peer`, {
      retry,
      where: protocol,
      cause: error,
    });
  }
  return peerUnreachable(peer, message, error);
}
