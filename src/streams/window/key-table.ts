import { Batch } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import { valueAt } from "../../batch/column.ts";
import { RowEncoder } from "../../batch/rows.ts";
import type { Field } from "../../batch/schema.ts";
import { compareBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { KEYS_MAX } from "../limits.ts";
import { ColumnKeys, checkRoom } from "./column-keys.ts";
import { isWide } from "./plan.ts";

/**
 * Gives every distinct key (one value of each key column; null is a value of its own) a small number. The numbers
 * follow the order of arrival and never reach a result; what orders output is a key's canonical bytes: the dag-cbor
 * array of its values.
 */
export class KeyTable {
  private readonly fields: readonly Field[];
  private readonly columns: readonly ColumnKeys[];
  private readonly pairs: readonly Map<number, number>[];
  private readonly known: (Key | undefined)[] = [];
  /** The batch last remembered from, and its key columns alone. */
  private current: { readonly batch: Batch; readonly keys: Batch } | undefined;
  /** Remembered ids in canonical order, the place of each in it, and those not yet sorted in. */
  private order: Int32Array = new Int32Array(0);
  private rankOf: Int32Array = new Int32Array(0);
  private fresh: number[] = [];
  /**
   * Bytes 1 to 12 of the canonical bytes as two numbers an id: they decide most comparisons (byte 0 is the same in a
   * table).
   */
  private heads: Float64Array = new Float64Array(32);
  private readonly encoder = new RowEncoder();
  private scratch = new Int32Array(0);

  constructor(fields: readonly Field[]) {
    this.fields = fields;
    this.columns = fields.map((field) => new ColumnKeys(field));
    this.pairs = fields.slice(1).map(() => new Map<number, number>());
  }

  /** Ids given so far: every id is below it. */
  get size(): number {
    if (this.fields.length === 0) return 1;
    return this.pairs.at(-1)?.size ?? this.columns[0]?.size ?? 0;
  }

  /** Writes the ids of rows `from` to `to` into `ids`, starting at 0. */
  fill(batch: Batch, from: number, to: number, ids: Int32Array): void {
    const { columns } = this;
    if (columns.length === 0) {
      ids.fill(0, 0, to - from);
      return;
    }
    if (this.scratch.length < to - from) this.scratch = new Int32Array(ids.length);
    (columns[0] as ColumnKeys).fill(batch.column((this.fields[0] as Field).name), from, to, ids);
    for (let i = 1; i < columns.length; i++) {
      (columns[i] as ColumnKeys).fill(batch.column((this.fields[i] as Field).name), from, to, this.scratch);
      const pairs = this.pairs[i - 1] as Map<number, number>;
      for (let row = 0; row < to - from; row++)
        ids[row] = pairOf(pairs, ids[row] as number, this.scratch[row] as number);
    }
  }

  /** Id of a key given by its values. */
  idOf(values: readonly Value[]): number {
    let id = this.columns[0]?.idOf(values[0] ?? null) ?? 0;
    for (let i = 1; i < this.columns.length; i++) {
      id = pairOf(
        this.pairs[i - 1] as Map<number, number>,
        id,
        (this.columns[i] as ColumnKeys).idOf(values[i] ?? null),
      );
    }
    return id;
  }

  /** Remembers what the key of a row looks like; until then the id has no {@link keyOf}. */
  remember(id: number, batch: Batch, row: number): void {
    if (this.known[id] !== undefined) return;
    if (this.current?.batch !== batch) {
      const columns = this.fields.map((field) => batch.column(field.name));
      this.current = { batch, keys: new Batch({ fields: this.fields }, batch.rows, columns, batch.bytes) };
    }
    const { keys } = this.current;
    const bytes = this.encoder.encode(keys, row).slice();
    this.know(id, { values: keys.columns.map((column) => valueAt(column, row)), bytes });
  }

  /** Adds a key that is known from elsewhere and returns its id. */
  add(values: readonly Value[], bytes: Uint8Array): number {
    const id = this.idOf(values);
    if (this.known[id] === undefined) this.know(id, { values, bytes });
    return id;
  }

  /** Order of two remembered keys by their canonical bytes. */
  compare(a: number, b: number): number {
    const { heads } = this;
    return (
      (heads[2 * a] as number) - (heads[2 * b] as number) ||
      (heads[2 * a + 1] as number) - (heads[2 * b + 1] as number) ||
      compareBytes(this.keyOf(a).bytes, this.keyOf(b).bytes)
    );
  }

  /**
   * The place of every remembered key in the order of canonical bytes, by id. New keys are sorted and merged in;
   * `undefined` when even that costs more than sorting the `wanted` keys that are asked for.
   */
  ranks(wanted: number): Int32Array | undefined {
    if (this.fresh.length > 0) {
      if (16 * wanted < this.order.length) return undefined;
      const fresh = Int32Array.from(this.fresh).sort((a, b) => this.compare(a, b));
      this.order = this.merged(this.order, fresh);
      this.fresh = [];
      this.rankOf = new Int32Array(this.known.length);
      for (let rank = 0; rank < this.order.length; rank++) this.rankOf[this.order[rank] as number] = rank;
    }
    return this.rankOf;
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

  /** Values as a batch would give them, from values as dag-cbor gives them (64-bit columns as bigint). */
  valuesOf(decoded: readonly Value[]): Value[] {
    return this.fields.map((field, i) => {
      const value = decoded[i] ?? null;
      return isWide(field) && typeof value === "number" ? BigInt(value) : value;
    });
  }

  /** Values and canonical bytes of a remembered key. */
  keyOf(id: number): Key {
    const key = this.known[id];
    if (key === undefined) throw new IpdmError("INVARIANT", `key ${id} was never remembered`);
    return key;
  }

  private know(id: number, key: Key): void {
    // Ids come in any order; a hole would make the array a slow one.
    while (this.known.length <= id) this.known.push(undefined);
    this.known[id] = key;
    this.fresh.push(id);
    if (2 * id + 1 >= this.heads.length) {
      const heads = new Float64Array(4 * id + 32);
      heads.set(this.heads);
      this.heads = heads;
    }
    this.heads[2 * id] = headOf(key.bytes, 1);
    this.heads[2 * id + 1] = headOf(key.bytes, 7);
  }
}

/** A key's values in the order of the key columns, and their dag-cbor array. */
export interface Key {
  readonly values: readonly Value[];
  readonly bytes: Uint8Array;
}

/** Six bytes as a number; bytes that are not there count as 0, which is right for a tie to be broken by all bytes. */
function headOf(bytes: Uint8Array, from: number): number {
  let head = 0;
  for (let i = from; i < from + 6; i++) head = head * 256 + (bytes[i] ?? 0);
  return head;
}

function pairOf(pairs: Map<number, number>, first: number, second: number): number {
  const pair = first * KEYS_MAX + second;
  let id = pairs.get(pair);
  if (id === undefined) {
    id = pairs.size;
    checkRoom(id);
    pairs.set(pair, id);
  }
  return id;
}
