import type { FileHandle } from "node:fs/promises";
import type { ColumnChunk, ColumnMetaData, FileMetaData, RowGroup, SchemaElement } from "hyparquet";
import { parquetMetadata } from "hyparquet";
import type { Batch } from "../../batch/batch.ts";
import { missingColumn } from "../../batch/batch.ts";
import type { Column } from "../../batch/column.ts";
import { BatchCutter, checkBatches } from "../../batch/cut.ts";
import { declaredField } from "../../batch/declared-field.ts";
import type { Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import { malformed, overLimit, unsupportedColumn, wrapDecoding } from "../failure.ts";
import type { SourceFile } from "../file.ts";
import { readingError } from "../file.ts";
import { CHUNK_BYTES_MAX, FOOTER_BYTES_MAX } from "../limits.ts";
import type { BatchesOptions, SourceSpec } from "../port.ts";
import type { FileReader } from "../reader.ts";
import { ColumnReader } from "./column-reader.ts";
import { InexactTimestamp } from "./convert.ts";
import type { ParquetColumn } from "./mapping.ts";
import { mapColumn } from "./mapping.ts";
import { checkThrift } from "./thrift-check.ts";

/** Opens a Parquet file (parquet-format 2) of flat columns. Throws `SOURCE_MALFORMED`, `SOURCE_COLUMN_UNSUPPORTED`, `COLUMN_MISSING`. */
export async function openParquet(file: SourceFile, spec: SourceSpec): Promise<FileReader> {
  const metadata = await readFooter(file);
  const columns = selectColumns(file.path, metadata, spec.columns);
  const rows = Number(metadata.num_rows);
  const sum = metadata.row_groups.reduce((total, group) => total + Number(group.num_rows), 0);
  if (sum !== rows || rows < 0) throw malformed(file.path, "footer", `row groups hold ${sum} of ${rows} rows`);
  return new ParquetReader(file, metadata, columns);
}

class ParquetReader implements FileReader {
  readonly schema: Schema;
  readonly rows: number;
  private readonly file: SourceFile;
  private readonly groups: readonly RowGroup[];
  private readonly columns: readonly ParquetColumn[];

  constructor(file: SourceFile, metadata: FileMetaData, columns: readonly ParquetColumn[]) {
    this.file = file;
    this.groups = metadata.row_groups;
    this.columns = columns;
    this.schema = schemaOf(columns.map((column) => column.field));
    this.rows = Number(metadata.num_rows);
  }

  async *read({ batchRows, fromRow = 0, signal }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    signal?.throwIfAborted();
    const cutter = new BatchCutter(this.schema, batchRows);
    const handle = await this.file.open();
    try {
      let groupStart = 0;
      for (let g = 0; g < this.groups.length; g++) {
        const group = this.groups[g] as RowGroup;
        const rows = Number(group.num_rows);
        const skip = Math.max(0, fromRow - groupStart);
        groupStart += rows;
        if (skip >= rows) continue;
        const where = `row group ${g}`;
        const readers = await this.openGroup(handle, group, where, signal);
        for (const batch of this.rowsOf(readers, rows, skip, cutter, where)) {
          yield batch;
          signal?.throwIfAborted();
        }
      }
      await this.file.check(handle);
      const rest = cutter.rest();
      if (rest !== undefined) yield rest;
    } finally {
      await handle.close();
    }
  }

  /** Reads the compressed bytes of a row group's wanted columns. */
  private async openGroup(
    handle: FileHandle,
    group: RowGroup,
    where: string,
    signal?: AbortSignal,
  ): Promise<ColumnReader[]> {
    const readers: ColumnReader[] = [];
    for (const column of this.columns) {
      signal?.throwIfAborted();
      const meta = chunkOf(this.file, group.columns[column.index], column, where);
      const dictionary = Number(meta.dictionary_page_offset ?? 0n);
      const data = Number(meta.data_page_offset);
      const start = dictionary > 0 && dictionary < data ? dictionary : data;
      const length = Number(meta.total_compressed_size);
      if (!(start >= 4) || !(length >= 0) || start + length > this.file.sizeBytes) {
        throw malformed(this.file.path, where, `column ${column.field.name} lies beyond the file`);
      }
      if (length > CHUNK_BYTES_MAX)
        throw overLimit(
          this.file.path,
          where,
          `column ${column.field.name} has ${length} bytes, more than ${CHUNK_BYTES_MAX}`,
        );
      const chunk = await readExactly(handle, this.file.path, start, length);
      readers.push(new ColumnReader(column, meta, chunk, Number(group.num_rows)));
    }
    return readers;
  }

  private *rowsOf(
    readers: readonly ColumnReader[],
    rows: number,
    skip: number,
    cutter: BatchCutter,
    where: string,
  ): Generator<Batch> {
    let at = 0;
    const names = this.schema.fields;
    while (at < rows) {
      let count = rows - at;
      readers.forEach((reader, i) => {
        try {
          count = Math.min(count, reader.available());
        } catch (error) {
          throw decodingError(error, this.file.path, where, String(names[i]?.name));
        }
      });
      const skipped = Math.min(count, Math.max(0, skip - at));
      if (skipped < count) yield* cutter.add(windows(readers, count), skipped, count);
      for (const reader of readers) reader.skip(count);
      at += count;
    }
  }
}

function decodingError(error: unknown, path: string, where: string, column: string): unknown {
  if (!(error instanceof InexactTimestamp)) return wrapDecoding(error, path, `${where}, column ${column}`);
  const hint = "write it in microseconds, or select other columns with `columns`";
  return unsupportedColumn(path, column, `no column of microseconds: ${error.message}`, hint);
}

/** The next `count` rows of each reader as columns that start at row 0. */
function windows(readers: readonly ColumnReader[], count: number): Column[] {
  return readers.map((reader) => {
    const page = reader.page as Column;
    return reader.from === 0 ? page : slice(page, reader.from, reader.from + count);
  });
}

/** Rows of a column as a column; a bit-wise copy, since pages of different columns rarely end at the same row. */
function slice(column: Column, from: number, to: number): Column {
  const rows = to - from;
  const { type } = column.field;
  const bits = (source: Uint8Array): Uint8Array => {
    const out = new Uint8Array((rows + 7) >> 3);
    for (let i = 0; i < rows; i++) {
      if ((((source[(from + i) >> 3] as number) >> ((from + i) & 7)) & 1) === 1)
        out[i >> 3] = (out[i >> 3] as number) | (1 << (i & 7));
    }
    return out;
  };
  const validity = column.validity === undefined ? undefined : bits(column.validity);
  if (type === "bool") return { ...column, rows, validity, values: bits(column.values as Uint8Array) };
  if (type === "utf8" || type === "binary")
    return { ...column, rows, validity, offsets: column.offsets?.subarray(from, to + 1) };
  const width = type === "fixed" ? (column.field.width ?? 1) : 1;
  return { ...column, rows, validity, values: column.values.subarray(from * width, to * width) };
}

async function readFooter(file: SourceFile): Promise<FileMetaData> {
  const { path, sizeBytes } = file;
  if (sizeBytes < 12)
    throw malformed(path, "byte 0", sizeBytes === 0 ? "the file is empty" : "too short for a Parquet file");
  const handle = await file.open();
  try {
    const tail = await readExactly(handle, path, sizeBytes - 8, 8);
    const view = new DataView(tail.buffer);
    const magic = view.getUint32(4, true);
    if (magic === 0x45524150) throw overLimit(path, "footer", "encrypted Parquet files are not supported");
    if (magic !== 0x31524150) throw malformed(path, `byte ${sizeBytes - 4}`, "no Parquet footer at the end");
    const length = view.getUint32(0, true);
    if (length + 12 > sizeBytes) throw malformed(path, `byte ${sizeBytes - 8}`, "the footer is longer than the file");
    if (length > FOOTER_BYTES_MAX) throw overLimit(path, "footer", `${length} bytes, more than ${FOOTER_BYTES_MAX}`);
    const bytes = await readExactly(handle, path, sizeBytes - 8 - length, length + 8);
    try {
      checkThrift(bytes, 0);
      return parquetMetadata(bytes, { geoparquet: false });
    } catch (error) {
      throw wrapDecoding(error, path, "footer");
    }
  } finally {
    await handle.close();
  }
}

async function readExactly(
  handle: FileHandle,
  path: string,
  start: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await handle.read(bytes, at, length - at, start + at).catch((error: unknown) => {
      throw readingError(path, error);
    });
    if (bytesRead === 0) throw malformed(path, `byte ${start + at}`, "the file ends early");
    at += bytesRead;
  }
  return bytes;
}

