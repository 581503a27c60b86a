import type { Column, Value } from "../../batch/column.ts";
import { entryBytes, isNull, wordsOf, wordsToNumber } from "../../batch/column.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Arena } from "../kernels/arena.ts";
import { CHUNK_ROWS, KEYS_MAX } from "../limits.ts";
import { NumberIds } from "./number-ids.ts";

/** Keys of bytes that are found without making a string: how many, and the longest. */
const RECENT = 4096;
const RECENT_BYTES = 80;

/** Ids of the values of one key column: texts by their bytes, numbers by their value, whatever the type of their column. */
export class ColumnKeys {
  /** Ids of texts, of integers beyond ±2^53 and of null. */
  private readonly ids = new Map<bigint | string | null, number>();
  private readonly numbers: NumberIds;
  private readonly arena: Arena;
  /** Ids given so far, and numbers of a chunk, for the kernel. */
  private counted: Int32Array | undefined;
  private chunk: Int32Array | undefined;
  private count = 0;
  private readonly mapped = new WeakMap<Column, Int32Array>();

  /** For keys of bytes: ids seen lately by the hash of their bytes, with length and bytes. A cache: it decides nothing. */
  private readonly recent = new Int32Array(RECENT).fill(-1);
  private readonly recentLengths = new Uint8Array(RECENT);
  private recentBytes = new Uint8Array(0);

  constructor(arena: Arena) {
    this.arena = arena;
    this.numbers = new NumberIds(arena);
  }

  get size(): number {
    return this.count;
  }

  relocate(): void {
    this.numbers.relocate();
  }

  release(): void {
    for (const array of [this.numbers.placed, this.counted, this.chunk])
      if (array !== undefined) this.arena.release(array);
  }

  idOf(value: Value): number {
    if (value instanceof Uint8Array) return this.id(latin1(value));
    if (typeof value === "boolean") return this.id(value ? 1 : 0);
    if (typeof value === "bigint") return this.id(this.number(value));
    if (typeof value === "string") return this.id(latin1(Buffer.from(value)));
    return this.id(value);
  }

  fill(column: Column, from: number, to: number, ids: Int32Array): void {
    this.fillValues(column, from, to, ids);
    if (column.nulls === 0) return;
    for (let row = from; row < to; row++) if (isNull(column, row)) ids[row - from] = this.id(null);
  }

  /** Null rows get the id of anything; `fill` puts that right. */
  private fillValues(column: Column, from: number, to: number, ids: Int32Array): void {
    switch (column.field.type) {
      case "dict":
        return this.fillDict(column, from, to, ids);
      case "utf8":
      case "binary":
      case "fixed":
        return this.fillBytes(column, from, to, ids);
      case "i64":
      case "u64":
      case "timestamp":
        return this.fillWide(column, from, to, ids);
      case "bool":
        for (let row = from; row < to; row++) {
          if (!isNull(column, row)) ids[row - from] = this.id((Number(column.values[row >> 3]) >> (row & 7)) & 1);
        }
        return;
      default:
        return this.fillSmall(column, from, to, ids);
    }
  }

  /** By the kernel up to the first number that has no place; returns the row. */
  private identify(column: Column, from: number, to: number, ids: Int32Array): number {
    const { arena, numbers } = this;
    const { kernels } = arena;
    const isRoom = to - from <= CHUNK_ROWS && this.count + to - from <= KEYS_MAX;
    if (kernels === undefined || column.nulls > 0 || !isRoom || !arena.holds(ids)) return from;
    this.counted ??= arena.i32(1);
    this.chunk ??= arena.i32(CHUNK_ROWS);
    const { counted, chunk } = this;
    const values = column.values as Int32Array;
    chunk.set(to - from === values.length ? values : values.subarray(from, to));
    counted[0] = this.count;
    let done = 0;
    for (;;) {
      const { placed } = numbers;
      done = kernels.identify(
        chunk.byteOffset,
        done,
        to - from,
        placed.byteOffset,
        placed.length,
        counted.byteOffset,
        ids.byteOffset,
      );
      if (from + done === to || !numbers.reserve(column.values[from + done] as number)) break;
    }
    this.count = counted[0] as number;
    return from + done;
  }

