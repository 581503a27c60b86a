// What readers of JSON look for among the characters of a text, many at a time. Up to 63 bytes behind a text are read; they may be anything.

export const QUOTE: u8 = 0x22;
export const BACKSLASH: u8 = 0x5c;

/** The first byte from here on that is no white space. */
@inline
export function skipSpace(at: usize): usize {
  // Most texts have none.
  return load<u8>(at) > 0x20 ? at : skipSpaces(at);
}

function skipSpaces(at: usize): usize {
  let p = at;
  while (load<u8>(p) == 0x20 || load<u8>(p) == 0x0a || load<u8>(p) == 0x0d || load<u8>(p) == 0x09) p++;
  return p;
}

/** True for `null`; whether more letters follow is found by what reads on. */
@inline
export function isNull(at: usize): bool {
  return load<u32>(at) == 0x6c6c_756e;
}

/** Marks quotes, backslashes and control characters: with one bit turned, a quote is the lowest character that is no control character. */
@inline
function stops(characters: v128): v128 {
  const low = i8x16.le_u(v128.xor(characters, i8x16.splat(2)), i8x16.splat(0x20));
  return v128.or(low, i8x16.eq(characters, i8x16.splat(BACKSLASH)));
}

/** The first quote, backslash or control character from here on. There is one: a zero byte stands behind each text. */
@inline
export function stringStop(from: usize): usize {
  let at = from - 32;
  let found: u32 = 0;
  do {
    at += 32;
    found = i8x16.bitmask(stops(v128.load(at))) | (i8x16.bitmask(stops(v128.load(at, 16))) << 16);
  } while (found == 0);
  return at + ctz(found);
}

/** The first zero byte of a text that ends at `end`, or `end`. */
export function zeroIn(from: usize, end: usize): usize {
  for (let at = from; at < end; at += 64) {
    const low = i8x16.min_u(v128.load(at), v128.load(at, 16));
    const high = i8x16.min_u(v128.load(at, 32), v128.load(at, 48));
    if (i8x16.all_true(i8x16.min_u(low, high))) continue;
    const last = min(at + 64, end);
    for (let p = at; p < last; p++) if (load<u8>(p) == 0) return p;
  }
  return end;
}
