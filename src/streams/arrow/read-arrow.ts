import { type Batch, decodeBatch } from "../../batch/batch.ts";
import { bitBytes } from "../../batch/buffers.ts";
import { assembleBatch } from "../../batch/gather.ts";
import type { ColumnData } from "../../batch/layout.ts";
import { COLUMNS_MAX } from "../../batch/limits.ts";
import { type Field, type Schema, schemaOf, typeWidth } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import { FlatTable } from "./flat-table.ts";

// Numbers of Arrow's own tables (format/Schema.fbs and Message.fbs of Apache Arrow, metadata version 5).
const CONTINUATION = 0xffff_ffff;
const HEADER_SCHEMA = 1;
const HEADER_RECORD_BATCH = 3;
const TYPE = { int: 2, float: 3, binary: 4, utf8: 5, bool: 6, timestamp: 10, fixed: 15 } as const;
/** Microseconds of Arrow's units of time, from seconds on; nanoseconds are not there. */
const UNIT_US = [1_000_000n, 1000n, 1n] as const;
const BUFFERS_MAX = 3 * COLUMNS_MAX;
const MAGIC = "ARROW1";
/** Bytes of a file's footer length, which stands before the magic at its end; and the field of the footer that is the schema (`File.fbs`). */
const FOOTER_SIZE_BYTES = 4;
const FOOTER_SCHEMA = 1;

interface ArrowField {
  readonly field: Field;
  /** Microseconds of a timestamp's unit. */
  readonly unitUs: bigint;
}

/**
 * Batches of bytes in Arrow's IPC format, file or stream, metadata version 4 or 5, uncompressed, little-endian: one for each record batch. Columns of
 * integers, floats, Bool, Utf8, Binary, FixedSizeBinary, and Timestamp in seconds, milliseconds or microseconds. Everything is checked. Throws
 * `ARROW_MALFORMED`, `ARROW_UNSUPPORTED` (dictionaries, nested and other types, compression), `SCHEMA_INVALID`.
 */
