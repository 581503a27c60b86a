// Where an object or list ends, by its brackets and quotes alone, 64 bytes at a time. What is open is kept from one piece of a text to the
// next. Up to 63 bytes behind a piece are read; they may be anything.
import { BACKSLASH, QUOTE } from "./characters";

/** A bracket that opens, or closes, of either kind: they differ in one bit, which is set in both. */
const OPENING: u8 = 0x7b;
const CLOSING: u8 = 0x7d;
const FOLD: u8 = 0x20;
const STEP: usize = 64;

let depth: i32 = 0;
/** All ones inside a string. */
let inside: u64 = 0;
/** The byte before was a backslash that takes the next one's meaning away. */
let escaped = false;

/** Begins before an opening bracket. */
export function beginBrackets(): void {
  depth = 0;
  inside = 0;
  escaped = false;
}

/** Looks through the next bytes. Returns the address behind the bracket that closes the first one, or 0 where it is not among them. */
export function bracketsEnd(from: usize, end: usize): usize {
  for (let p = from; p < end; p += STEP) {
    const a = v128.load(p);
    const b = v128.load(p, 16);
    const c = v128.load(p, 32);
    const d = v128.load(p, 48);
    const some = v128.or(v128.or(marks(a), marks(b)), v128.or(marks(c), marks(d)));
    if (!v128.any_true(some) && !escaped) continue;
    if (escaped || hasAny(a, b, c, d, BACKSLASH)) {
      const found = byBytes(p, min(p + STEP, end));
      if (found != 0) return found;
      continue;
    }
    const left = end - p;
    const valid: u64 = left < STEP ? ((<u64>1) << left) - 1 : ~(<u64>0);
    const quoted = between(mask(a, b, c, d, QUOTE) & valid) ^ inside;
    inside = 0 - (quoted >> 63);
    const outside = valid & ~quoted;
    const opening = mask(folded(a), folded(b), folded(c), folded(d), OPENING) & outside;
    const closing = mask(folded(a), folded(b), folded(c), folded(d), CLOSING) & outside;
    if (<i32>popcnt(closing) < depth) {
      depth += <i32>popcnt(opening) - <i32>popcnt(closing);
      continue;
    }
    for (let both = opening | closing; both != 0; both &= both - 1) {
      depth += (opening & both & (0 - both)) != 0 ? 1 : -1;
      if (depth == 0) return p + <usize>ctz(both) + 1;
    }
  }
  return 0;
}

@inline
function folded(bytes: v128): v128 {
  return v128.or(bytes, i8x16.splat(FOLD));
}

/** Marks quotes, brackets, backslashes and some that are none of these. */
@inline
function marks(bytes: v128): v128 {
  return v128.or(i8x16.ge_u(folded(bytes), i8x16.splat(OPENING)), i8x16.eq(bytes, i8x16.splat(QUOTE)));
}

@inline
function hasAny(a: v128, b: v128, c: v128, d: v128, byte: u8): bool {
  const wanted = i8x16.splat(byte);
  const low = v128.or(i8x16.eq(a, wanted), i8x16.eq(b, wanted));
  return v128.any_true(v128.or(low, v128.or(i8x16.eq(c, wanted), i8x16.eq(d, wanted))));
}

/** A bit for each of 64 bytes that is this one. */
@inline
function mask(a: v128, b: v128, c: v128, d: v128, byte: u8): u64 {
  const wanted = i8x16.splat(byte);
  const low = <u32>i8x16.bitmask(i8x16.eq(a, wanted)) | (<u32>i8x16.bitmask(i8x16.eq(b, wanted)) << 16);
  const high = <u32>i8x16.bitmask(i8x16.eq(c, wanted)) | (<u32>i8x16.bitmask(i8x16.eq(d, wanted)) << 16);
  return <u64>low | (<u64>high << 32);
}

/** Of bits that stand for quotes: all from each that opens a string up to the one that closes it, by adding them up from below. */
@inline
function between(quotes: u64): u64 {
  let bits = quotes;
  bits ^= bits << 1;
  bits ^= bits << 2;
  bits ^= bits << 4;
  bits ^= bits << 8;
  bits ^= bits << 16;
  return bits ^ (bits << 32);
}

function byBytes(from: usize, to: usize): usize {
  for (let p = from; p < to; p++) {
    const byte = load<u8>(p);
    if (inside != 0) {
      if (escaped) escaped = false;
      else if (byte == BACKSLASH) escaped = true;
      else if (byte == QUOTE) inside = 0;
      continue;
    }
    if (byte == QUOTE) inside = ~(<u64>0);
    else if ((byte | FOLD) == OPENING) depth++;
    else if ((byte | FOLD) == CLOSING && --depth == 0) return p + 1;
  }
  return 0;
}
