// A reader of JSON (RFC 8259) as UTF-8 bytes in memory, by addresses: each function takes where something begins and returns the address
// after it. The byte after the text has to be 0, which is no JSON anywhere: so nothing reads on beyond the end, and a text that is cut
// short is found. What is skipped is looked at for its brackets and strings alone.

import { beginBrackets, bracketsEnd } from "./brackets";
import { BACKSLASH, QUOTE, skipSpace, stringStop } from "./characters";
import { malformed, Place } from "./place";

const COMMA: u8 = 0x2c;
const OPEN_BRACE: u8 = 0x7b;
const CLOSE_BRACE: u8 = 0x7d;
const OPEN_BRACKET: u8 = 0x5b;
const CLOSE_BRACKET: u8 = 0x5d;

@inline
export function isString(at: usize): bool {
  return load<u8>(at) == QUOTE;
}

@inline
export function isObject(at: usize): bool {
  return load<u8>(at) == OPEN_BRACE;
}

@inline
export function isArray(at: usize): bool {
  return load<u8>(at) == OPEN_BRACKET;
}

/** The end of a string that begins here with its quote. Its text is from the byte after `at` to the byte before the end returned. */
export function skipString(at: usize): usize {
  if (load<u8>(at) != QUOTE) malformed(at, "no string");
  let p = at + 1;
  while (true) {
    p = stringStop(p);
    const c = load<u8>(p);
    if (c == QUOTE) return p + 1;
    if (c != BACKSLASH) malformed(p, c == 0 ? "the text ends in a string" : "a control character in a string");
    if (load<u8>(p + 1) == 0) malformed(p + 1, "the text ends in a string");
    p += 2;
  }
}

/** The end of a value that begins here. */
export function skipValue(at: usize): usize {
  const c = load<u8>(at);
  if (c == QUOTE) return skipString(at);
  if (c == OPEN_BRACE || c == OPEN_BRACKET) return skipNested(at);
  let p = at;
  // A number, or true, false, null.
  while (isWordByte(load<u8>(p))) p++;
  if (p == at) malformed(at, c == 0 ? "the text ends where a value is due" : "no value");
  return p;
}

function skipNested(at: usize): usize {
  beginBrackets();
  const end = bracketsEnd(at, Place.end);
  if (end == 0) malformed(Place.end, "the text ends before its brackets are closed");
  return end;
}

@inline
function isWordByte(c: u8): bool {
  return (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c == 0x2d || c == 0x2b || c == 0x2e;
}

/** Goes into an object: to the quote of its first name, or to the brace that closes it. */
export function openObject(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACE) malformed(at, "no object");
  const p = skipSpace(at + 1);
  if (load<u8>(p) != QUOTE && load<u8>(p) != CLOSE_BRACE) malformed(p, "no name in an object");
  return p;
}

/** True while there is a member to read at the address that {@link openObject} or {@link nextMember} returned. */
@inline
export function hasMember(at: usize): bool {
  return load<u8>(at) == QUOTE;
}

/** From the end of a member's value to the next name, or to the brace that closes the object. */
export function nextMember(at: usize): usize {
  let p = skipSpace(at);
  if (load<u8>(p) == CLOSE_BRACE) return p;
  if (load<u8>(p) != COMMA) malformed(p, load<u8>(p) == 0 ? "the text ends in an object" : "no comma in an object");
  p = skipSpace(p + 1);
  if (load<u8>(p) != QUOTE) malformed(p, "no name in an object");
  return p;
}

/** Goes into an array: to its first value, or to the bracket that closes it. */
export function openArray(at: usize): usize {
  if (load<u8>(at) != OPEN_BRACKET) malformed(at, "no array");
  return skipSpace(at + 1);
}

/** True while there is a value to read at the address that {@link openArray} or {@link nextValue} returned. */
@inline
export function hasValue(at: usize): bool {
  return load<u8>(at) != CLOSE_BRACKET;
}

/** From the end of an array's value to the next one, or to the bracket that closes it. */
export function nextValue(at: usize): usize {
  let p = skipSpace(at);
  if (load<u8>(p) == CLOSE_BRACKET) return p;
  if (load<u8>(p) != COMMA) malformed(p, load<u8>(p) == 0 ? "the text ends in an array" : "no comma in an array");
  p = skipSpace(p + 1);
  if (load<u8>(p) == CLOSE_BRACKET) malformed(p, "no value behind a comma");
  return p;
}

/** How many values an array has. */
export function countValues(at: usize): i32 {
  let count = 0;
  for (let p = openArray(at); hasValue(p); p = nextValue(skipValue(p))) count++;
  return count;
}

/** True when the text of a string that begins at the quote and ends at `end` is that ASCII text, escapes not looked at. */
@inline
export function isText(at: usize, end: usize, text: string): bool {
  return <i32>(end - at) - 2 == text.length && sameText(at + 1, text);
}

function sameText(at: usize, text: string): bool {
  const from = changetype<usize>(text);
  for (let i = 0, n = text.length; i < n; i++) {
    if (load<u8>(at + i) != <u8>load<u16>(from + (<usize>i << 1))) return false;
  }
  return true;
}

/** Where the number ends that {@link readInteger} has read. */
export let integerEnd: usize = 0;

/** An integer from 0 to 2^64 - 1 in plain digits. Anything else is refused: strings, fractions, exponents, signs, leading zeros. */
export function readInteger(at: usize): u64 {
  let value: u64 = 0;
  let p = at;
  let c = load<u8>(p);
  while (c >= 0x30 && c <= 0x39) {
    const digit = <u64>(c - 0x30);
    if (value >= 1844674407370955161 && (value > 1844674407370955161 || digit > 5)) malformed(at, "a number above 2^64 - 1");
    value = value * 10 + digit;
    p++;
    c = load<u8>(p);
  }
  if (p == at || isWordByte(c)) malformed(at, "no whole number from 0 on");
  if (p - at > 1 && load<u8>(at) == 0x30) malformed(at, "a number with leading zeros");
  integerEnd = p;
  return value;
}
