import type { Batch } from "./batch.ts";
import { bitBytes } from "./buffers.ts";
import type { Column } from "./column.ts";
import { isNull, wordsOf } from "./column.ts";
import { ColumnWriter } from "./column-writer.ts";
import type { ColumnData } from "./layout.ts";
import type { Field } from "./schema.ts";
import { typeWidth } from "./schema.ts";

/** Rows of several batches of one schema: row `rows[i]` of `batches[at[i]]`; a negative row is a row of nulls. */
export interface Picked {
  readonly batches: readonly Batch[];
  readonly at: Int32Array;
  readonly rows: Int32Array;
  readonly count: number;
}

/** The column of a field of the rows picked, in their order: the bytes that a writer would make of them. */
export function pickColumn(picked: Picked, name: string, field: Field): ColumnData {
  const columns = picked.batches.map((batch) => batch.column(name));
  const width = field.type === "bool" ? 0 : field.type === "dict" ? 0 : typeWidth(field);
  const mayBeNull = field.nullable;
  if (width === 8) return { ...nullsOf(picked, columns, mayBeNull), data: pickWords(picked, columns), ...NO_TEXT };
  if (width === 4) return { ...nullsOf(picked, columns, mayBeNull), data: pickHalves(picked, columns), ...NO_TEXT };
  const { at, rows, count } = picked;
  const writer = new ColumnWriter(field);
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (row < 0) writer.pushNull();
    else writer.copy(columns[at[i] as number] as Column, row, row + 1);
  }
  return writer.held(count);
}

const NO_TEXT = { offsets: undefined, extra: undefined, entries: 0 } as const;

function nullsOf(
  { at, rows, count }: Picked,
  columns: readonly Column[],
  mayBeNull: boolean,
): { readonly nulls: number; readonly validity: Uint8Array | undefined } {
  if (!mayBeNull) return { nulls: 0, validity: undefined };
  const validity = new Uint8Array(bitBytes(count));
  let nulls = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (row < 0 || isNull(columns[at[i] as number] as Column, row)) nulls++;
    else validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  }
  return { nulls, validity: nulls > 0 ? validity : undefined };
}

function pickWords({ at, rows, count }: Picked, columns: readonly Column[]): Uint8Array {
  const into = new Int32Array(2 * count);
  const words = columns.map(wordsOf);
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (row < 0) continue;
    const from = words[at[i] as number] as Int32Array;
    into[2 * i] = from[2 * row] as number;
    into[2 * i + 1] = from[2 * row + 1] as number;
  }
  return new Uint8Array(into.buffer);
}

function pickHalves({ at, rows, count }: Picked, columns: readonly Column[]): Uint8Array {
  const into = new Int32Array(count);
  const words = columns.map(({ values, rows: all }) => new Int32Array(values.buffer, values.byteOffset, all));
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (row >= 0) into[i] = (words[at[i] as number] as Int32Array)[row] as number;
  }
  return new Uint8Array(into.buffer);
}
