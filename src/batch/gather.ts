import { assert } from "../core/errors.ts";
import { Batch } from "./batch.ts";
import { bitBytes, typedView } from "./buffers.ts";
import type { Column } from "./column.ts";
import { entryBytes, isNull, wordsOf } from "./column.ts";
import type { ColumnData } from "./layout.ts";
import { layoutBatch } from "./layout.ts";
import type { Field, Schema } from "./schema.ts";
import { typeWidth } from "./schema.ts";

/** Below one row of so many, all columns are copied at once, so that the batch they come from need not be kept. */
const LAZY_SHARE = 4;
/** Longest run of bytes that is copied by a loop: below it the call of a copy costs more than the bytes. */
const LOOPED_BYTES_MAX = 32;

/**
 * The rows of a batch at the first `count` places of `rows`, in that order: the bytes that a writer would make of them. Where most
 * rows are kept, a column is copied when somebody reads it.
 */
export function gatherRows(batch: Batch, rows: Int32Array, count: number): Batch {
  const { schema } = batch;
  if (count * LAZY_SHARE < batch.rows) {
    return looseBatch(
      schema,
      count,
      batch.columns.map((column) => gatherColumn(column, rows, count)),
    );
  }
  const gathered = new Gathered(batch, rows.slice(0, count));
  return new Batch(
    schema,
    count,
    (index) => columnOf(schema.fields[index] as Field, count, gathered.part(index)),
    () => layoutBatch(schema, count, gathered.all()).bytes,
  );
}

/** Rows `from` to `to` of a batch as a batch. */
export function rangeOf(batch: Batch, from: number, to: number): Batch {
  if (from === 0 && to === batch.rows) return batch;
  const rows = Int32Array.from({ length: to - from }, (_, i) => from + i);
  return gatherRows(batch, rows, rows.length);
}

/** Columns of another batch's rows, made one by one; that batch is let go when all are. */
class Gathered {
  private readonly parts: (ColumnData | undefined)[];
  private readonly rows: Int32Array;
  private batch: Batch | undefined;
  private missing: number;

  constructor(batch: Batch, rows: Int32Array) {
    this.batch = batch;
    this.rows = rows;
    this.missing = batch.schema.fields.length;
    this.parts = batch.schema.fields.map(() => undefined);
  }

  part(index: number): ColumnData {
    const made = this.parts[index];
    if (made !== undefined) return made;
    const { batch, rows } = this;
    const name = batch?.schema.fields[index]?.name;
    assert(batch !== undefined && name !== undefined, `no column ${index} to gather`);
    const part = gatherColumn(batch.column(name), rows, rows.length);
    this.parts[index] = part;
    if (--this.missing === 0) this.batch = undefined;
    return part;
  }

  all(): readonly ColumnData[] {
    return this.parts.map((_, index) => this.part(index));
  }
}

/** A batch of whole columns, old and new: `parts` in the order of the schema. */
export function assembleBatch(schema: Schema, rows: number, parts: readonly (Column | ColumnData)[]): Batch {
  return looseBatch(
    schema,
    rows,
    parts.map((part) => ("data" in part ? part : wholeColumn(part))),
  );
}

/** A batch over buffers that nothing changes any more; its block is made of them when somebody wants it. */
function looseBatch(schema: Schema, rows: number, parts: readonly ColumnData[]): Batch {
  const columns = parts.map((part, i) => columnOf(schema.fields[i] as Field, rows, part));
  return new Batch(schema, rows, columns, () => layoutBatch(schema, rows, parts).bytes);
}

function columnOf(field: Field, rows: number, part: ColumnData): Column {
  const { data, nulls, validity, offsets, extra, entries } = part;
  const values = typedView(field.type, data);
  return { field, rows, nulls, validity: nulls > 0 ? validity : undefined, values, offsets, extra, entries };
}

function wholeColumn({ values, nulls, validity, offsets, extra, entries }: Column): ColumnData {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { data, nulls, validity, offsets, extra, entries };
}

/** A column's values at places. */
function gatherColumn(column: Column, rows: Int32Array, count: number): ColumnData {
  const { nulls, validity } = gatherNulls(column, rows, count);
  const none = { nulls, validity, offsets: undefined, extra: undefined, entries: 0 };
  switch (column.field.type) {
    case "bool":
      return { ...none, data: gatherBits(column, rows, count) };
    case "utf8":
    case "binary":
      return { ...none, ...gatherBytes(column, rows, count) };
    case "dict":
      return { ...none, ...gatherEntries(column, rows, count) };
    default:
      return { ...none, data: gatherPlain(column, rows, count) };
  }
}

