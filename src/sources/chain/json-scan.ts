import { Buffer } from "node:buffer";
import { closingBracket } from "./brackets.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/** Bytes of a text that are looked at one by one before the search goes to native code, which costs more to call. */
const NEAR_BYTES = 80;

/** Bytes of an object or list that are looked at here before a scanner in WebAssembly begins anew. */
const NESTED_NEAR_BYTES = 512;

/** Objects inside each other that {@link endOf} goes into: a list's reply, its result, the block. */
const WALK_DEPTH = 2;

/** Where objects and lists end that were looked through already, by where they begin: no byte of a block is looked at twice. */
export type KnownEnds = Map<number, number>;

/** A stretch of bytes: from `from` up to `to`. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

/** What a scan finds where a value ends behind the bytes that are there, or where there is no value. */
export const INCOMPLETE = -1;
export const INVALID = -2;

/** First position from `at` on that is no white space of JSON. */
export function skipBlank(bytes: Uint8Array, at: number, end: number): number {
  let i = at;
  while (i < end) {
    const byte = bytes[i] as number;
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    i++;
  }
  return i;
}

/**
 * Where the JSON value that starts at `at` ends, found by its brackets and quotes alone: what is between them is for whoever
 * parses it. {@link INCOMPLETE} when the bytes end before it does (a number may always go on), {@link INVALID} when none starts there.
 */
export function valueEnd(bytes: Uint8Array, at: number, end: number, known?: KnownEnds): number {
  if (at >= end) return INCOMPLETE;
  const first = bytes[at] as number;
  if (first === QUOTE) return stringEnd(bytes, at + 1, end);
  if (first === OPEN_OBJECT || first === OPEN_LIST) return known?.get(at) ?? nestedEnd(bytes, at, end);
  let i = at;
  while (i < end && isBare(bytes[i] as number)) i++;
  if (i === at) return INVALID;
  return i === end ? INCOMPLETE : i;
}

/**
 * Where the JSON value that starts at `at` ends, as {@link valueEnd} says. Of objects, and of those inside them, it goes from member to
 * member, and takes note of where the large ones end: whoever looks for their members next finds them without a second look at what they hold.
 */
export function endOf(bytes: Uint8Array, at: number, end: number, known: KnownEnds, depth = 0): number {
  const walked = bytes[at] === OPEN_OBJECT && depth <= WALK_DEPTH ? objectEnd(bytes, at, end, known, depth) : INVALID;
  // An object that is not put together as it should be still has brackets.
  const to = walked === INVALID ? valueEnd(bytes, at, end) : walked;
  if (to - at > NESTED_NEAR_BYTES) known.set(at, to);
  return to;
}

function objectEnd(bytes: Uint8Array, at: number, end: number, known: KnownEnds, depth: number): number {
  let i = skipBlank(bytes, at + 1, end);
  if (bytes[i] === CLOSE_OBJECT && i < end) return i + 1;
  for (;;) {
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== QUOTE) return INVALID;
    const nameEnd = stringEnd(bytes, i + 1, end);
    if (nameEnd < 0) return nameEnd;
    i = skipBlank(bytes, nameEnd, end);
    if (i === end) return INCOMPLETE;
    if (bytes[i] !== COLON) return INVALID;
    const to = endOf(bytes, skipBlank(bytes, i + 1, end), end, known, depth + 1);
    if (to < 0) return to;
    i = skipBlank(bytes, to, end);
    if (i === end) return INCOMPLETE;
    if (bytes[i] === CLOSE_OBJECT) return i + 1;
    if (bytes[i] !== COMMA) return INVALID;
    i = skipBlank(bytes, i + 1, end);
  }
}

/** A member of an object: where its name (without quotes) and its value stand. */
export interface Member {
  readonly name: Slice;
  readonly value: Slice;
}

