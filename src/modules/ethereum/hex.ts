// Hexadecimal forms of JSON-RPC (execution-apis, QUANTITY and DATA), 32 digits at a time, decoded to RLP strings in the arena. A field is
// where such a string begins and how many bytes it has, two numbers of 32 bits; zeros where there is none.
import { advance, here } from "./arena";
import { misformed, told } from "./fault";
import { headerBytes, writeHeader, writeNumber } from "./rlp";

const QUOTE: u8 = 0x22;
/** `"0x` as it stands in memory. */
const PREFIX: u32 = 0x783022;

@inline
function isPrefixed(p: usize): bool {
  return (load<u32>(p) & 0xffffff) == PREFIX;
}

/**
 * Values of 16 digits, 16 or more for a character that is none: digits come to 0 to 9 and letters to 10 to 15 by sums that saturate, and all
 * else to more in both.
 */
@inline
function nibbles(chunk: v128): v128 {
  const digits = i8x16.sub(i8x16.sub_sat_u(i8x16.add(chunk, i8x16.splat(<i8>0xc6)), i8x16.splat(6)), i8x16.splat(<i8>0xf0));
  const letters = i8x16.add_sat_u(i8x16.sub(v128.and(chunk, i8x16.splat(<i8>0xdf)), i8x16.splat(0x41)), i8x16.splat(10));
  return i8x16.min_u(digits, letters);
}

/** Bits of the values that come of no digit. */
@inline
function strangers(values: v128): u32 {
  return i8x16.bitmask(i8x16.add_sat_u(values, i8x16.splat(0x70)));
}

/** Pairs of 32 values as bytes. */
@inline
function packed(low: v128, high: v128): v128 {
  const even = i8x16.shuffle(low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const odd = i8x16.shuffle(low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return v128.or(i16x8.shl(even, 4), odd);
}

/** Decodes digits that were found to be valid; up to 15 bytes more are written. */
function decode(from: usize, to: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += 16)
    v128.store(to + i, packed(nibbles(v128.load(from + (i << 1))), nibbles(v128.load(from + (i << 1), 16))));
}

@inline
function setField(field: usize, at: usize, end: usize): void {
  store<u32>(field, <u32>at);
  store<u32>(field, <u32>(end - at), 4);
  advance(end);
}

/** Reads a QUANTITY of at most 32 bytes: 0x and digits without leading zeros. Returns the byte behind it. */
export function quantity(p: usize, field: usize): usize {
  if (!isPrefixed(p)) return misformed(p, 'a quantity such as "0x1f"');
  const digits = p + 3;
  const values = nibbles(v128.load(digits));
  const stop = strangers(values);
  if (stop == 0) return longQuantity(p, field);
  const count = ctz(stop);
  if (load<u8>(digits + count) != QUOTE || count == 0 || (count > 1 && load<u8>(digits) == 0x30))
    return misformed(p, "a quantity (0x and hexadecimal digits without leading zeros)");
  const places = i8x16.sub(i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), i8x16.splat(<i8>(16 - count)));
  const moved = i8x16.swizzle(values, places);
  const value = bswap<u64>(i64x2.extract_lane(packed(moved, moved), 0));
  const at = here();
  setField(field, at, writeNumber(at, value));
  return digits + count + 1;
}

function longQuantity(p: usize, field: usize): usize {
  const digits = p + 3;
  let count: usize = 16;
  for (; count <= 64; count += 16) {
    const stop = strangers(nibbles(v128.load(digits + count)));
    if (stop == 0) continue;
    count += ctz(stop);
    break;
  }
  if (load<u8>(digits + count) != QUOTE || load<u8>(digits) == 0x30)
    return misformed(p, "a quantity (0x and hexadecimal digits without leading zeros)");
  if (count > 64) return misformed(p, "a quantity of at most 32 bytes");
  const bytes = (count + 1) >> 1;
  const at = here();
  store<u8>(at, 0x80 + <u8>bytes);
  let from = digits;
  let to = at + 1;
  if ((count & 1) != 0) {
    const first = load<u8>(from);
    store<u8>(to, (first & 15) + (first > 0x39 ? 9 : 0));
    from++;
    to++;
  }
  decode(from, to, at + 1 + bytes - to);
  setField(field, at, at + 1 + bytes);
  return digits + count + 1;
}