function gatherNulls(
  column: Column,
  rows: Int32Array,
  count: number,
): { readonly nulls: number; readonly validity: Uint8Array | undefined } {
  const given = column.validity;
  if (given === undefined) return { nulls: 0, validity: undefined };
  const validity = new Uint8Array(bitBytes(count));
  let nulls = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if ((((given[row >> 3] as number) >> (row & 7)) & 1) === 0) nulls++;
    else validity[i >> 3] = (validity[i >> 3] as number) | (1 << (i & 7));
  }
  return nulls === 0 ? { nulls, validity: undefined } : { nulls, validity };
}

function gatherBits(column: Column, rows: Int32Array, count: number): Uint8Array {
  const from = column.values as Uint8Array;
  const into = new Uint8Array(bitBytes(count));
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    into[i >> 3] = (into[i >> 3] as number) | ((((from[row >> 3] as number) >> (row & 7)) & 1) << (i & 7));
  }
  return into;
}

function gatherPlain(column: Column, rows: Int32Array, count: number): Uint8Array {
  const width = typeWidth(column.field);
  const into = new Uint8Array(count * width);
  if (width === 8) {
    const from = wordsOf(column);
    const words = new Int32Array(into.buffer);
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      words[2 * i] = from[2 * row] as number;
      words[2 * i + 1] = from[2 * row + 1] as number;
    }
  } else if (width === 4) {
    const from = new Int32Array(column.values.buffer, column.values.byteOffset, column.rows);
    const words = new Int32Array(into.buffer);
    for (let i = 0; i < count; i++) {
      words[i] = from[rows[i] as number] as number;
    }
  } else {
    const from = new Uint8Array(column.values.buffer, column.values.byteOffset, column.values.byteLength);
    for (let i = 0; i < count; i++) {
      const row = rows[i] as number;
      for (let k = 0; k < width; k++) into[i * width + k] = from[row * width + k] as number;
    }
  }
  return into;
}

function gatherBytes(
  column: Column,
  rows: Int32Array,
  count: number,
): { readonly data: Uint8Array; readonly offsets: Int32Array } {
  const ends = column.offsets as Int32Array;
  const from = column.values as Uint8Array;
  const offsets = new Int32Array(count + 1);
  let size = 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    size += (ends[row + 1] as number) - (ends[row] as number);
    offsets[i + 1] = size;
  }
  const data = new Uint8Array(size);
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    copyBytes(from, ends[row] as number, ends[row + 1] as number, data, offsets[i] as number);
  }
  return { data, offsets };
}

function copyBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): void {
  if (end - start > LOOPED_BYTES_MAX) into.set(from.subarray(start, end), at);
  else for (let i = start, to = at; i < end; i++, to++) into[to] = from[i] as number;
}

/** Texts are listed in the order of first use, as a writer lists them. */
function gatherEntries(
  column: Column,
  rows: Int32Array,
  count: number,
): {
  readonly data: Uint8Array;
  readonly offsets: Int32Array;
  readonly extra: Uint8Array;
  readonly entries: number;
} {
  const from = column.values as Uint32Array;
  const places = new Int32Array(column.entries).fill(-1);
  const used: number[] = [];
  const indices = new Uint32Array(count);
  const mayBeNull = column.nulls > 0;
  for (let i = 0; i < count; i++) {
    const row = rows[i] as number;
    if (mayBeNull && isNull(column, row)) continue;
    const entry = from[row] as number;
    let place = places[entry] as number;
    if (place < 0) {
      place = used.length;
      places[entry] = place;
      used.push(entry);
    }
    indices[i] = place;
  }
  const offsets = new Int32Array(used.length + 1);
  used.forEach((entry, i) => {
    offsets[i + 1] = (offsets[i] as number) + entryBytes(column, entry).length;
  });
  const extra = new Uint8Array(offsets[used.length] as number);
  used.forEach((entry, i) => extra.set(entryBytes(column, entry), offsets[i]));
  return { data: new Uint8Array(indices.buffer), offsets, extra, entries: used.length };
}
