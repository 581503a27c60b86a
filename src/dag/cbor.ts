import * as dagCbor from "@ipld/dag-cbor";
import { decode, Tokenizer, Type } from "cborg";
import { decodePlainCbor, NOT_PLAIN } from "./cbor-decoder.ts";

/** U+FEFF in UTF-8. Text may begin with it; a `TextDecoder` left to its defaults, as in cborg, drops it. */
const MARK = [0xef, 0xbb, 0xbf] as const;

/** Reads texts as they are, a byte order mark at their beginning included. */
class ExactTokenizer extends Tokenizer {
  override next(): ReturnType<Tokenizer["next"]> {
    const token = super.next();
    if (Type.equals(token.type, Type.string) && token.byteValue !== undefined && marked(token.byteValue, 0))
      token.value = `\u{feff}${String(token.value)}`;
    return token;
  }
}

/**
 * Decodes dag-cbor so that encoding it again gives the same bytes, if they were canonical: of two keys, one of which begins with
 * a byte order mark, the library's own decoder makes one. Throws an `Error` on what is not dag-cbor.
 */
export function decodeCbor(bytes: Uint8Array): unknown {
  const value = decodePlainCbor(bytes);
  if (value !== NOT_PLAIN) return value;
  if (!hasMark(bytes)) return dagCbor.decode(bytes);
  const options = { ...dagCbor.decodeOptions, retainStringBytes: true };
  // Of a Node.js buffer the tokenizer would make buffers, whose `slice` copies nothing.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return decode(plain, { ...options, tokenizer: new ExactTokenizer(plain, options) });
}

function hasMark(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(MARK[0]); at !== -1; at = bytes.indexOf(MARK[0], at + 1))
    if (marked(bytes, at)) return true;
  return false;
}

function marked(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === MARK[0] && bytes[at + 1] === MARK[1] && bytes[at + 2] === MARK[2];
}
