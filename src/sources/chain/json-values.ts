import { Buffer } from "node:buffer";
import { INCOMPLETE, INVALID, skipBlank, valueEnd } from "./json-scan.ts";
import { VALUE_BYTES_MAX } from "./limits.ts";

/** A JSON value of a stream: it stands in `bytes` from `from` to `to`, and in the whole stream from `offset` on. */
export interface StreamedValue {
  readonly bytes: Buffer;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
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
 * is passed over. Holds one value and a chunk in memory. The last item is a {@link ValueFault} when the stream cannot be read on.
 */
export async function* jsonValues(
  chunks: AsyncIterable<Buffer>,
): AsyncGenerator<StreamedValue | ValueFault, void, undefined> {
  let bytes: Buffer = Buffer.alloc(0);
  let base = 0;
  let at = 0;
  const source = chunks[Symbol.asyncIterator]();
  let ended = false;
  /** Reads on until there is as much again as there was: a value is looked through a few times at most. */
  const more = async (): Promise<void> => {
    const parts = at < bytes.length ? [bytes.subarray(at)] : [];
    const wanted = Math.max(1, bytes.length - at);
    for (let got = 0; got < wanted && !ended; ) {
      const next = await source.next();
      if (next.done === true) ended = true;
      else {
        parts.push(next.value);
        got += next.value.length;
      }
    }
    base += at;
    at = 0;
    bytes = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  };
  try {
    while (bytes.length < 3 && !ended) await more();
    if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) at = 3;
    for (;;) {
      at = skipBlank(bytes, at, bytes.length);
      if (at === bytes.length) {
        if (ended) return;
        await more();
        continue;
      }
      let to = valueEnd(bytes, at, bytes.length);
      // A number, or a word such as null, ends where the stream does.
      if (to === INCOMPLETE && ended && !OPENING.has(bytes[at] as number)) to = bytes.length;
      if (to === INVALID || (to === INCOMPLETE && ended)) {
        yield { offset: base + at, fault: to === INVALID ? "invalid" : "cut" };
        return;
      }
      if (to === INCOMPLETE) {
        if (bytes.length - at > VALUE_BYTES_MAX) {
          yield { offset: base + at, fault: "large" };
          return;
        }
        await more();
        continue;
      }
      yield { bytes, from: at, to, offset: base + at };
      at = to;
    }
  } finally {
    await source.return?.(undefined);
  }
}
