import type { Stream } from "@libp2p/interface";
import type { ByteStream, ByteStreamListener } from "./byte-stream.ts";
import { CLOSE_TIMEOUT_MS } from "./limits.ts";

/** A libp2p stream as a {@link ByteStream}. */
export class Libp2pByteStream implements ByteStream {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  async send(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream;
    if (stream.send(bytes)) return;
    await whenDrained(stream);
  }

  async closeWrite(): Promise<void> {
    // Everything before was handed over, so this does not wait for the peer; the bound is for a stuck transport.
    await this.#stream.close({ signal: AbortSignal.timeout(CLOSE_TIMEOUT_MS) });
  }

  abort(error: Error): void {
    this.#stream.abort(error);
  }

  listen(listener: ByteStreamListener): void {
    const stream = this.#stream;
    const ended = (): void => {
      if (stream.status === "aborted" || stream.status === "reset")
        listener.fail(new Error(`the stream was ${stream.status}`));
      else listener.end();
    };
    stream.addEventListener("message", ({ data }) => listener.data(data.subarray()));
    stream.addEventListener("end", ended);
    stream.addEventListener("close", ({ error }) => (error === undefined ? ended() : listener.fail(error)));
    if (stream.readableEnded || (stream.status !== "open" && stream.readBufferLength === 0)) ended();
  }
}

/** Resolves when the stream can take more; rejects when it closes, or with the signal's reason. */
export async function whenDrained(stream: Stream, signal?: AbortSignal): Promise<void> {
  const done = Promise.withResolvers<void>();
  const closed = (): void => done.reject(new Error("the stream closed while it was sending"));
  const aborted = (): void => done.reject(signal?.reason);
  // Not `stream.onDrain()`: in @libp2p/utils 7.4 its promise stays resolved after the first drain, so later calls do not wait.
  stream.addEventListener("drain", done.resolve as () => void);
  stream.addEventListener("close", closed);
  signal?.addEventListener("abort", aborted);
  if (signal?.aborted === true) aborted();
  if (stream.status !== "open") closed();
  try {
    await done.promise;
  } finally {
    stream.removeEventListener("drain", done.resolve as () => void);
    stream.removeEventListener("close", closed);
    signal?.removeEventListener("abort", aborted);
  }
}