export function* readArrow(given: Uint8Array): Generator<Batch> {
  // Of a Node.js buffer `slice` copies nothing.
  const bytes = new Uint8Array(given.buffer, given.byteOffset, given.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFile = isMagic(bytes.subarray(0, MAGIC.length));
  let at = isFile ? 8 : 0;
  let columns: readonly ArrowField[] | undefined;
  while (at + 8 <= bytes.length) {
    const isNew = view.getUint32(at, true) === CONTINUATION;
    const size = view.getUint32(isNew ? at + 4 : at, true);
    at += isNew ? 8 : 4;
    if (size === 0) return;
    const message = within(() => FlatTable.root(slice(bytes, at, size)));
    const bodyBytes = within(() => message.i64(3));
    const body = slice(bytes, at + size, bodyBytes);
    at += size + bodyBytes;
    const kind = within(() => message.i8(1));
    const header = within(() => message.table(2));
    if (header === undefined) throw malformed("a message says nothing");
    if (kind === HEADER_SCHEMA) columns = within(() => fieldsOf(header));
    else if (kind !== HEADER_RECORD_BATCH) throw unsupported("dictionaries and tensors");
    else {
      if (isFile) columns ??= footerColumns(bytes);
      if (columns === undefined) throw malformed("rows come before their columns");
      yield batchOf(columns, header, body);
    }
  }
  // A stream may end without a mark of its end, which a file has; four zeros are the mark of older writers.
  const isMark = bytes.length - at === 4 && view.getUint32(at, true) === 0;
  if (isFile || (at < bytes.length && !isMark)) throw malformed("the bytes end within a message");
}

/** The columns that a file's footer names: apache-arrow for JavaScript writes files that have them nowhere else. */
function footerColumns(bytes: Uint8Array): readonly ArrowField[] {
  const end = bytes.length - MAGIC.length;
  if (!isMagic(slice(bytes, end, MAGIC.length))) throw malformed("the file has no end");
  const size = Buffer.from(slice(bytes, end - FOOTER_SIZE_BYTES, FOOTER_SIZE_BYTES)).readInt32LE();
  const footer = slice(bytes, end - FOOTER_SIZE_BYTES - size, size);
  const schema = within(() => FlatTable.root(footer).table(FOOTER_SCHEMA));
  if (schema === undefined) throw malformed("the footer names no columns");
  return within(() => fieldsOf(schema));
}

function isMagic(bytes: Uint8Array): boolean {
  return Buffer.from(bytes).toString("latin1") === MAGIC;
}

function fieldsOf(schema: FlatTable): readonly ArrowField[] {
  if (schema.i16(0) !== 0) throw unsupported("big-endian data");
  return schema.tables(1, COLUMNS_MAX).map((field): ArrowField => {
    const name = field.text(0);
    const nullable = field.i8(1) !== 0;
    if (field.table(4) !== undefined) throw unsupported(`the dictionary of ${name}`);
    const type = field.table(3);
    const kind = field.i8(2);
    if (kind === TYPE.int) {
      const [bits, signed] = [type?.i32(0) ?? 0, (type?.i8(1) ?? 0) !== 0];
      const found = ({ 8: "8", 16: "16", 32: "32", 64: "64" } as const)[bits as 8 | 16 | 32 | 64];
      if (found === undefined) throw unsupported(`integers of ${bits} bits`);
      return { field: { name, nullable, type: `${signed ? "i" : "u"}${found}` }, unitUs: 1n };
    }
    if (kind === TYPE.float) {
      const precision = type?.i16(0) ?? 0;
      if (precision === 0) throw unsupported("floats of 16 bits");
      return { field: { name, nullable, type: precision === 1 ? "f32" : "f64" }, unitUs: 1n };
    }
    if (kind === TYPE.timestamp) {
      const unitUs = UNIT_US[type?.i16(0) ?? 0];
      if (unitUs === undefined) throw unsupported("timestamps in nanoseconds");
      return { field: { name, nullable, type: "timestamp" }, unitUs };
    }
    if (kind === TYPE.fixed) return { field: { name, nullable, type: "fixed", width: type?.i32(0) ?? 0 }, unitUs: 1n };
    if (kind === TYPE.bool) return { field: { name, nullable, type: "bool" }, unitUs: 1n };
    if (kind === TYPE.utf8) return { field: { name, nullable, type: "utf8" }, unitUs: 1n };
    if (kind === TYPE.binary) return { field: { name, nullable, type: "binary" }, unitUs: 1n };
    throw unsupported(`the type of ${name}`);
  });
}

function batchOf(columns: readonly ArrowField[], header: FlatTable, body: Uint8Array): Batch {
  const { rows, nodes, buffers } = within(() => {
    if (header.table(3) !== undefined) throw unsupported("compressed bodies");
    return { rows: header.i64(0), nodes: header.pairs(1, COLUMNS_MAX), buffers: header.pairs(2, BUFFERS_MAX) };
  });
  if (!Number.isSafeInteger(rows) || rows < 0 || rows > 8 * body.length + 8) throw malformed("number of rows");
  const schema: Schema = schemaOf(columns.map(({ field }) => field));
  let next = 0;
  const take = (): Uint8Array => {
    const [offset, length] = buffers[next++] ?? [-1, 0];
    return slice(body, offset, length);
  };
  const parts = columns.map(({ field, unitUs }, i): ColumnData => {
    const [length, nulls] = nodes[i] ?? [-1, 0];
    if (length !== rows || nulls < 0 || nulls > rows) throw malformed(`rows of ${field.name}`);
    const validity = take();
    const isVariable = field.type === "utf8" || field.type === "binary";
    const offsets = isVariable ? endsOf(take(), rows) : undefined;
    const data = dataOf(field, rows, take(), offsets, unitUs);
    const own = nulls > 0 ? slice(validity, 0, bitBytes(rows)).slice() : undefined;
    if (own !== undefined) clear(field, rows, own, data);
    return { data, nulls, validity: own, offsets, extra: undefined, entries: 0 };
  });
  // The block's own reader checks offsets, texts and counts.
  return decodeBatch(assembleBatch(schema, rows, parts).bytes);
}

/** Ends of texts; of no rows Arrow may leave them out. */
function endsOf(bytes: Uint8Array, rows: number): Int32Array {
  if (rows === 0) return new Int32Array(1);
  return new Int32Array(slice(bytes, 0, 4 * (rows + 1)).slice().buffer);
}

function dataOf(
  field: Field,
  rows: number,
  bytes: Uint8Array,
  offsets: Int32Array | undefined,
  unitUs: bigint,
): Uint8Array {
  if (offsets !== undefined) return slice(bytes, 0, offsets[rows] ?? 0).slice();
  const data = slice(bytes, 0, field.type === "bool" ? bitBytes(rows) : rows * typeWidth(field)).slice();
  if (unitUs !== 1n) {
    const times = new BigInt64Array(data.buffer);
    for (let row = 0; row < rows; row++) times[row] = (times[row] as bigint) * unitUs;
  }
  if (field.type === "bool" && rows % 8 !== 0) data[data.length - 1] = (data.at(-1) ?? 0) & ((1 << (rows % 8)) - 1);
  return data;
}

/** Null rows hold zeros, and bits behind the last row are 0: one form for equal columns. */
function clear(field: Field, rows: number, validity: Uint8Array, data: Uint8Array): void {
  if (rows % 8 !== 0) validity[validity.length - 1] = (validity.at(-1) ?? 0) & ((1 << (rows % 8)) - 1);
  const width = typeWidth(field);
  for (let row = 0; row < rows; row++) {
    if ((((validity[row >> 3] as number) >> (row & 7)) & 1) === 1) continue;
    if (field.type === "bool") data[row >> 3] = (data[row >> 3] as number) & ~(1 << (row & 7));
    else if (width > 0) data.fill(0, row * width, (row + 1) * width);
  }
}

function slice(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const isInside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 && length >= 0;
  if (!isInside || offset + length > bytes.length) throw malformed("a part lies outside of the bytes");
  return bytes.subarray(offset, offset + length);
}

/** Metadata that points outside of itself is malformed. */
function within<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof IpdmError) throw error;
    throw malformed(error instanceof Error ? error.message : "metadata");
  }
}

function malformed(what: string): IpdmError {
  return new IpdmError("ARROW_MALFORMED", `not Arrow IPC: ${what}`, {
    hint: "give the bytes of an Arrow IPC file or stream, whole",
  });
}

function unsupported(what: string): IpdmError {
  return new IpdmError("ARROW_UNSUPPORTED", `${what} in Arrow data cannot be read`, {
    kind: "config",
    hint: "write plain columns without dictionaries and compression, timestamps in microseconds",
  });
}