/** The members of the object at `at`, in order; `undefined` where brackets, colons and commas are not those of an object. */
export function membersOf(
  bytes: Uint8Array,
  at: number,
  end: number,
  known?: KnownEnds,
): readonly Member[] | undefined {
  const members: Member[] = [];
  let i = skipBlank(bytes, at + 1, end);
  if (bytes[i] === CLOSE_OBJECT) return members;
  for (;;) {
    if (bytes[i] !== QUOTE) return undefined;
    const nameEnd = stringEnd(bytes, i + 1, end);
    if (nameEnd < 0) return undefined;
    const name = { from: i + 1, to: nameEnd - 1 };
    i = skipBlank(bytes, nameEnd, end);
    if (bytes[i] !== COLON) return undefined;
    const from = skipBlank(bytes, i + 1, end);
    const to = valueEnd(bytes, from, end, known);
    if (to < 0) return undefined;
    members.push({ name, value: { from, to } });
    i = skipBlank(bytes, to, end);
    if (bytes[i] === CLOSE_OBJECT) return members;
    if (bytes[i] !== COMMA) return undefined;
    i = skipBlank(bytes, i + 1, end);
  }
}

/** The first `most` elements of the list at `at`, in order; `undefined` where brackets and commas are not those of a list. */
export function elementsOf(bytes: Uint8Array, at: number, end: number, most: number): readonly Slice[] | undefined {
  const elements: Slice[] = [];
  let i = skipBlank(bytes, at + 1, end);
  if (bytes[i] === CLOSE_LIST) return elements;
  while (elements.length < most) {
    const to = valueEnd(bytes, i, end);
    if (to < 0) return undefined;
    elements.push({ from: i, to });
    i = skipBlank(bytes, to, end);
    if (bytes[i] === CLOSE_LIST) break;
    if (bytes[i] !== COMMA) return undefined;
    i = skipBlank(bytes, i + 1, end);
  }
  return elements;
}

/** True when the slice holds this text, of ASCII letters. */
export function isText(bytes: Uint8Array, { from, to }: Slice, text: string): boolean {
  if (to - from !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** The text of a slice that is a JSON string without escapes; `undefined` for any other value, and for one over 128 bytes. */
export function plainText(bytes: Uint8Array, { from, to }: Slice): string | undefined {
  if (to - from < 2 || to - from > 130 || bytes[from] !== QUOTE) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + from + 1, to - from - 2).toString("latin1");
  return /^[ -~]*$/.test(text) && !text.includes("\\") ? text : undefined;
}

/** Behind the quote that ends a text whose first character is at `at`. */
function stringEnd(bytes: Uint8Array, at: number, end: number): number {
  for (let i = at; ; i++) {
    const near = Math.min(end, i + NEAR_BYTES);
    while (i < near && bytes[i] !== QUOTE) i++;
    if (i === near) {
      i = near < end ? bytes.indexOf(QUOTE, near) : -1;
      if (i < 0 || i >= end) return INCOMPLETE;
    }
    // Only an odd number of backslashes before it makes a quote a part of the text.
    let before = i - 1;
    while (before >= at && bytes[before] === BACKSLASH) before--;
    if ((i - before) % 2 === 1) return i + 1;
  }
}

/** Behind the bracket that closes the one at `at`. The hot loop of every chain source: blocks are read at the speed of this. */
function nestedEnd(bytes: Uint8Array, at: number, end: number): number {
  const near = Math.min(end, at + NESTED_NEAR_BYTES);
  const found = nearEnd(bytes, at, near);
  return found === INCOMPLETE && near < end ? closingBracket(bytes, at, end) : found;
}

function nearEnd(bytes: Uint8Array, at: number, end: number): number {
  let depth = 0;
  for (let i = at; i < end; ) {
    const byte = bytes[i] as number;
    i++;
    if (byte === QUOTE) {
      const from = i;
      const near = i + NEAR_BYTES < end ? i + NEAR_BYTES : end;
      while (i < near && bytes[i] !== QUOTE) i++;
      if (i < near && bytes[i - 1] !== BACKSLASH) i++;
      else {
        i = stringEnd(bytes, from, end);
        if (i < 0) return INCOMPLETE;
      }
      continue;
    }
    if (byte < OPEN_LIST) continue;
    // A bracket and a brace differ in one bit.
    const bracket = byte & 0xdf;
    if (bracket === OPEN_LIST) depth++;
    else if (bracket === CLOSE_LIST && --depth === 0) return i;
  }
  return INCOMPLETE;
}

/** Bytes of numbers, `true`, `false` and `null`. */
function isBare(byte: number): boolean {
  return (
    (byte >= 0x30 && byte <= 0x39) ||
    (byte >= 0x61 && byte <= 0x7a) ||
    byte === 0x2d ||
    byte === 0x2b ||
    byte === 0x2e ||
    byte === 0x45
  );
}
