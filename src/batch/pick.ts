import type { Batch } from "./batch.ts";
import { bitBytes } from "./buffers.ts";
import type { Column } from "./column.ts";
import { isNull, wordsOf } from "./column.ts";
import { ColumnWriter } from "./column-writer.ts";
import type { ColumnData } from "./layout.ts";
import type { Field } from "./schema.ts";
import { typeWidth } from "./schema.ts";

/**
 * Copies columns of rows of several batches of one schema, which stand in any order: row `rows[i]` of `batches[at[i]]`; a negative row
 * is a row of nulls. Rows are taken batch by batch: a loop over one array is several times faster than one that goes from array to array.
 */
export class RowPicker {
  private batches: readonly Batch[] = [];
  private at: Int32Array = new Int32Array(0);
  private rows: Int32Array = new Int32Array(0);
  private count = 0;
  /** Where each batch's rows begin in the two lists below, and behind the last one's where they end. */
  private starts = new Int32Array(16);
  /** The rows, batch after batch, and the place of each. */
  private picked = new Int32Array(0);
  private places = new Int32Array(0);

  /** Chooses the rows; the arrays are read until the next call. */
  choose(batches: readonly Batch[], at: Int32Array, rows: Int32Array, count: number): void {
    this.batches = batches;
    this.at = at;
    this.rows = rows;
    this.count = count;
    if (this.picked.length < count) {
      this.picked = new Int32Array(count);
      this.places = new Int32Array(count);
    }
    if (this.starts.length <= batches.length) this.starts = new Int32Array(2 * batches.length);
    this.sort();
  }

  /** The column of that name of the rows chosen: the bytes that a writer would make of them. */
  column(name: string, field: Field): ColumnData {
    const columns = this.batches.map((batch) => batch.column(name));
    const width = field.type === "bool" || field.type === "dict" ? 0 : typeWidth(field);
    if (width === 8) return { ...this.nulls(columns, field), data: this.words(columns), ...NO_TEXT };
    if (width === 4) return { ...this.nulls(columns, field), data: this.halves(columns), ...NO_TEXT };
    const { at, rows, count } = this;
    const writer = new ColumnWriter(field);
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (row < 0) writer.pushNull();
      else writer.copy(columns[at[i] as number] as Column, row, row + 1);
    }
    return writer.held(count);
  }

  /** Sorts by batch; within one, places ascend. */
  private sort(): void {
    const { at, rows, count, starts, picked, places } = this;
    const batches = this.batches.length;
    starts.fill(0, 0, batches + 1);
    for (let i = 0; i < count; i++) {
      if ((rows[i] as number) < 0) continue;
      const batch = at[i] as number;
      starts[batch] = (starts[batch] as number) + 1;
    }
    let end = 0;
    for (let batch = 0; batch <= batches; batch++) {
      const own = starts[batch] as number;
      starts[batch] = end;
      end += own;
    }
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (row < 0) continue;
      const batch = at[i] as number;
      const to = starts[batch] as number;
      starts[batch] = to + 1;
      picked[to] = row;
      places[to] = i;
    }
    // Every start stands at its batch's end now, which is the next one's start.
    starts.copyWithin(1, 0, batches);
    starts[0] = 0;
  }

  private nulls(
    columns: readonly Column[],
    { nullable }: Field,
  ): { readonly nulls: number; readonly validity: Uint8Array | undefined } {
    if (!nullable) return { nulls: 0, validity: undefined };
    const { at, rows, count } = this;
    const validity = new Uint8Array(bitBytes(count));
    let nulls = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      if (row < 0 || isNull(columns[at[i] as number] as Column, row)) nulls++;
      else validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
    }
    return { nulls, validity: nulls > 0 ? validity : undefined };
  }

  private words(columns: readonly Column[]): Uint8Array {
    const { starts, picked, places } = this;
    const into = new Int32Array(2 * this.count);
    for (const [batch, column] of columns.entries()) {
      const from = wordsOf(column);
      const end = starts[batch + 1] as number;
      for (let i = starts[batch] as number; i < end; i++) {
        const [to, row] = [2 * (places[i] as number), 2 * (picked[i] as number)];
        into[to] = from[row] as number;
        into[to + 1] = from[row + 1] as number;
      }
    }
    return new Uint8Array(into.buffer);
  }

  private halves(columns: readonly Column[]): Uint8Array {
    const { starts, picked, places } = this;
    const into = new Int32Array(this.count);
    for (const [batch, { values, rows }] of columns.entries()) {
      const from = new Int32Array(values.buffer, values.byteOffset, rows);
      const end = starts[batch + 1] as number;
      for (let i = starts[batch] as number; i < end; i++)
        into[places[i] as number] = from[picked[i] as number] as number;
    }
    return new Uint8Array(into.buffer);
  }
}

const NO_TEXT = { offsets: undefined, extra: undefined, entries: 0 } as const;
