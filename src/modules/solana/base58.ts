// Base58 with Bitcoin's alphabet, in which Solana writes keys, hashes, signatures and data.

import { allocate } from "../../sandbox/sdk/index";

/** 58^5: five digits fit a word of 32 bits. */
const FIVE: u64 = 656_356_768;
const DIGITS = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/** Value of each byte as a digit, 255 where it is none; made at first use. */
let values: usize = 0;
let words: usize = 0;
let room: usize = 0;

function prepare(length: usize): void {
  if (values == 0) {
    values = allocate(256);
    memory.fill(values, 255, 256);
    for (let i = 0; i < 58; i++) store<u8>(values + DIGITS.charCodeAt(i), <u8>i);
  }
  // Digits have less than 6 bits each.
  const need = ((length * 6) >> 3) + 16;
  if (need > room) {
    room = max(need, 256);
    words = allocate(room);
  }
}

/**
 * Decodes a text to an address with room for that many bytes. Gives the bytes that it has, or -1 where a byte is no digit or there are
 * more. The text's length is the caller's to bound: the work grows with its square.
 */
export function decodeBase58(text: usize, length: usize, target: usize, most: i32): i32 {
  prepare(length);
  let zeros = 0;
  while (<usize>zeros < length && load<u8>(text + zeros) == 0x31) zeros++;
  // Words of 32 bits, the lowest first.
  let used: usize = 0;
  let p = text + zeros;
  const end = text + length;
  while (p < end) {
    let factor: u64 = 1;
    let carry: u64 = 0;
    const stop = min(p + 5, end);
    for (; p < stop; p++) {
      const value = load<u8>(values + load<u8>(p));
      if (value == 255) return -1;
      carry = carry * 58 + value;
      factor *= 58;
    }
    for (let at = words; at < words + used; at += 4) {
      carry += <u64>load<u32>(at) * factor;
      store<u32>(at, <u32>carry);
      carry >>= 32;
    }
    if (carry != 0) {
      store<u32>(words + used, <u32>carry);
      used += 4;
    }
  }
  let bytes = <i32>used;
  while (bytes > 0 && load<u8>(words + bytes - 1) == 0) bytes--;
  if (zeros + bytes > most) return -1;
  memory.fill(target, 0, zeros);
  for (let i = 0; i < bytes; i++) store<u8>(target + zeros + i, load<u8>(words + bytes - 1 - i));
  return zeros + bytes;
}

/** Writes bytes as a text to an address and gives its length. There is room for 3 characters for 2 bytes. */
export function encodeBase58(bytes: usize, length: i32, target: usize): i32 {
  prepare(<usize>length * 2);
  let zeros = 0;
  while (zeros < length && load<u8>(bytes + zeros) == 0) zeros++;
  // Words of 32 bits, the highest first; the bytes stand at their end.
  const count = (length + 3) >> 2;
  memory.fill(words, 0, 4);
  const pad = (count << 2) - length;
  for (let i = 0; i < length; i++) {
    const at = i + pad;
    // Each word's bytes are turned, so that it is a number.
    store<u8>(words + (at & ~3) + (3 - (at & 3)), load<u8>(bytes + i));
  }
  // The lowest digits come first: they are turned round at the end.
  let out = 0;
  let first = 0;
  while (first < count) {
    let rest: u64 = 0;
    for (let i = first; i < count; i++) {
      const value = (rest << 32) | load<u32>(words + ((<usize>i) << 2));
      store<u32>(words + ((<usize>i) << 2), <u32>(value / FIVE));
      rest = value % FIVE;
    }
    while (first < count && load<u32>(words + ((<usize>first) << 2)) == 0) first++;
    for (let i = 0; i < 5; i++) {
      store<u8>(target + zeros + out, <u8>DIGITS.charCodeAt(<i32>(rest % 58)));
      rest /= 58;
      out++;
    }
  }
  while (out > 0 && load<u8>(target + zeros + out - 1) == 0x31) out--;
  for (let i = 0, j = out - 1; i < j; i++, j--) {
    const low = load<u8>(target + zeros + i);
    store<u8>(target + zeros + i, load<u8>(target + zeros + j));
    store<u8>(target + zeros + j, low);
  }
  memory.fill(target, 0x31, zeros);
  return zeros + out;
}
