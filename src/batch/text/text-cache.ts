const SLOTS = 1024;
/** Longer texts are decoded each time: they seldom come again. */
const CACHED_BYTES_MAX = 64;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** Texts by their UTF-8 bytes: what was decoded lately is not decoded again. */
export class TextCache {
  private readonly bytes: (Uint8Array | undefined)[] = new Array<undefined>(SLOTS).fill(undefined);
  private readonly texts: string[] = new Array<string>(SLOTS).fill("");

  /** The text of bytes `from` to `to`, which are valid UTF-8. */
  textOf(bytes: Uint8Array, from: number, to: number): string {
    if (to - from > CACHED_BYTES_MAX) return decoder.decode(bytes.subarray(from, to));
    let hash = to - from;
    for (let at = from; at < to; at++) hash = (31 * hash + (bytes[at] as number)) | 0;
    const slot = (hash ^ (hash >>> 10) ^ (hash >>> 20)) & (SLOTS - 1);
    const known = this.bytes[slot];
    if (known !== undefined && isSame(known, bytes, from, to)) return this.texts[slot] as string;
    const part = bytes.slice(from, to);
    const text = decoder.decode(part);
    this.bytes[slot] = part;
    this.texts[slot] = text;
    return text;
  }
}

function isSame(known: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (known.length !== to - from) return false;
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[from + i]) return false;
  return true;
}
