import { concatAll } from "../../src/core/bytes.ts";

/** What RLP encodes (Ethereum yellow paper, appendix B): bytes, or a list of such items. */
export type Rlp = Uint8Array | readonly Rlp[];

/** Levels of lists in a text that is decoded; what Ethereum commits to has four. */
const DEPTH_MAX = 16;

/** The one encoding of an item. */
export function encodeRlp(item: Rlp): Uint8Array {
  if (!(item instanceof Uint8Array)) {
    const body = concatAll(item.map(encodeRlp));
    return concatAll([head(0xc0, body.length), body]);
  }
  const isOwn = item.length === 1 && (item[0] as number) < 0x80;
  return isOwn ? item : concatAll([head(0x80, item.length), item]);
}

/** The item of an encoding; `undefined` unless the bytes are the one encoding of one item. */
export function decodeRlp(bytes: Uint8Array): Rlp | undefined {
  const read = readItem(bytes, 0, 0);
  return read === undefined || read.end !== bytes.length ? undefined : read.item;
}

function head(base: number, length: number): Uint8Array {
  if (length < 56) return Uint8Array.of(base + length);
  const digits = quantityBytes(BigInt(length));
  return Uint8Array.of(base + 55 + digits.length, ...digits);
}

/** A number as RLP has it: big-endian, without leading zeros; zero is no bytes. */
export function quantityBytes(value: bigint): Uint8Array {
  const digits = value === 0n ? "" : value.toString(16);
  const even = digits.length % 2 === 0 ? digits : `0${digits}`;
  return Uint8Array.from({ length: even.length / 2 }, (_, i) => Number.parseInt(even.slice(2 * i, 2 * i + 2), 16));
}

interface Read {
  readonly item: Rlp;
  readonly end: number;
}

function readItem(bytes: Uint8Array, at: number, depth: number): Read | undefined {
  const first = bytes[at];
  if (first === undefined || depth > DEPTH_MAX) return undefined;
  if (first < 0x80) return { item: bytes.subarray(at, at + 1), end: at + 1 };
  const isList = first >= 0xc0;
  const span = spanOf(bytes, at, first - (isList ? 0xc0 : 0x80));
  if (span === undefined) return undefined;
  const body = bytes.subarray(span.from, span.to);
  if (!isList) return body.length === 1 && (body[0] as number) < 0x80 ? undefined : { item: body, end: span.to };
  const items: Rlp[] = [];
  for (let next = 0; next < body.length; ) {
    const read = readItem(body, next, depth + 1);
    if (read === undefined) return undefined;
    items.push(read.item);
    next = read.end;
  }
  return { item: items, end: span.to };
}

/** Where the body of an item lies; `undefined` where its length is not in its shortest form, or beyond the bytes. */
function spanOf(bytes: Uint8Array, at: number, small: number): { from: number; to: number } | undefined {
  let from = at + 1;
  let length = small;
  if (small > 55) {
    const digits = bytes.subarray(from, from + small - 55);
    from += small - 55;
    if (digits.length !== small - 55 || digits.length > 4 || digits[0] === 0) return undefined;
    length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
    if (length < 56) return undefined;
  }
  return from + length > bytes.length ? undefined : { from, to: from + length };
}
