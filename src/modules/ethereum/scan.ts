// A strict reader of JSON (RFC 8259) that jumps from quote to quote. A text is followed by a zero byte while it is read: zero is no part
// of any JSON, so nothing reads on behind the end.
import { beginBrackets, bracketsEnd } from "../json/brackets";
import { BACKSLASH, QUOTE, skipSpace, stringStop } from "../json/characters";
import { malformed, misformed } from "./fault";

const DEPTH_MAX: i32 = 64;

/** The closing quote of a string, from the byte behind its opening one. */
export function stringEnd(from: usize): usize {
  let p = from;
  for (;;) {
    p = stringStop(p);
    const byte = load<u8>(p);
    if (byte == QUOTE) return p;
    if (byte != BACKSLASH) return malformed(p, "character of a string");
    p = escapeEnd(p + 1);
  }
  return 0;
}

function escapeEnd(p: usize): usize {
  switch (load<u8>(p)) {
    case 0x22:
    case 0x5c:
    case 0x2f:
    case 0x62:
    case 0x66:
    case 0x6e:
    case 0x72:
    case 0x74:
      return p + 1;
    case 0x75:
      for (let i: usize = 1; i <= 4; i++) {
        const byte = load<u8>(p + i);
        const letter = (byte | 0x20) - 0x61;
        if (byte - 0x30 > 9 && letter > 5) return malformed(p + i, "hexadecimal digit");
      }
      return p + 5;
    default:
      return malformed(p, "escape");
  }
}

/** The beginning of an object's or list's first member, or of what closes it. `what` is what was expected. */
@inline
export function open(p: usize, bracket: u8, what: string): usize {
  if (load<u8>(p) != bracket) return unopened(p, what);
  return skipSpace(p + 1);
}

function unopened(p: usize, what: string): usize {
  const byte = load<u8>(p);
  // Another value of JSON, by its first character.
  const isValue = byte == QUOTE || byte == 0x2d || byte - 0x30 <= 9 || (byte | 0x20) == 0x7b || byte == 0x66 || byte == 0x6e || byte == 0x74;
  return isValue ? misformed(p, what) : malformed(p, what);
}

/** The byte behind a literal or number. */
function scalarEnd(p: usize): usize {
  const word = load<u32>(p);
  if (word == 0x6c6c756e || word == 0x65757274) return p + 4; // null, true
  if (word == 0x736c6166 && load<u8>(p + 4) == 0x65) return p + 5; // false
  let at = p;
  if (load<u8>(at) == 0x2d) at++;
  if (load<u8>(at) == 0x30) at++;
  else at = digitsEnd(at, p);
  if (load<u8>(at) == 0x2e) at = digitsEnd(at + 1, p);
  if ((load<u8>(at) | 0x20) == 0x65) {
    at++;
    if (load<u8>(at) == 0x2b || load<u8>(at) == 0x2d) at++;
    at = digitsEnd(at, p);
  }
  return at;
}

function digitsEnd(p: usize, from: usize): usize {
  if (load<u8>(p) - 0x30 > 9) return malformed(from, "value");
  while (load<u8>(p) - 0x30 <= 9) p++;
  return p;
}

function keyEnd(p: usize): usize {
  if (load<u8>(p) != QUOTE) return malformed(p, "key");
  p = skipSpace(stringEnd(p + 1) + 1);
  if (load<u8>(p) != 0x3a) return malformed(p, "colon");
  return skipSpace(p + 1);
}

/** The byte behind a value of any kind, whose grammar is checked. */
export function skipValue(p: usize): usize {
  let depth: i32 = 0;
  let objects: u64 = 0;
  for (;;) {
    const byte = load<u8>(p);
    if (byte == QUOTE) p = stringEnd(p + 1) + 1;
    else if ((byte | 0x20) == 0x7b) {
      if (depth == DEPTH_MAX) return malformed(p, "value of at most 64 levels");
      const isObject = byte == 0x7b;
      p = skipSpace(p + 1);
      if (load<u8>(p) == byte + 2) p++;
      else {
        depth++;
        objects = (objects << 1) | u64(isObject);
        if (isObject) p = keyEnd(p);
        continue;
      }
    } else p = scalarEnd(p);
    for (;;) {
      if (depth == 0) return p;
      p = skipSpace(p);
      const next = load<u8>(p);
      const isObject = (objects & 1) != 0;
      if (next == 0x2c) {
        p = skipSpace(p + 1);
        if (isObject) p = keyEnd(p);
        break;
      }
      if (next != (isObject ? 0x7d : 0x5d)) return malformed(p, isObject ? "comma or }" : "comma or ]");
      p++;
      depth--;
      objects >>= 1;
    }
  }
  return 0;
}

/**
 * The byte behind a value; of an object or list by its brackets alone, what stands between them is not looked at. Several times faster than
 * {@link skipValue}, for where nothing is verified.
 */
export function skipBrackets(from: usize, end: usize): usize {
  if ((load<u8>(from) | 0x20) != 0x7b) return skipValue(from);
  beginBrackets();
  const behind = bracketsEnd(from, end);
  return behind == 0 ? malformed(end, "closing bracket") : behind;
}

/** Behind a member of an object or list: the next one, or 0 where `closing` closes it; then {@link closed} is the byte behind. */
@inline
export function next(p: usize, closing: u8): usize {
  const at = skipSpace(p);
  if (load<u8>(at) == 0x2c) return skipSpace(at + 1);
  if (load<u8>(at) != closing) return malformed(at, "comma or closing bracket");
  closed = at + 1;
  return 0;
}

/** See {@link next}. */
export let closed: usize = 0;