/** Reads DATA of a known length (at most 55 bytes, or 256) to an RLP string at `to`. Returns the byte behind it. */
export function fixedTo(p: usize, bytes: usize, to: usize): usize {
  if (!isPrefixed(p)) return wrongLength(p, bytes);
  const digits = p + 3;
  const body = writeHeader(to, bytes, 0x80);
  let strange = i8x16.splat(0);
  let i: usize = 0;
  for (; i + 16 <= bytes; i += 16) {
    const low = nibbles(v128.load(digits + (i << 1)));
    const high = nibbles(v128.load(digits + (i << 1), 16));
    strange = i8x16.max_u(strange, i8x16.max_u(low, high));
    v128.store(body + i, packed(low, high));
  }
  let stop = strangers(strange);
  if (i < bytes) {
    // At most eight bytes more.
    const values = nibbles(v128.load(digits + (i << 1)));
    stop |= strangers(values) & ((1 << <u32>((bytes - i) << 1)) - 1);
    v128.store64_lane(body + i, packed(values, values), 0);
  }
  if (stop != 0 || load<u8>(digits + (bytes << 1)) != QUOTE) return wrongLength(p, bytes);
  return digits + (bytes << 1) + 1;
}

function wrongLength(p: usize, bytes: usize): usize {
  return misformed(
    p,
    bytes == 20
      ? "an address (0x and 40 hexadecimal digits)"
      : bytes == 32
        ? "a hash (0x and 64 hexadecimal digits)"
        : bytes == 256
          ? "a logs bloom (0x and 512 hexadecimal digits)"
          : "a nonce (0x and 16 hexadecimal digits)",
  );
}

/** Reads DATA of a known length. */
export function fixed(p: usize, bytes: usize, field: usize): usize {
  const at = here();
  const behind = fixedTo(p, bytes, at);
  setField(field, at, at + headerBytes(bytes) + bytes);
  return behind;
}

/** Reads DATA of any length: 0x and an even number of digits. */
export function data(p: usize, field: usize): usize {
  if (!isPrefixed(p)) return misformed(p, 'bytes such as "0x00ff"');
  const digits = p + 3;
  // Room for the longest header; the content is put right behind the one that it gets.
  const at = here();
  const body = at + 5;
  let count: usize = 0;
  let stop: u32 = 0;
  do {
    const low = nibbles(v128.load(digits + count));
    const high = nibbles(v128.load(digits + count, 16));
    v128.store(body + (count >> 1), packed(low, high));
    stop = strangers(i8x16.max_u(low, high));
    count += stop == 0 ? 32 : ctz(strangers(low) | (strangers(high) << 16));
  } while (stop == 0);
  if (load<u8>(digits + count) != QUOTE || (count & 1) != 0)
    return misformed(p, "bytes (0x and an even number of hexadecimal digits)");
  const length = count >> 1;
  if (length == 1 && load<u8>(body) < 0x80) {
    setField(field, body, body + 1);
    return digits + count + 1;
  }
  const item = body - headerBytes(length);
  writeHeader(item, length, 0x80);
  setField(field, item, body + length);
  return digits + count + 1;
}

/** The number in a field that a QUANTITY was read into. Stops at one of more than 64 bits. */
export function numberOf(field: usize, name: string): u64 {
  const at = <usize>load<u32>(field);
  const length = <usize>load<u32>(field, 4);
  if (length > 9) told().text("field ").text(name).text(" has more than 64 bits").fail("ETH_FIELD_LIMIT");
  return small(at, length);
}

/** The number in an RLP string of at most 8 bytes. */
export function small(at: usize, length: usize): u64 {
  const first = load<u8>(at);
  if (length <= 1) return first < 0x80 ? first : 0;
  let value: u64 = 0;
  for (let i: usize = 1; i < length; i++) value = (value << 8) | load<u8>(at + i);
  return value;
}
