import { malformedFrame } from "./errors.ts";

const HEADER_BYTES = 4;
/** What a frame gets before its bytes arrive; most frames fit. */
const FIRST_BUFFER_BYTES = 64 * 1024 + 64;

/** One frame on a stream: the payload's length as 4 bytes big-endian, then the payload. */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  new DataView(frame.buffer).setUint32(0, payload.length);
  frame.set(payload, HEADER_BYTES);
  return frame;
}

/**
 * Cuts a byte stream into frames, whatever pieces it comes in. It holds at most one unfinished frame, in a buffer that
 * grows as the bytes arrive, not as the header promises. Payloads are copies: the pieces may be reused by their owner.
 */
export class FrameDecoder {
  readonly #sizeMaxBytes: number;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerFilled = 0;
  #length = 0;
  #payload = new Uint8Array(0);
  #filled = 0;

  /** `sizeMaxBytes` bounds one payload. */
  constructor(sizeMaxBytes: number) {
    this.#sizeMaxBytes = sizeMaxBytes;
  }

  /** True between frames: ending the stream here cuts nothing off. */
  get idle(): boolean {
    return this.#headerFilled === 0;
  }

  /** Takes the next piece and returns the payloads it completes. Throws `FRAME_MALFORMED` on a length beyond the limit. */
  push(piece: Uint8Array): Uint8Array[] {
    const payloads: Uint8Array[] = [];
    let at = 0;
    while (at < piece.length) {
      at += this.#headerFilled < HEADER_BYTES ? this.#takeHeader(piece, at) : this.#takePayload(piece, at);
      if (this.#headerFilled === HEADER_BYTES && this.#filled === this.#length) {
        payloads.push(this.#payload);
        this.#headerFilled = 0;
      }
    }
    return payloads;
  }

  #takeHeader(piece: Uint8Array, at: number): number {
    const part = piece.subarray(at, at + HEADER_BYTES - this.#headerFilled);
    this.#header.set(part, this.#headerFilled);
    this.#headerFilled += part.length;
    if (this.#headerFilled === HEADER_BYTES) this.#startPayload(new DataView(this.#header.buffer).getUint32(0));
    return part.length;
  }

  #startPayload(length: number): void {
    if (length > this.#sizeMaxBytes) {
      throw malformedFrame(`its length ${length} is more than ${this.#sizeMaxBytes}`, {
        sizeBytes: length,
        limitBytes: this.#sizeMaxBytes,
      });
    }
    this.#length = length;
    this.#payload = new Uint8Array(Math.min(length, FIRST_BUFFER_BYTES));
    this.#filled = 0;
  }

  #takePayload(piece: Uint8Array, at: number): number {
    const part = piece.subarray(at, at + this.#length - this.#filled);
    const needed = this.#filled + part.length;
    if (needed > this.#payload.length) {
      const grown = new Uint8Array(Math.min(this.#length, Math.max(needed, 2 * this.#payload.length)));
      grown.set(this.#payload.subarray(0, this.#filled));
      this.#payload = grown;
    }
    this.#payload.set(part, this.#filled);
    this.#filled = needed;
    return part.length;
  }
}
