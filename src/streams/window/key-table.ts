import { Batch, NO_BLOCK } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import { isNull, valueAt, wordsOf, wordsToNumber } from "../../batch/column.ts";
import { RowEncoder } from "../../batch/rows.ts";
import type { Field } from "../../batch/schema.ts";
import { Arena } from "../kernels/arena.ts";
import { KEYS_MAX } from "../limits.ts";
import { ColumnKeys, checkRoom } from "./column-keys.ts";
import { KeyStore } from "./key-store.ts";
import { isInteger, isWide } from "./plan.ts";

/**
 * Gives every distinct key (one value of each key column; null is a value of its own) a small number. The numbers
 * follow the order of arrival and never reach a result; what orders output is a key's canonical bytes: the dag-cbor
 * array of its values.
 */
export class KeyTable {
  /** What the keys that were remembered look like. */
  readonly store: KeyStore;
  private readonly fields: readonly Field[];
  private readonly columns: readonly ColumnKeys[];
  private readonly pairs: readonly Map<number, number>[];
  /** The batch last remembered from, and its key columns alone. */
  private current: { readonly batch: Batch; readonly keys: Batch } | undefined;
  private readonly encoder = new RowEncoder();
  /** Keys are one integer. */
  private readonly isInteger: boolean;
  private scratch = new Int32Array(0);

  constructor(fields: readonly Field[], arena = new Arena()) {
    this.fields = fields;
    this.store = new KeyStore(fields.length, arena);
    const [only] = fields;
    this.isInteger = fields.length === 1 && only !== undefined && (isInteger(only) || isWide(only));
    this.columns = fields.map(() => new ColumnKeys(arena));
    this.pairs = fields.slice(1).map(() => new Map<number, number>());
  }

  /** Moves what kernels work on to where the arena makes arrays now. */
  relocate(): void {
    this.store.relocate();
    for (const column of this.columns) column.relocate();
  }

  /** Takes the memory back; the table is of no further use. */
  release(): void {
    this.store.release();
    for (const column of this.columns) column.release();
  }

  /** Key columns. */
  get width(): number {
    return this.fields.length;
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

  /** Remembers what the key of a row looks like, for {@link store}. */
  remember(id: number, batch: Batch, row: number): void {
    if (this.store.has(id)) return;
    if (this.current?.batch !== batch) {
      const columns = this.fields.map((field) => batch.column(field.name));
      this.current = { batch, keys: new Batch({ fields: this.fields }, batch.rows, columns, NO_BLOCK) };
    }
    const { keys } = this.current;
    if (this.isInteger && this.rememberInteger(id, keys.columns[0] as Column, row)) return;
    const values = keys.columns.map((column) => valueAt(column, row));
    this.store.put(id, values, this.encoder.encode(keys, row));
  }

  /** A key of one column whose value is a safe integer; false where it is none. */
  private rememberInteger(id: number, column: Column, row: number): boolean {
    if (isNull(column, row)) return false;
    if (!isWide(column.field)) {
      this.store.putInteger(id, column.values[row] as number, false);
      return true;
    }
    const words = wordsOf(column);
    const high = words[2 * row + 1] as number;
    if (high < (column.field.type === "u64" ? 0 : -0x1f_ffff) || high >= 0x1f_ffff) return false;
    this.store.putInteger(id, wordsToNumber(words, row), true);
    return true;
  }

  /** Adds a key that is known from elsewhere and returns its id. */
  add(values: readonly Value[], bytes: Uint8Array): number {
    const id = this.idOf(values);
    if (!this.store.has(id)) this.store.put(id, values, bytes);
    return id;
  }

  /** Values as a batch would give them, from values as dag-cbor gives them (64-bit columns as bigint). */
  valuesOf(decoded: readonly Value[]): Value[] {
    return this.fields.map((field, i) => {
      const value = decoded[i] ?? null;
      return isWide(field) && typeof value === "number" ? BigInt(value) : value;
    });
  }
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
