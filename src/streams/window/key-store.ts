import type { Value } from "../../batch/column.ts";
import { compareBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { compareHeads, HEAD_WORDS, putHead, sortedIds } from "./key-order.ts";

/** Ids are wanted in order for at least this share of all keys: else sorting those few is cheaper than sorting new keys in. */
const SHARE_MIN = 1 / 16;

/**
 * What the keys of a table look like, by id: their values column by column, and their canonical bytes (the dag-cbor array
 * of the values) one after the other. It keeps no object a key: there may be millions.
 */
export class KeyStore {
  private readonly values: readonly Value[][];
  private bytes = new Uint8Array(1024);
  private used = 0;
  private starts = new Uint32Array(16);
  /** 0 for an id that is not remembered: canonical bytes are never empty. */
  private lengths = new Uint32Array(16);
  private marks = new Uint32Array(16);
  private heads = new Uint32Array(16 * HEAD_WORDS);
  /** Remembered ids in canonical order, the place of each in it, and those not yet sorted in. */
  private order: Int32Array = new Int32Array(0);
  private rankOf: Int32Array = new Int32Array(0);
  private fresh: number[] = [];

  constructor(columns: number) {
    this.values = Array.from({ length: columns }, () => []);
  }

  /** Bytes of all remembered keys. */
  get sizeBytes(): number {
    return this.used;
  }

  has(id: number): boolean {
    return id < this.lengths.length && this.lengths[id] !== 0;
  }

  /** Remembers a key: its values, and its canonical bytes, which are copied. */
  put(id: number, values: readonly Value[], bytes: Uint8Array): void {
    if (id >= this.lengths.length) this.grow(Math.max(id + 1, 2 * this.lengths.length));
    if (this.used + bytes.length > this.bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.used + bytes.length));
      larger.set(this.bytes.subarray(0, this.used));
      this.bytes = larger;
    }
    this.bytes.set(bytes, this.used);
    this.starts[id] = this.used;
    this.lengths[id] = bytes.length;
    this.used += bytes.length;
    this.marks[id] = markOf(bytes);
    putHead(this.heads, id, bytes);
    this.values.forEach((column, i) => {
      // Ids come in any order; a hole would make the array a slow one.
      while (column.length <= id) column.push(null);
      column[id] = values[i] ?? null;
    });
    this.fresh.push(id);
  }

  /** A key's value in the key column at that position. */
  valueOf(id: number, column: number): Value {
    return this.values[column]?.[id] ?? null;
  }

  /** Values of a key column by id. */
  column(column: number): readonly Value[] {
    return this.values[column] ?? [];
  }

  /** Values in the order of the key columns. */
  valuesOf(id: number): Value[] {
    return this.values.map((column) => column[id] ?? null);
  }

  lengthOf(id: number): number {
    return this.lengths[id] as number;
  }

  /** Canonical bytes: a view that lasts until the next {@link put}. */
  bytesOf(id: number): Uint8Array {
    if (!this.has(id)) throw new IpdmError("INVARIANT", `key ${id} was never remembered`);
    const start = this.starts[id] as number;
    return this.bytes.subarray(start, start + (this.lengths[id] as number));
  }

  /** Writes canonical bytes at a place. */
  copy(id: number, into: Uint8Array, at: number): void {
    const start = this.starts[id] as number;
    const length = this.lengths[id] as number;
    // A view for every short key would cost more than its bytes.
    if (length > 64) into.set(this.bytes.subarray(start, start + length), at);
    else for (let i = 0; i < length; i++) into[at + i] = this.bytes[start + i] as number;
  }

  /** 32 bits that a key's bytes alone decide, spread evenly. */
  markOf(id: number): number {
    return this.marks[id] as number;
  }

  /** Order of two remembered keys by their canonical bytes. */
  compare(a: number, b: number): number {
    return compareHeads(this.heads, a, b) || compareBytes(this.bytesOf(a), this.bytesOf(b));
  }

  /**
   * The place of every remembered key in the order of canonical bytes, by id, and how many there are. New keys are sorted
   * and merged in; `undefined` when even that costs more than sorting the `wanted` keys that are asked for.
   */
  ranks(wanted: number): { readonly rankOf: Int32Array; readonly count: number } | undefined {
    if (this.fresh.length > 0) {
      if (wanted < SHARE_MIN * this.order.length) return undefined;
      const fresh = sortedIds(Int32Array.from(this.fresh), this.heads, (a, b) => this.compare(a, b));
      this.order = this.order.length === 0 ? fresh : this.merged(this.order, fresh);
      this.fresh = [];
      this.rankOf = new Int32Array(this.lengths.length);
      for (let rank = 0; rank < this.order.length; rank++) this.rankOf[this.order[rank] as number] = rank;
    }
    return { rankOf: this.rankOf, count: this.order.length };
  }

  private merged(first: Int32Array, second: Int32Array): Int32Array {
    const all = new Int32Array(first.length + second.length);
    let i = 0;
    let j = 0;
    for (let at = 0; at < all.length; at++) {
      const takeFirst =
        j === second.length || (i < first.length && this.compare(first[i] as number, second[j] as number) < 0);
      all[at] = (takeFirst ? first[i++] : second[j++]) as number;
    }
    return all;
  }

  private grow(capacity: number): void {
    const larger = (array: Uint32Array<ArrayBuffer>, width = 1): Uint32Array<ArrayBuffer> => {
      const made = new Uint32Array(capacity * width);
      made.set(array);
      return made;
    };
    this.starts = larger(this.starts);
    this.lengths = larger(this.lengths);
    this.marks = larger(this.marks);
    this.heads = larger(this.heads, HEAD_WORDS);
  }
}

/** FNV-1a with a final mix (that of MurmurHash3), so that all bits depend on all bytes. */
function markOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
