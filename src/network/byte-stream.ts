/** What a byte stream tells its one reader. After `end` or `fail` nothing more comes. */
export interface ByteStreamListener {
  data(piece: Uint8Array): void;
  /** The other side will send no more. */
  end(): void;
  fail(error: unknown): void;
}

/** A reliable, ordered, two-way stream of bytes: what a transport gives and {@link FrameChannel} works on. */
export interface ByteStream {
  /** Sends bytes; resolves when it is reasonable to send more, rejects when the stream is gone. */
  send(bytes: Uint8Array): Promise<void>;
  /** Says that no more will be sent; what the other side sends still arrives. */
  closeWrite(): Promise<void>;
  /** Ends both directions at once; what was not sent is dropped. */
  abort(error: Error): void;
  /** Names the reader. Called once, before anything is read. */
  listen(listener: ByteStreamListener): void;
}
