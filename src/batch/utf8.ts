const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The bit that no byte of ASCII has, in each byte of a word. */
const HIGH_BITS = 0x8080_8080;

/**
 * True when bytes are valid UTF-8. Most texts are ASCII from end to end, which a loop over words finds several times faster than a decoder
 * makes the text.
 */
export function isUtf8(bytes: Uint8Array): boolean {
  const ascii = asciiBytes(bytes);
  if (ascii === bytes.length) return true;
  try {
    strict.decode(bytes.subarray(ascii));
    return true;
  } catch {
    return false;
  }
}

/** Bytes of ASCII at the beginning: all of them, or up to the first that is none, or a little less. */
function asciiBytes(bytes: Uint8Array): number {
  const head = Math.min(bytes.length, -bytes.byteOffset & 3);
  let at = 0;
  while (at < head && (bytes[at] as number) < 0x80) at++;
  if (at < head || at === bytes.length) return at;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + head, (bytes.length - head) >> 2);
  at += 4 * asciiWords(words);
  while (at < bytes.length && (bytes[at] as number) < 0x80) at++;
  return at;
}

/** Words at the beginning, in eights, whose bytes are all ASCII. */
function asciiWords(words: Int32Array): number {
  const end = words.length & ~7;
  let i = 0;
  for (; i < end; i += 8) {
    const low = (words[i] as number) | (words[i + 1] as number) | (words[i + 2] as number) | (words[i + 3] as number);
    const high =
      (words[i + 4] as number) | (words[i + 5] as number) | (words[i + 6] as number) | (words[i + 7] as number);
    if (((low | high) & HIGH_BITS) !== 0) break;
  }
  return i;
}
