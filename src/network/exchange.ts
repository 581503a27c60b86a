import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash, Log } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { BLOCKS_PROTOCOL, READING_LIMITS, readBlocks, SERVING_LIMITS, writeBlocks } from "./block-protocol.ts";
import type { ByteStream } from "./byte-stream.ts";
import { abortable, startDeadline, type Timers } from "./deadline.ts";
import { networkClosed, peerUnreachable, protocolUnsupported, timedOut, tooLarge } from "./errors.ts";
import { type ChannelLimits, FrameChannel } from "./frame-channel.ts";
import { BLOCK_TIMEOUT_MS, NAME_LENGTH_MAX, REQUEST_SIZE_MAX_BYTES, REQUEST_TIMEOUT_MS } from "./limits.ts";
import type { BlockProvider, PeerKey, RequestHandler, WaitOptions } from "./port.ts";
import { ANSWERING_LIMITS, ASKING_LIMITS, answer, ask } from "./request-protocol.ts";

/** What an adapter gives to the protocols that run over its streams. */
export interface ExchangePorts {
  /** Opens a stream to a peer, or fails with what says why not. */
  open(peer: PeerKey, protocol: string, signal: AbortSignal): Promise<ByteStream>;
  readonly timers: Timers;
  readonly hash: Hash;
  readonly log: Log;
}

/** Requests and blocks over an adapter's streams: the same code whatever carries the bytes. */
export class Exchange {
  readonly #ports: ExchangePorts;
  readonly #handlers = new Map<string, RequestHandler>();
  readonly #closing = new AbortController();
  #provider: BlockProvider | undefined;

  constructor(ports: ExchangePorts) {
    this.#ports = ports;
  }

  /** Aborts when the network closes, with `NETWORK_CLOSED` as its reason. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends every request, answer and block stream. */
  close(): void {
    if (!this.closing.aborted) this.#closing.abort(networkClosed());
  }

  /** Protocols answered now. */
  answers(protocol: string): boolean {
    return protocol === BLOCKS_PROTOCOL || this.#handlers.has(protocol);
  }

  handle(protocol: string, handler: RequestHandler): () => void {
    this.closing.throwIfAborted();
    checkName("protocol", protocol);
    if (this.answers(protocol))
      throw new IpdmError("PROTOCOL_TAKEN", `${protocol} has a handler already`, { where: protocol });
    this.#handlers.set(protocol, handler);
    return () => {
      if (this.#handlers.get(protocol) === handler) this.#handlers.delete(protocol);
    };
  }

  serveBlocks(get: BlockProvider): void {
    this.closing.throwIfAborted();
    this.#provider = get;
  }

  async request(peer: PeerKey, protocol: string, request: Uint8Array, options: WaitOptions = {}): Promise<Uint8Array> {
    if (request.length > REQUEST_SIZE_MAX_BYTES)
      throw tooLarge("REQUEST_TOO_LARGE", request.length, REQUEST_SIZE_MAX_BYTES);
    const timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS;
    using deadline = startDeadline({
      signals: [options.signal, this.closing],
      timers: this.#ports.timers,
      timeoutMs,
      onTimeout: () => timedOut("REQUEST_TIMEOUT", `the answer to ${protocol}`, timeoutMs),
    });
    let channel: FrameChannel | undefined;
    try {
      channel = await this.#open(peer, protocol, ASKING_LIMITS, deadline.signal);
      return await ask(channel, request, deadline.signal);
    } catch (error) {
      const known = asPeerError(error, peer, deadline.signal);
      channel?.abort(known);
      throw known;
    }
  }

  async *fetchBlocks(peer: PeerKey, cids: readonly CID[], options: WaitOptions = {}): AsyncGenerator<Block> {
    const timeoutMs = options.timeoutMs ?? BLOCK_TIMEOUT_MS;
    using deadline = startDeadline({
      signals: [options.signal, this.closing],
      timers: this.#ports.timers,
      timeoutMs,
      onTimeout: () => timedOut("BLOCK_TIMEOUT", "the next block", timeoutMs),
    });
    deadline.signal.throwIfAborted();
    if (cids.length === 0) return;
    let channel: FrameChannel | undefined;
    let done = false;
    try {
      channel = await this.#open(peer, BLOCKS_PROTOCOL, READING_LIMITS, deadline.signal);
      yield* readBlocks(channel, cids, this.#ports.hash, deadline);
      done = true;
    } catch (error) {
      throw asPeerError(error, peer, deadline.signal);
    } finally {
      if (!done) channel?.abort(new IpdmError("STREAM_DROPPED", "the reader needs no more blocks"));
    }
  }

  /** Answers a stream that a peer opened. Never rejects: a peer's failure is that stream's end and a log line. */
  async accept(protocol: string, from: PeerKey, stream: ByteStream): Promise<void> {
    const bulk = protocol === BLOCKS_PROTOCOL;
    const channel = new FrameChannel(stream, bulk ? SERVING_LIMITS : ANSWERING_LIMITS);
    const timeoutMs = bulk ? BLOCK_TIMEOUT_MS : REQUEST_TIMEOUT_MS;
    using deadline = startDeadline({
      signals: [channel.failed, this.closing],
      timers: this.#ports.timers,
      timeoutMs,
      onTimeout: () => timedOut(bulk ? "BLOCK_TIMEOUT" : "REQUEST_TIMEOUT", `a peer's turn in ${protocol}`, timeoutMs),
    });
    try {
      if (bulk) {
        await writeBlocks(channel, async (cid) => this.#provider?.(cid), deadline);
      } else {
        const handler = this.#handlers.get(protocol);
        if (handler === undefined) throw protocolUnsupported(protocol);
        await answer(channel, from, handler, deadline);
      }
    } catch (error) {
      channel.abort(error as Error);
      this.#ports.log.debug("a stream from a peer ended early", { protocol, reason: String((error as Error).message) });
    }
  }

  async #open(peer: PeerKey, protocol: string, limits: ChannelLimits, signal: AbortSignal): Promise<FrameChannel> {
    signal.throwIfAborted();
    const opening = this.#ports.open(peer, protocol, signal);
    try {
      return new FrameChannel(await abortable(opening, signal), limits);
    } catch (error) {
      // A stream that opens after nobody waits for it any more would leak.
      opening.then((late) => late.abort(error as Error)).catch(() => undefined);
      throw error;
    }
  }
}

/** Checks the name of a topic or protocol. */
export function checkName(what: "topic" | "protocol", name: string): void {
  if (name.length === 0 || name.length > NAME_LENGTH_MAX) {
    throw new IpdmError("NAME_INVALID", `a ${what} has 1 to ${NAME_LENGTH_MAX} characters, not ${name.length}`, {
      where: name.slice(0, 40),
    });
  }
}

// The wait's own end wins over what it caused; errors with a code stand; the rest is a stream or transport that broke.
function asPeerError(error: unknown, peer: PeerKey, signal: AbortSignal): Error {
  if (signal.aborted) return signal.reason as Error;
  if (error instanceof IpdmError) return error;
  return peerUnreachable(peer, String((error as Error).message), error);
}
