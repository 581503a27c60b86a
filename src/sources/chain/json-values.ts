import { Buffer } from "node:buffer";
import { endOf, INCOMPLETE, INVALID, type KnownEnds, skipBlank } from "./json-scan.ts";
import { VALUE_BYTES_MAX } from "./limits.ts";

/**
 * A JSON value of a stream: it stands in `bytes` from `from` to `to`, and in the whole stream from `offset` on. `known` is what was found
 * inside it. Bytes and `known` hold until the next value is asked for.
 */
export interface StreamedValue {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
  readonly known: KnownEnds;
}

/** Why a stream does not hold values that follow each other, and where (bytes from its start). */
export interface ValueFault {
  readonly offset: number;
  readonly fault: "cut" | "invalid" | "large";
}

/** What begins a text, a list and an object, which also have an end. */
const OPENING: ReadonlySet<number> = new Set(Buffer.from('"[{'));

/**
 * The values of a stream of JSON values with white space between them, whatever chunks it comes in; a byte order mark at the start
 * is passed over. A chunk is done with when the next is asked for. Holds one value and a chunk in memory. The last item is a
 * {@link ValueFault} when the stream cannot be read on.
 */
export async function* jsonValues(
  chunks: AsyncIterable<Buffer> | Iterable<Buffer>,
): AsyncGenerator<StreamedValue | ValueFault, void, undefined> {
  const stream = new Stream(chunks);
  const known: KnownEnds = new Map();
  try {
    while (stream.left < 3 && !stream.isEnded) await stream.more();
    if (stream.bytes.subarray(0, 3).equals(MARK)) stream.at = 3;
    for (;;) {
      const { bytes } = stream;
      const at = skipBlank(bytes, stream.at, bytes.length);
      stream.at = at;
      if (at === bytes.length) {
        if (stream.isEnded) return;
        await stream.more();
        continue;
      }
      known.clear();
      const found = endOf(bytes, at, bytes.length, known);
      // A number, or a word such as null, ends where the stream does.
      const isBare = found === INCOMPLETE && stream.isEnded && !OPENING.has(bytes[at] as number);
      const to = isBare ? bytes.length : found;
      const fault = to >= 0 ? undefined : stream.fault(to);
      if (fault !== undefined) {
        yield { offset: stream.offset, fault };
        return;
      }
      if (to === INCOMPLETE) {
        await stream.more();
        continue;
      }
      yield { bytes, from: at, to, offset: stream.offset, known };
      stream.at = to;
    }
  } finally {
    await stream.close();
  }
}

const MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** What is there of a stream: its bytes from `at` on are left. Memory is used again, and grows with the largest value. */
class Stream {
  private readonly source: AsyncIterator<Buffer> | Iterator<Buffer>;
  private room: Buffer = Buffer.alloc(0);
  /** Where `bytes` begins in the stream. */
  private base = 0;
  bytes: Buffer = Buffer.alloc(0);
  at = 0;
  isEnded = false;

  constructor(chunks: AsyncIterable<Buffer> | Iterable<Buffer>) {
    this.source = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  /** Where the stream stands. */
  get offset(): number {
    return this.base + this.at;
  }

  /** Reads on until there is as much again as there was: a value is looked through a few times at most. */
  async more(): Promise<void> {
    const { left } = this;
    this.keep();
    for (let wanted = Math.max(1, left); wanted > 0 && !this.isEnded; ) {
      const next = await this.source.next();
      if (next.done === true) this.isEnded = true;
      else {
        wanted -= next.value.length;
        // A chunk with nothing before it is taken as it is.
        if (this.left === 0 && wanted <= 0) this.bytes = next.value;
        else this.append(next.value);
      }
    }
  }

  /** Why what begins here is no value, or will be none; `undefined` where more has to be read. */
  fault(end: number): ValueFault["fault"] | undefined {
    if (end === INVALID) return "invalid";
    if (this.isEnded) return "cut";
    return this.left > VALUE_BYTES_MAX ? "large" : undefined;
  }

  async close(): Promise<void> {
    await this.source.return?.(undefined);
  }

  /** Takes what is left into memory of its own, at its start: its chunk is gone with the next. */
  private keep(): void {
    const { left } = this;
    const rest = this.bytes.subarray(this.at);
    if (this.room.length < left) this.room = Buffer.concat([rest], 2 * left);
    else this.room.set(rest);
    this.base += this.at;
    this.at = 0;
    this.bytes = this.room.subarray(0, left);
  }

  private append(chunk: Buffer): void {
    const { left } = this;
    const sizeBytes = left + chunk.length;
    if (this.room.length < sizeBytes) this.room = Buffer.concat([this.bytes], 2 * sizeBytes);
    this.room.set(chunk, left);
    this.bytes = this.room.subarray(0, sizeBytes);
  }
}
