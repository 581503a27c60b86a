import type { Value } from "../../batch/column.ts";
import { compareBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { Arena } from "../kernels/arena.ts";
import { compareHeads, HEAD_BYTES, HEAD_WORDS, putHead, sortedIds } from "./key-order.ts";
import { KeyValues } from "./key-values.ts";

/** Keys in order: by rank, and the rank by id. */
interface Ranks {
  readonly order: Int32Array;
  readonly rankOf: Int32Array;
  readonly count: number;
}

/** Ids are wanted in order for at least this share of all keys: else sorting those few is cheaper than sorting new keys in. */
const SHARE_MIN = 1 / 16;

/**
 * What the keys of a table look like, by id: their values column by column, and their canonical bytes (the dag-cbor array
 * of the values) one after the other. It keeps no object a key: there may be millions.
 */
export class KeyStore {
  private readonly values: readonly KeyValues[];
  private bytes = new Uint8Array(1024);
  private used = 0;
  private starts = new Uint32Array(16);
  /** 0 for an id that is not remembered: canonical bytes are never empty. */
  lengths: Uint32Array;
  private marks = new Uint32Array(16);
  private heads = new Uint32Array(16 * HEAD_WORDS);
  /** Remembered ids in canonical order, the place of each in it, and those not yet sorted in. */
  private order: Int32Array = new Int32Array(0);
  /** Bytes 1 to 6 of a key as one number, by id; and in the order of `order`. */
  private leads = new Float64Array(16);
  /** Room for the next order. */
  private spare: Int32Array = new Int32Array(0);
  private orderLeads = new Float64Array(0);
  private rankOf: Int32Array = new Int32Array(0);
  private fresh: number[] = [];

  private readonly arena: Arena;

  constructor(columns: number, arena = new Arena()) {
    this.arena = arena;
    this.lengths = arena.u32(16);
    this.values = Array.from({ length: columns }, () => new KeyValues());
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
    this.reserve(id, bytes.length);
    this.bytes.set(bytes, this.used);
    for (let i = 0; i < this.values.length; i++) (this.values[i] as KeyValues).put(id, values[i] ?? null);
    this.finish(id, bytes.length);
  }

  /** Remembers a key that is one safe integer, which a batch gives as a number or as a bigint. */
  putInteger(id: number, value: number, isBig: boolean): void {
    this.reserve(id, INTEGER_BYTES);
    (this.values[0] as KeyValues).putNumber(id, value, isBig);
    this.finish(id, putIntegerKey(this.bytes, this.used, value));
  }

  /** Values of a key column by id, those that are numbers as numbers. */
  column(column: number): Float64Array | readonly Value[] {
    return this.values[column]?.all ?? [];
  }

  /** Values in the order of the key columns. */
  valuesOf(id: number): Value[] {
    return this.values.map((column) => column.at(id));
  }

  private reserve(id: number, length: number): void {
    if (id >= this.lengths.length) this.grow(Math.max(id + 1, 2 * this.lengths.length));
    // Heads are read beyond the end, where zeros stand.
    const need = this.used + length + HEAD_BYTES;
    if (need <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, need));
    larger.set(this.bytes.subarray(0, this.used));
    this.bytes = larger;
  }

  /** Takes note of a key whose bytes have been written. */
  private finish(id: number, length: number): void {
    const { used, bytes, heads } = this;
    this.starts[id] = used;
    this.lengths[id] = length;
    this.marks[id] = markOf(bytes, used, length);
    this.leads[id] = putHead(heads, id, bytes, used);
    this.used += length;
    this.fresh.push(id);
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
   * Remembered keys in the order of canonical bytes, the place of each in it by id, and how many there are. New keys are sorted
   * and merged in; `undefined` when even that costs more than sorting the `wanted` keys that are asked for.
   */
  ranks(wanted: number): Ranks | undefined {
    if (this.fresh.length > 0) {
      if (wanted < SHARE_MIN * this.order.length) return undefined;
      const fresh = sortedIds(Int32Array.from(this.fresh), this.heads, (a, b) => this.compare(a, b));
      this.order = this.order.length === 0 ? fresh : this.merged(fresh);
      this.fresh = [];
      if (this.rankOf.length < this.lengths.length) this.rankOf = new Int32Array(this.lengths.length);
      if (this.orderLeads.length < this.order.length) this.orderLeads = new Float64Array(2 * this.order.length);
      for (let rank = 0; rank < this.order.length; rank++) {
        const id = this.order[rank] as number;
        this.rankOf[id] = rank;
        this.orderLeads[rank] = this.leads[id] as number;
      }
    }
    return { order: this.order, rankOf: this.rankOf, count: this.order.length };
  }

  /** Moves what kernels read to where the arena makes arrays now. */
  relocate(): void {
    this.lengths = this.arena.grown(this.lengths, this.lengths.length);
  }

  release(): void {
    this.arena.release(this.lengths);
  }

  /** New keys, sorted, among those that were in order. */
  private merged(fresh: Int32Array): Int32Array {
    const { order, orderLeads, leads } = this;
    const count = order.length + fresh.length;
    if (this.spare.length < count) this.spare = new Int32Array(2 * count);
    const all = this.spare.subarray(0, count);
    let i = 0;
    let at = 0;
    for (let j = 0; j < fresh.length; j++) {
      const id = fresh[j] as number;
      const lead = leads[id] as number;
      while (i < order.length) {
        const other = orderLeads[i] as number;
        if (other > lead || (other === lead && this.compare(order[i] as number, id) > 0)) break;
        all[at++] = order[i++] as number;
      }
      all[at++] = id;
    }
    all.set(order.subarray(i), at);
    this.spare = new Int32Array(order.buffer);
    return all;
  }

  private grow(capacity: number): void {
    const larger = (array: Uint32Array<ArrayBuffer>, width = 1): Uint32Array<ArrayBuffer> => {
      const made = new Uint32Array(capacity * width);
      made.set(array);
      return made;
    };
    this.starts = larger(this.starts);
    this.lengths = this.arena.grown(this.lengths, capacity);
    this.marks = larger(this.marks);
    this.heads = larger(this.heads, HEAD_WORDS);
    const leads = new Float64Array(capacity);
    leads.set(this.leads);
    this.leads = leads;
  }
}

/** FNV-1a with a final mix (that of MurmurHash3), so that all bits depend on all bytes. */
function markOf(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0x811c9dc5;
  for (let i = from; i < from + length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** The longest key that is one safe integer. */
const INTEGER_BYTES = 10;

/** Writes the dag-cbor list of one safe integer; how many bytes it has. */
function putIntegerKey(into: Uint8Array, at: number, value: number): number {
  const major = value < 0 ? 0x20 : 0;
  const argument = value < 0 ? -1 - value : value;
  into[at] = 0x81;
  if (argument < 24) {
    into[at + 1] = major | argument;
    return 2;
  }
  const width = argument < 0x100 ? 1 : argument < 0x1_0000 ? 2 : argument < 0x1_0000_0000 ? 4 : 8;
  into[at + 1] = major | (width === 1 ? 24 : width === 2 ? 25 : width === 4 ? 26 : 27);
  let rest = argument;
  for (let i = at + 1 + width; i > at + 1; i--) {
    into[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return 2 + width;
}
