import { Buffer, isUtf8 } from "node:buffer";
import { malformed, overLimit } from "./failure.ts";
import { LINE_BYTES_MAX } from "./limits.ts";

/** Lines that follow each other; `first` is the number of the first, counted from 1. */
export interface Lines {
  readonly first: number;
  readonly texts: readonly string[];
}

/**
 * Splits UTF-8 bytes at line feeds; a byte order mark at the start is dropped. Throws `SOURCE_LIMIT` on a line over
 * 4 MiB, `SOURCE_MALFORMED` on bytes that are not UTF-8.
 */
export async function* splitLines(path: string, chunks: AsyncIterable<Buffer>): AsyncGenerator<Lines, void, undefined> {
  let carry: Buffer[] = [];
  let carried = 0;
  let next = 1;
  const decode = (bytes: Buffer, number: number): string => {
    if (bytes.length > LINE_BYTES_MAX)
      throw overLimit(path, String(number), `a line of more than ${LINE_BYTES_MAX} bytes`);
    if (!isUtf8(bytes)) throw malformed(path, String(number), "the line is not UTF-8");
    const text = bytes.toString("utf8");
    return number === 1 && text.startsWith("\uFEFF") ? text.slice(1) : text;
  };
  for await (const chunk of chunks) {
    const texts: string[] = [];
    const first = next;
    let start = 0;
    for (let end = chunk.indexOf(10); end !== -1; end = chunk.indexOf(10, start)) {
      const part = chunk.subarray(start, end);
      const line = carried === 0 ? part : Buffer.concat([...carry, part]);
      carry = [];
      carried = 0;
      texts.push(decode(line, next++));
      start = end + 1;
    }
    if (start < chunk.length) {
      carry.push(chunk.subarray(start));
      carried += chunk.length - start;
      if (carried > LINE_BYTES_MAX) throw overLimit(path, String(next), `a line of more than ${LINE_BYTES_MAX} bytes`);
    }
    if (texts.length > 0) yield { first, texts };
  }
  if (carried > 0) yield { first: next, texts: [decode(Buffer.concat(carry), next)] };
}
