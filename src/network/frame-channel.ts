import type { ByteStream } from "./byte-stream.ts";
import { malformedFrame } from "./errors.ts";
import { encodeFrame, FrameDecoder } from "./frame.ts";

/** Limits of one channel, both for what the other side sends. */
export interface ChannelLimits {
  /** Largest payload of one frame, in bytes. */
  readonly frameSizeMaxBytes: number;
  /** Frames that may wait here unread: a peer that sends more without being asked is cut off. */
  readonly unreadFramesMax: number;
}

interface Reader {
  resolve(payload: Uint8Array | undefined): void;
  reject(error: unknown): void;
}

/** Frames over a byte stream, for one reader. A broken frame ends this stream and touches nothing else. */
export class FrameChannel {
  readonly #stream: ByteStream;
  readonly #limits: ChannelLimits;
  readonly #decoder: FrameDecoder;
  readonly #unread: Uint8Array[] = [];
  #reader: Reader | undefined;
  #ended = false;
  readonly #failed = new AbortController();

  constructor(stream: ByteStream, limits: ChannelLimits) {
    this.#stream = stream;
    this.#limits = limits;
    this.#decoder = new FrameDecoder(limits.frameSizeMaxBytes);
    stream.listen({
      data: (piece) => this.#take(piece),
      end: () => this.#end(),
      fail: (error) => this.#fail(error),
    });
  }

  /** Aborts, with the error as its reason, when the stream breaks; not when the other side just has no more to send. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Sends one frame; resolves when more may be sent. */
  async send(payload: Uint8Array): Promise<void> {
    this.failed.throwIfAborted();
    await this.#stream.send(encodeFrame(payload));
  }

  /** The next frame's payload, or undefined once the other side has ended. One reader at a time. */
  receive(): Promise<Uint8Array | undefined> {
    const payload = this.#unread.shift();
    if (payload !== undefined) return Promise.resolve(payload);
    if (this.failed.aborted) return Promise.reject(this.failed.reason as Error);
    if (this.#ended) return Promise.resolve(undefined);
    if (this.#reader !== undefined) return Promise.reject(new Error("a frame channel has one reader"));
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
    });
  }

  /** Says that no more frames will be sent. */
  async closeWrite(): Promise<void> {
    await this.#stream.closeWrite();
  }

  /** Ends the channel; whoever reads or sends gets `error`. */
  abort(error: Error): void {
    this.#fail(error);
    this.#stream.abort(error);
  }

  #take(piece: Uint8Array): void {
    if (this.failed.aborted || this.#ended) return;
    let payloads: Uint8Array[];
    try {
      payloads = this.#decoder.push(piece);
    } catch (error) {
      this.abort(error as Error);
      return;
    }
    for (const payload of payloads) {
      const reader = this.#reader;
      this.#reader = undefined;
      if (reader === undefined) this.#unread.push(payload);
      else reader.resolve(payload);
    }
    if (this.#unread.length > this.#limits.unreadFramesMax) {
      this.#unread.length = 0;
      this.abort(malformedFrame(`more than ${this.#limits.unreadFramesMax} frames came without being asked for`));
    }
  }

  #end(): void {
    if (this.#ended || this.failed.aborted) return;
    if (!this.#decoder.idle) {
      this.abort(malformedFrame("the stream ended inside it"));
      return;
    }
    this.#ended = true;
    this.#reader?.resolve(undefined);
    this.#reader = undefined;
  }

  #fail(error: unknown): void {
    if (this.failed.aborted) return;
    this.#failed.abort(error);
    this.#reader?.reject(error);
    this.#reader = undefined;
  }
}