  private fillSmall(column: Column, from: number, to: number, ids: Int32Array): void {
    const values = column.values as Int32Array;
    const mayBeNull = column.nulls > 0;
    for (let row = this.identify(column, from, to, ids); row < to; row++) {
      if (mayBeNull && isNull(column, row)) continue;
      const value = values[row] as number;
      const id = this.numbers.find(value);
      ids[row - from] = id < 0 ? this.id(value) : id;
    }
  }

  /** One map lookup a dictionary entry and batch; the rows only follow indices. */
  private fillDict(column: Column, from: number, to: number, ids: Int32Array): void {
    let map = this.mapped.get(column);
    if (map === undefined) {
      map = new Int32Array(Math.max(1, column.entries)).fill(-1);
      this.mapped.set(column, map);
    }
    const indices = column.values as Uint32Array;
    for (let row = from; row < to; row++) {
      const index = indices[row] as number;
      let id = map[index] as number;
      if (id < 0 && !isNull(column, row)) {
        id = this.id(latin1(entryBytes(column, index)));
        map[index] = id;
      }
      ids[row - from] = id;
    }
  }

  /** Most rows repeat a key seen lately: a hash of its bytes finds the id without making a string. */
  private fillBytes(column: Column, from: number, to: number, ids: Int32Array): void {
    if (this.recentBytes.length === 0) this.recentBytes = new Uint8Array(RECENT * RECENT_BYTES);
    const { recent } = this;
    const values = column.values as Uint8Array;
    const { offsets } = column;
    const width = column.field.width ?? 0;
    for (let row = from; row < to; row++) {
      if (isNull(column, row)) continue;
      const start = offsets === undefined ? row * width : (offsets[row] as number);
      const end = offsets === undefined ? start + width : (offsets[row + 1] as number);
      let hash = 0x811c9dc5;
      for (let at = start; at < end; at++) hash = Math.imul(hash ^ (values[at] as number), 0x01000193);
      const place = (hash ^ (hash >>> 15)) & (RECENT - 1);
      let id = recent[place] as number;
      if (id < 0 || !this.isRecent(place, values, start, end)) {
        id = this.id(latin1(values.subarray(start, end)));
        if (end - start <= RECENT_BYTES) {
          recent[place] = id;
          this.recentLengths[place] = end - start;
          this.recentBytes.set(values.subarray(start, end), place * RECENT_BYTES);
        }
      }
      ids[row - from] = id;
    }
  }

  private isRecent(place: number, values: Uint8Array, start: number, end: number): boolean {
    if (this.recentLengths[place] !== end - start) return false;
    const { recentBytes } = this;
    let at = place * RECENT_BYTES;
    for (let i = start; i < end; i++) if (recentBytes[at++] !== values[i]) return false;
    return true;
  }

  private fillWide(column: Column, from: number, to: number, ids: Int32Array): void {
    const words = wordsOf(column);
    const mayBeNull = column.nulls > 0;
    const least = column.field.type === "u64" ? 0 : -0x1f_ffff;
    for (let row = from; row < to; row++) {
      if (mayBeNull && isNull(column, row)) continue;
      const high = words[2 * row + 1] as number;
      const safe = high >= least && high < 0x1f_ffff;
      ids[row - from] = this.id(safe ? wordsToNumber(words, row) : this.number(column.values[row] as bigint));
    }
  }

  /** Safe integers are looked up as numbers, others as bigints, whatever way they came. */
  private number(value: bigint): number | bigint {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  private id(value: number | bigint | string | null): number {
    let id = typeof value === "number" ? this.numbers.find(value) : (this.ids.get(value) ?? -1);
    if (id >= 0) return id;
    id = this.count;
    checkRoom(id);
    this.count++;
    if (typeof value === "number") this.numbers.put(value, id);
    else this.ids.set(value, id);
    return id;
  }
}

/** Throws `WINDOW_STATE_FULL` when an id is more than a key table holds. */
export function checkRoom(id: number): void {
  if (id >= KEYS_MAX) {
    throw new IpdmError("WINDOW_STATE_FULL", `more than ${KEYS_MAX} distinct keys in open windows`, {
      hint: "use smaller windows, less lateness or coarser keys",
    });
  }
}

/** Bytes as a string of one character each: the cheapest exact map key. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
