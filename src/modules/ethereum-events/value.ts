// Values of the contract ABI (Solidity documentation, "Contract ABI Specification"), strictly: padding that is not what an encoder writes
// makes a value malformed. A type is written as one letter and its size: `a` an address, `b` a bool, `u<bits>` and `i<bits>` integers,
// `f<bytes>` fixed bytes, `s` a string, `y` bytes, `[<count>]` or `[]` before the type of a list's items, `(…)` around a tuple's types.

const WORD: usize = 32;

/** Behind a type. */
export let typeEnd: usize = 0;

/** The number in a type at `at`; {@link typeEnd} is behind it. */
export function sizeAt(at: usize): u32 {
  let value: u32 = 0;
  let p = at;
  while (load<u8>(p) - 0x30 <= 9) {
    value = value * 10 + (load<u8>(p) - 0x30);
    p++;
  }
  typeEnd = p;
  return value;
}

/** Whether a type's values lie in the tail, with their offset in the head; {@link typeEnd} is behind the type. */
export function isDynamic(type: usize): bool {
  const letter = load<u8>(type);
  if (letter == 0x73 || letter == 0x79) {
    typeEnd = type + 1;
    return true;
  }
  if (letter == 0x5b) {
    const open = load<u8>(type + 1) == 0x5d;
    sizeAt(type + 1);
    const inner = isDynamic(typeEnd + 1);
    return open || inner;
  }
  if (letter == 0x28) {
    let any = false;
    let p = type + 1;
    while (load<u8>(p) != 0x29) {
      if (isDynamic(p)) any = true;
      p = typeEnd;
    }
    typeEnd = p + 1;
    return any;
  }
  sizeAt(type + 1);
  return false;
}

/** Bytes of a type in a head; {@link typeEnd} is behind the type. */
export function headBytes(type: usize): usize {
  if (isDynamic(type)) return WORD;
  const letter = load<u8>(type);
  if (letter == 0x5b) {
    const count = <usize>sizeAt(type + 1);
    return count * headBytes(typeEnd + 1);
  }
  if (letter == 0x28) {
    let sum: usize = 0;
    let p = type + 1;
    while (load<u8>(p) != 0x29) {
      sum += headBytes(p);
      p = typeEnd;
    }
    typeEnd = p + 1;
    return sum;
  }
  return WORD;
}

/** True for a type whose value is one word. */
export function isWord(type: usize): bool {
  const letter = load<u8>(type);
  return letter != 0x73 && letter != 0x79 && letter != 0x5b && letter != 0x28;
}

/** Whether a word is what an encoder writes for a value of that type. */
export function isSound(type: usize, word: usize): bool {
  const letter = load<u8>(type);
  if (letter == 0x61) return zeros(word, 12);
  if (letter == 0x62) return zeros(word, 31) && load<u8>(word, 31) <= 1;
  const size = <usize>sizeAt(type + 1);
  if (letter == 0x75) return zeros(word, WORD - (size >> 3));
  if (letter == 0x66) return zeros(word + size, WORD - size);
  const first = WORD - (size >> 3);
  const sign: u8 = load<u8>(word + first) >> 7 != 0 ? 0xff : 0;
  for (let i: usize = 0; i < first; i++) if (load<u8>(word + i) != sign) return false;
  return true;
}

function zeros(at: usize, bytes: usize): bool {
  for (let i: usize = 0; i < bytes; i++) if (load<u8>(at + i) != 0) return false;
  return true;
}

/** A word as an offset or length; all that is too large for any data is the largest. */
export function lengthIn(word: usize): usize {
  if (!zeros(word, 28)) return 0x7fffffff;
  return min<u32>(bswap(load<u32>(word, 28)), 0x7fffffff);
}

/** Whether bytes are well-formed UTF-8 (RFC 3629). */
export function isUtf8(at: usize, length: usize): bool {
  const end = at + length;
  let p = at;
  while (p < end) {
    const first = load<u8>(p);
    if (first < 0x80) {
      p++;
      continue;
    }
    const more: usize = first < 0xc2 ? 0 : first < 0xe0 ? 1 : first < 0xf0 ? 2 : first < 0xf5 ? 3 : 0;
    if (more == 0 || p + more >= end) return false;
    const second = load<u8>(p, 1);
    const least: u8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    const most: u8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (second < least || second > most) return false;
    for (let i: usize = 2; i <= more; i++) if ((load<u8>(p + i) & 0xc0) != 0x80) return false;
    p += more + 1;
  }
  return true;
}
