import { Batch, fieldOf, NO_BLOCK } from "../../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
import { RowEncoder, rowValues } from "../../batch/rows.ts";
import { type Field, type Schema, schemaOf } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import type { RowsState } from "../join/rows-state.ts";
import { KEYS_IDLE_MAX } from "../limits.ts";
import { KeyTable } from "../window/key-table.ts";
import { keyField } from "../window/plan.ts";

/**
 * Numbers by key, several a key: the state of operators that keep no rows. A key that is forgotten has NaN as its first number; the
 * state lists keys by their canonical bytes.
 */
export class KeyedValues {
  /** Values of each number by key id; the first is NaN where the key is not there. */
  readonly numbers: Float64Array[];
  keys: KeyTable;
  private readonly fields: readonly Field[];
  private readonly width: number;
  private living = 0;
  /** Keys that were left when some were forgotten last. */
  private left = 0;

  constructor(schema: Schema, keys: readonly string[], width: number) {
    this.fields = keys.map((name) => keyField(fieldOf(schema, name)));
    this.width = width;
    this.keys = new KeyTable(this.fields);
    this.numbers = Array.from({ length: width }, () => new Float64Array(1024).fill(Number.NaN));
  }

  /** Bytes of the keys that are remembered, 8 for each, and 8 for each of their numbers. */
  get stateBytes(): number {
    return this.keys.store.sizeBytes + this.living * 8 * (1 + this.width);
  }

  /** Ids of the keys of rows; there is room for the numbers of each. */
  fill(batch: Batch, from: number, to: number, ids: Int32Array): void {
    this.keys.fill(batch, from, to, ids);
    this.reserve(this.keys.size);
  }

  /** Says that a key is there now; it is remembered by a row of it. */
  begin(id: number, batch: Batch, row: number): void {
    this.keys.remember(id, batch, row);
    this.living++;
  }

  /** Forgets the keys for which `isOver` is true, once there are many more than were left the last time. Ids change. */
  tidy(isOver: (id: number) => boolean): void {
    if (this.keys.size > 2 * this.left + KEYS_IDLE_MAX) this.forget(isOver);
  }

  forget(isOver: (id: number) => boolean): void {
    const before = this.keys;
    const kept: number[] = [];
    for (let id = 0; id < before.size; id++)
      if (before.store.has(id) && !Number.isNaN(this.numbers[0]?.[id]) && !isOver(id)) kept.push(id);
    const old = this.numbers.map((each) => each.slice());
    this.keys = new KeyTable(this.fields);
    for (const each of this.numbers) each.fill(Number.NaN);
    this.living = 0;
    for (const id of kept) {
      const now = this.keys.add(before.store.valuesOf(id), before.store.bytesOf(id));
      this.reserve(now + 1);
      old.forEach((each, i) => {
        (this.numbers[i] as Float64Array)[now] = each[id] as number;
      });
      this.living++;
    }
    this.left = this.living;
  }

  /** Keys and numbers in canonical order. */
  save(): RowsState["lists"][number] {
    const { store } = this.keys;
    const ids: number[] = [];
    for (let id = 0; id < this.keys.size; id++) if (store.has(id) && !Number.isNaN(this.numbers[0]?.[id])) ids.push(id);
    ids.sort((a, b) => store.compare(a, b));
    const writer = new BatchWriter(this.stateSchema());
    const made: Batch[] = [];
    for (const id of ids) {
      writer.push([...store.valuesOf(id), ...this.numbers.map((each) => each[id] as number)]);
      if (writer.rows === BATCH_ROWS_DEFAULT) made.push(writer.take());
    }
    if (writer.rows > 0) made.push(writer.take());
    return made;
  }

  load(batches: readonly Batch[]): void {
    const encoder = new RowEncoder();
    for (const batch of batches) {
      const columns = this.fields.map((field, i) => ({ ...batch.column(`key${i}`), field }));
      const keys = new Batch({ fields: this.fields }, batch.rows, columns, NO_BLOCK);
      const ids = new Int32Array(batch.rows);
      this.fill(keys, 0, batch.rows, ids);
      for (let row = 0; row < batch.rows; row++) {
        const id = ids[row] as number;
        this.keys.store.put(id, rowValues(keys, row), encoder.encode(keys, row));
        this.living++;
        this.numbers.forEach((each, i) => {
          each[id] = batch.column(`#${i}`).values[row] as number;
        });
      }
    }
  }

  private stateSchema(): Schema {
    const keyed = keyNames(this.fields);
    const numbers = Array.from(
      { length: this.width },
      (_, i): Field => ({ name: `#${i}`, type: "f64", nullable: false }),
    );
    return schemaOf([
      ...this.fields.map((field) => ({ ...field, name: keyed.get(field.name) ?? field.name })),
      ...numbers,
    ]);
  }

  private reserve(size: number): void {
    const length = this.numbers[0]?.length ?? 0;
    if (size <= length) return;
    this.numbers.forEach((each, i) => {
      const larger = new Float64Array(2 * size).fill(Number.NaN);
      larger.set(each);
      this.numbers[i] = larger;
    });
  }
}

/** Names of key columns in a state, where numbers have names of their own. */
function keyNames(fields: readonly Field[]): ReadonlyMap<string, string> {
  return new Map(fields.map(({ name }, i) => [name, `key${i}`]));
}
