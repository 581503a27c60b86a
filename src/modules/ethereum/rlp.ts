// Recursive length prefix (Ethereum yellow paper, appendix B).

/** Bytes of the header of a string or list whose content has that length; a string of one byte below 0x80 has none. */
@inline
export function headerBytes(length: usize): usize {
  return length < 56 ? 1 : length < 256 ? 2 : length < 65536 ? 3 : length < 16777216 ? 4 : 5;
}

/** Writes the header of a string (`base` 0x80) or list (0xc0), and returns the byte behind it. */
export function writeHeader(at: usize, length: usize, base: u8): usize {
  if (length < 56) {
    store<u8>(at, base + <u8>length);
    return at + 1;
  }
  const bytes = headerBytes(length) - 1;
  store<u8>(at, base + 55 + <u8>bytes);
  for (let i: usize = 0; i < bytes; i++) store<u8>(at + bytes - i, <u8>(length >> (i << 3)));
  return at + 1 + bytes;
}

/** Writes a number as the shortest string that holds it, and returns the byte behind it. May write 9 bytes. */
export function writeNumber(at: usize, value: u64): usize {
  if (value == 0) {
    store<u8>(at, 0x80);
    return at + 1;
  }
  if (value < 0x80) {
    store<u8>(at, <u8>value);
    return at + 1;
  }
  const bytes = 8 - (clz(value) >> 3);
  store<u8>(at, 0x80 + <u8>bytes);
  store<u64>(at + 1, bswap(value << (64 - (bytes << 3))));
  return at + 1 + <usize>bytes;
}

/** Where the content of a string begins. */
@inline
export function contentOf(item: usize): usize {
  const first = load<u8>(item);
  return first < 0x80 ? item : first < 0xb8 ? item + 1 : item + 1 + <usize>(first - 0xb7);
}

/** Length of the content of a string whose item has that many bytes. */
@inline
export function contentLength(item: usize, length: usize): usize {
  return length - (contentOf(item) - item);
}

/** Puts a list's header before a content that ends at `end`: the content moves behind it. Returns the new end. */
export function closeList(content: usize, end: usize): usize {
  const length = end - content;
  const header = headerBytes(length);
  memory.copy(content + header, content, length);
  writeHeader(content, length, 0xc0);
  return end + header;
}
