// Where a JSON object or list ends, by its brackets and quotes alone, 16 bytes at a time. No module of a pipeline: the readers of chains
// call it (src/sources/chain/brackets.ts). The text comes in pieces; what is open is kept from one to the next.

/** Bytes of a piece, and where it is put. */
const PIECE_BYTES: i32 = 262144;
const PIECE = memory.data(262144 + 16, 64);

let depth: i32 = 0;
/** All ones inside a string. */
let inside: u32 = 0;
/** The byte before was a backslash that takes the next one's meaning away. */
let escaped = false;

export function place(): usize {
  return PIECE;
}

export function room(): i32 {
  return PIECE_BYTES;
}

/** Begins before an opening bracket. */
export function begin(): void {
  depth = 0;
  inside = 0;
  escaped = false;
}

/** Looks through the next bytes. Returns the position behind the bracket that closes the first one, or -1 where it is not among them. */
export function scan(length: i32): i32 {
  let at: i32 = 0;
  // Whole vectors first; what is left behind the last one byte by byte.
  while (at + 16 <= length) {
    const chunk = v128.load(PIECE + at);
    if (escaped || v128.any_true(i8x16.eq(chunk, i8x16.splat(0x5c)))) {
      const found = slowly(at, at + 16);
      if (found >= 0) return found;
      at += 16;
      continue;
    }
    let quoted: u32 = i8x16.bitmask(i8x16.eq(chunk, i8x16.splat(0x22)));
    quoted ^= quoted << 1;
    quoted ^= quoted << 2;
    quoted ^= quoted << 4;
    quoted ^= quoted << 8;
    quoted = (quoted ^ inside) & 0xffff;
    inside = (0 - (quoted >> 15)) & 0xffff;
    const folded = v128.or(chunk, i8x16.splat(0x20));
    const opening: u32 = i8x16.bitmask(i8x16.eq(folded, i8x16.splat(0x7b))) & ~quoted;
    const closing: u32 = i8x16.bitmask(i8x16.eq(folded, i8x16.splat(0x7d))) & ~quoted;
    if (<i32>popcnt(closing) < depth) depth += <i32>popcnt(opening) - <i32>popcnt(closing);
    else {
      let both = opening | closing;
      while (both != 0) {
        const bit = both & (0 - both);
        both ^= bit;
        depth += (opening & bit) != 0 ? 1 : -1;
        if (depth == 0) return at + <i32>ctz(bit) + 1;
      }
    }
    at += 16;
  }
  return slowly(at, length);
}

function slowly(from: i32, to: i32): i32 {
  for (let at = from; at < to; at++) {
    const byte = load<u8>(PIECE + at);
    if (inside != 0) {
      if (escaped) escaped = false;
      else if (byte == 0x5c) escaped = true;
      else if (byte == 0x22) inside = 0;
      continue;
    }
    if (byte == 0x22) inside = 0xffff;
    else if ((byte | 0x20) == 0x7b) depth++;
    else if ((byte | 0x20) == 0x7d && --depth == 0) return at + 1;
  }
  return -1;
}