function chunkOf(
  file: SourceFile,
  chunk: ColumnChunk | undefined,
  column: ParquetColumn,
  where: string,
): ColumnMetaData {
  const meta = chunk?.meta_data;
  if (meta === undefined || chunk?.file_path !== undefined || meta.path_in_schema[0] !== column.element.name) {
    throw malformed(file.path, where, `column ${column.element.name} is not described`);
  }
  return meta;
}

/** Top-level columns with the position of their first leaf, in file order or as `columns` asks. */
function selectColumns(path: string, metadata: FileMetaData, wanted: SourceSpec["columns"]): ParquetColumn[] {
  const all = new Map<string, { element: SchemaElement; index: number }>();
  const { schema } = metadata;
  let leaf = 0;
  for (let i = 1; i < schema.length; ) {
    const element = schema[i] as SchemaElement;
    if (all.has(element.name)) throw malformed(path, "footer", `two columns are called ${element.name}`);
    all.set(element.name, { element, index: leaf });
    let open = 1;
    while (open > 0 && i < schema.length) {
      const children = schema[i++]?.num_children ?? 0;
      open += children - 1;
      if (children === 0) leaf++;
    }
  }
  if (wanted === undefined)
    return [...all.values()].map(({ element, index }) => mapColumn(path, element, index, undefined));
  return Object.entries(wanted).map(([name, type]) => {
    const found = all.get(name);
    const fields = [...all.keys()].map((known) => ({ name: known, type: "binary" as const, nullable: true }));
    if (found === undefined) throw missingColumn({ fields }, name);
    return mapColumn(path, found.element, found.index, declaredField(name, type));
  });
}
