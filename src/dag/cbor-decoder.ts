import { CID } from "multiformats/cid";

/** Nesting up to which values are read here; the library takes deeper ones. */
const DEPTH_MAX = 64;
/** Texts up to this many bytes are read byte by byte, which is faster than a call of the decoder. */
const SHORT_TEXT = 48;

const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What {@link decodePlainCbor} gives for bytes that the library has to look at. */
export const NOT_PLAIN: unique symbol = Symbol("not plain");

/**
 * Decodes dag-cbor that is as encoders write it: shortest numbers, keys in order, doubles, links. Gives what `@ipld/dag-cbor`
 * gives, several times faster; {@link NOT_PLAIN} for anything else, which may be sound or not.
 */
export function decodePlainCbor(bytes: Uint8Array): unknown {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  return reader.isOver && value !== NOT_PLAIN ? value : NOT_PLAIN;
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isOver(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(depth: number): unknown {
    const first = this.#bytes[this.#at++];
    if (first === undefined || depth > DEPTH_MAX) return NOT_PLAIN;
    const major = first >>> 5;
    if (major === 7) return this.#simple(first);
    const size = this.#number(first & 0x1f);
    if (size < 0) return NOT_PLAIN;
    switch (major) {
      case 0:
        return size;
      case 1:
        return size === Number.MAX_SAFE_INTEGER ? NOT_PLAIN : -1 - size;
      case 2:
        return this.#data(size);
      case 3:
        return this.#text(size);
      case 4:
        return this.#list(size, depth);
      case 5:
        return this.#record(size, depth);
      default:
        return size === 42 ? this.#link() : NOT_PLAIN;
    }
  }

  #simple(first: number): unknown {
    if (first === 0xf4) return false;
    if (first === 0xf5) return true;
    if (first === 0xf6) return null;
    if (first !== 0xfb || this.#at + 8 > this.#bytes.length) return NOT_PLAIN;
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, 8).getFloat64(0);
    this.#at += 8;
    return Number.isFinite(value) ? value : NOT_PLAIN;
  }

  /** The number behind a head's low bits; -1 where it is not in its shortest form, too large, or cut off. */
  #number(low: number): number {
    if (low < 24) return low;
    const bytes = this.#bytes;
    const size = low === 24 ? 1 : low === 25 ? 2 : low === 26 ? 4 : low === 27 ? 8 : 0;
    if (size === 0 || this.#at + size > bytes.length) return -1;
    let value = 0;
    for (let index = 0; index < size; index++) value = value * 0x100 + (bytes[this.#at++] as number);
    const least = low === 24 ? 24 : low === 25 ? 0x100 : low === 26 ? 0x10000 : 0x1_0000_0000;
    return value < least || value > Number.MAX_SAFE_INTEGER ? -1 : value;
  }

  #data(size: number): Uint8Array | typeof NOT_PLAIN {
    const start = this.#at;
    if (start + size > this.#bytes.length) return NOT_PLAIN;
    this.#at += size;
    return Uint8Array.prototype.slice.call(new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, size));
  }

  #text(size: number): string | typeof NOT_PLAIN {
    const start = this.#at;
    const end = start + size;
    const bytes = this.#bytes;
    if (end > bytes.length) return NOT_PLAIN;
    this.#at = end;
    if (size <= SHORT_TEXT) {
      let value = "";
      for (let index = start; index < end; index++) {
        const byte = bytes[index] as number;
        if (byte > 0x7f) return decoded(bytes.subarray(start, end));
        value += String.fromCharCode(byte);
      }
      return value;
    }
    return decoded(bytes.subarray(start, end));
  }

  #list(size: number, depth: number): unknown {
    if (this.#at + size > this.#bytes.length) return NOT_PLAIN;
    const items: unknown[] = [];
    for (let index = 0; index < size; index++) {
      const item = this.value(depth + 1);
      if (item === NOT_PLAIN) return NOT_PLAIN;
      items.push(item);
    }
    return items;
  }

  #record(size: number, depth: number): unknown {
    const result: Record<string, unknown> = {};
    let before: string | undefined;
    for (let index = 0; index < size; index++) {
      const first = this.#bytes[this.#at++] ?? 0;
      if (first >>> 5 !== 3) return NOT_PLAIN;
      const length = this.#number(first & 0x1f);
      const key = length < 0 ? NOT_PLAIN : this.#key(length);
      if (key === NOT_PLAIN || key === "__proto__") return NOT_PLAIN;
      // In order, so none is there twice.
      if (before !== undefined && !(before.length < key.length || (before.length === key.length && before < key)))
        return NOT_PLAIN;
      before = key;
      const value = this.value(depth + 1);
      if (value === NOT_PLAIN) return NOT_PLAIN;
      result[key] = value;
    }
    return result;
  }

  /** A key of ASCII. */
  #key(size: number): string | typeof NOT_PLAIN {
    const end = this.#at + size;
    if (end > this.#bytes.length) return NOT_PLAIN;
    let key = "";
    while (this.#at < end) {
      const byte = this.#bytes[this.#at++] as number;
      if (byte > 0x7f) return NOT_PLAIN;
      key += String.fromCharCode(byte);
    }
    return key;
  }

  #link(): CID | typeof NOT_PLAIN {
    const first = this.#bytes[this.#at++] ?? 0;
    if (first >>> 5 !== 2) return NOT_PLAIN;
    const size = this.#number(first & 0x1f);
    const bytes = size < 2 ? NOT_PLAIN : this.#data(size);
    if (bytes === NOT_PLAIN || bytes[0] !== 0) return NOT_PLAIN;
    try {
      return CID.decode(bytes.subarray(1));
    } catch {
      return NOT_PLAIN;
    }
  }
}

function decoded(bytes: Uint8Array): string | typeof NOT_PLAIN {
  try {
    return text.decode(bytes);
  } catch {
    return NOT_PLAIN;
  }
}
