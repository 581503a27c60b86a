import type { Batch } from "../../batch/batch.ts";
import type { Column } from "../../batch/column.ts";
import { entryBytes, isNull } from "../../batch/column.ts";
import { BatchCutter } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import { utf8 } from "../../core/bytes.ts";
import { type ArrowBlock, footerTable, recordBatchMessage, schemaMessage } from "./arrow-metadata.ts";

const MAGIC = utf8("ARROW1");
const CONTINUATION = 0xffff_ffff;
const ALIGNMENT = 8;
/** Rows of a record batch, and its bytes, whichever comes first. */
const RECORD_BATCH_ROWS = 65_536;
const RECORD_BATCH_BYTES = 32 * 1024 * 1024;
/** Most bytes that the texts of dictionaries take in a record batch, unless a single row has more. */
const TEXTS_MAX = RECORD_BATCH_BYTES;

/**
 * The Arrow IPC file format (metadata version 5, uncompressed), which Feather 2 is too: record batches of 65,536 rows (fewer where
 * they reach 32 MiB), columns as they lie in our batches. Texts, `dict` ones as well, are Utf8, since a file cannot hold a
 * dictionary for each batch; timestamps are Timestamp(µs, UTC); `fixed` is FixedSizeBinary.
 */
export class ArrowEncoder {
  private readonly schema: Schema;
  private readonly cutter: BatchCutter;
  private readonly blocks: ArrowBlock[] = [];
  private at = 0;

  constructor(schema: Schema) {
    this.schema = schema;
    this.cutter = new BatchCutter(schema, RECORD_BATCH_ROWS, RECORD_BATCH_BYTES, Number.POSITIVE_INFINITY);
  }

  *encode(batch: Batch): Generator<Uint8Array> {
    for (const group of this.cutter.add(batch.columns, 0, batch.rows)) yield* this.groups(group);
  }

  *finish(): Generator<Uint8Array> {
    const rest = this.cutter.rest();
    if (rest !== undefined) yield* this.groups(rest);
    yield* this.begin();
    yield this.counted(words(CONTINUATION, 0));
    const footer = footerTable(this.schema, this.blocks);
    yield footer;
    yield words(footer.length);
    yield MAGIC;
  }

  private *begin(): Generator<Uint8Array> {
    if (this.at > 0) return;
    yield this.counted(padded(MAGIC));
    yield* this.message(schemaMessage(this.schema));
  }

  /** Texts of a dictionary are written once a row: where that makes them too many for one record batch, it becomes several. */
  private *groups(batch: Batch): Generator<Uint8Array> {
    if (batch.rows === 1 || spelledBytes(batch) <= TEXTS_MAX) {
      yield* this.group(batch);
      return;
    }
    const half = batch.rows >> 1;
    for (const [from, to] of [[0, half] as const, [half, batch.rows] as const]) {
      const cutter = new BatchCutter(this.schema, batch.rows, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY);
      for (const _ of cutter.add(batch.columns, from, to));
      const part = cutter.rest();
      if (part !== undefined) yield* this.groups(part);
    }
  }

  private *group(batch: Batch): Generator<Uint8Array> {
    yield* this.begin();
    const parts = batch.columns.flatMap(buffersOf);
    let bytes = 0;
    const buffers = parts.map((part) => {
      const place = { offset: bytes, length: part.length };
      bytes += aligned(part.length);
      return place;
    });
    const nulls = batch.columns.map((column) => column.nulls);
    const offset = this.at;
    yield* this.message(recordBatchMessage({ rows: batch.rows, nulls, buffers, bytes }));
    this.blocks.push({ offset, metadataBytes: this.at - offset, bodyBytes: bytes });
    for (const part of parts) {
      if (part.length > 0) yield this.counted(part);
      const rest = aligned(part.length) - part.length;
      if (rest > 0) yield this.counted(new Uint8Array(rest));
    }
  }

  private *message(table: Uint8Array): Generator<Uint8Array> {
    yield this.counted(words(CONTINUATION, aligned(table.length)));
    yield this.counted(padded(table));
  }

  private counted(bytes: Uint8Array): Uint8Array {
    this.at += bytes.length;
    return bytes;
  }
}

/** A column's buffers in Arrow's order: validity (empty where nothing is null), ends where values vary in length, values. */
function buffersOf(column: Column): Uint8Array[] {
  const { field, rows, nulls, offsets } = column;
  const validity = nulls > 0 && column.validity !== undefined ? column.validity : new Uint8Array(0);
  const shown = validity.subarray(0, Math.ceil(rows / 8));
  if (field.type === "dict") return [shown, ...textsOf(column)];
  const { buffer, byteOffset, byteLength } = column.values;
  const values = new Uint8Array(buffer, byteOffset, byteLength);
  return offsets === undefined ? [shown, values] : [shown, bytesOf(offsets), values];
}

/** Bytes that the texts of `dict` columns take when each row has its own. */
function spelledBytes({ columns, rows }: Batch): number {
  let bytes = 0;
  for (const column of columns) {
    if (column.field.type !== "dict") continue;
    const { offsets, values } = column;
    for (let row = 0; row < rows; row++) {
      if (isNull(column, row)) continue;
      const entry = Number(values[row]);
      bytes += (offsets?.[entry + 1] ?? 0) - (offsets?.[entry] ?? 0);
    }
  }
  return bytes;
}

/** The texts of a `dict` column, row by row. */
function textsOf(column: Column): [ends: Uint8Array, texts: Uint8Array] {
  const { rows, values } = column;
  const entries = Array.from({ length: column.entries }, (_, entry) => entryBytes(column, entry));
  const ends = new Int32Array(rows + 1);
  for (let row = 0; row < rows; row++) {
    const length = isNull(column, row) ? 0 : (entries[Number(values[row])]?.length ?? 0);
    ends[row + 1] = (ends[row] as number) + length;
  }
  const texts = new Uint8Array(ends[rows] as number);
  for (let row = 0; row < rows; row++) {
    const text = entries[Number(values[row])];
    if (text !== undefined && (ends[row + 1] as number) > (ends[row] as number)) texts.set(text, ends[row]);
  }
  return [bytesOf(ends), texts];
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}

function aligned(length: number): number {
  return Math.ceil(length / ALIGNMENT) * ALIGNMENT;
}

function padded(bytes: Uint8Array): Uint8Array {
  const whole = new Uint8Array(aligned(bytes.length));
  whole.set(bytes);
  return whole;
}
