// A strict reader of JSON (RFC 8259) that jumps from quote to quote. A text is followed by a zero byte while it is read: zero is no part
// of any JSON, so nothing reads on behind the end.
import { malformed } from "./fault";
import { KEY_MULTIPLIER, KEY_SLOTS, KEY_TEXTS } from "./keys";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const DEPTH_MAX: i32 = 64;

/** The first byte that is no white space. */
@inline
export function skipSpace(p: usize): usize {
  return load<u8>(p) > 0x20 ? p : skipSpaces(p);
}

function skipSpaces(p: usize): usize {
  while (load<u8>(p) == 0x20 || load<u8>(p) == 0x0a || load<u8>(p) == 0x0d || load<u8>(p) == 0x09) p++;
  return p;
}

/** The closing quote of a string, from the byte behind its opening one. */
export function stringEnd(p: usize): usize {
  for (;;) {
    const chunk = v128.load(p);
    const stop = i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(chunk, i8x16.splat(QUOTE)), i8x16.eq(chunk, i8x16.splat(BACKSLASH))),
        i8x16.lt_u(chunk, i8x16.splat(0x20)),
      ),
    );
    if (stop == 0) {
      p += 16;
      continue;
    }
    p += ctz(stop);
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

/** Number of the key that {@link readKey} has read. */
export let key: u32 = 0;

/** Reads a key and the colon behind it; the value follows. Keys with escapes are refused: they could hide another's name. */
export function readKey(p: usize): usize {
  if (load<u8>(p) != QUOTE) return malformed(p, "key");
  const at = p + 1;
  const end = stringEnd(at);
  const length = end - at;
  key = 0;
  if (length < 25) {
    const first = length < 8 ? load<u64>(at) & (((<u64>1) << (length << 3)) - 1) : load<u64>(at);
    const last: u64 = length > 8 ? load<u64>(end - 8) : 0;
    const hash = ((first ^ (last << 1) ^ <u64>length) * KEY_MULTIPLIER) >> 56;
    const found = load<u8>(KEY_SLOTS + <usize>hash);
    const known = KEY_TEXTS + ((<usize>found) << 5);
    if (
      load<u64>(known) == <u64>length &&
      load<u64>(known, 8) == first &&
      load<u64>(known, 16) == last &&
      (length <= 16 || load<u64>(known, 24) == load<u64>(at + 8))
    )
      key = found;
    // A backslash stands in no key that is known, and a key without one is what it says.
    else if (hasBackslash(at, end)) return malformed(p, "key without escapes");
  } else if (hasBackslash(at, end)) return malformed(p, "key without escapes");
  p = skipSpace(end + 1);
  if (load<u8>(p) != 0x3a) return malformed(p, "colon");
  return skipSpace(p + 1);
}

function hasBackslash(at: usize, end: usize): bool {
  for (let p = at; p < end; p++) if (load<u8>(p) == BACKSLASH) return true;
  return false;
}

/** The beginning of an object's or list's first member, or of what closes it. */
@inline
export function open(p: usize, bracket: u8, what: string): usize {
  if (load<u8>(p) != bracket) return malformed(p, what);
  return skipSpace(p + 1);
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
 * The byte behind an object or list, by its brackets alone: what stands between them is not looked at. Several times faster than
 * {@link skipValue}, for where nothing is verified.
 */
export function skipBrackets(from: usize, end: usize): usize {
  if ((load<u8>(from) | 0x20) != 0x7b) return skipValue(from);
  let depth: i32 = 0;
  let carry: u32 = 0;
  for (let p = from; p < end; p += 16) {
    const chunk = v128.load(p);
    if (v128.any_true(i8x16.eq(chunk, i8x16.splat(BACKSLASH)))) return skipValue(from);
    let inside: u32 = i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(QUOTE)));
    inside ^= inside << 1;
    inside ^= inside << 2;
    inside ^= inside << 4;
    inside ^= inside << 8;
    inside = (inside ^ carry) & 0xffff;
    carry = (0 - (inside >> 15)) & 0xffff;
    const folded = v128.or(chunk, i8x16.splat(0x20));
    let opening: u32 = i8x16.bitmask(i8x16.eq(folded, i8x16.splat(0x7b))) & ~inside;
    let closing: u32 = i8x16.bitmask(i8x16.eq(folded, i8x16.splat(0x7d))) & ~inside;
    if (<i32>popcnt(closing) < depth) {
      depth += <i32>popcnt(opening) - <i32>popcnt(closing);
      continue;
    }
    let both = opening | closing;
    while (both != 0) {
      const bit = both & (0 - both);
      both ^= bit;
      depth += (opening & bit) != 0 ? 1 : -1;
      if (depth == 0) {
        const behind = p + ctz(bit) + 1;
        return behind > end ? malformed(end, "closing bracket") : behind;
      }
    }
  }
  return malformed(end, "closing bracket");
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
