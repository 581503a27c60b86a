import { crc32 } from "node:zlib";
import type { ColumnMetaData } from "hyparquet";
import type { Column, Values } from "../../batch/column.ts";
import type { ColumnType } from "../../batch/schema.ts";
import { PAGE_ROWS_MAX } from "../limits.ts";
import { convertValues } from "./convert.ts";
import { decompressPage } from "./decompress.ts";
import { decodeHybrid } from "./hybrid.ts";
import type { ParquetColumn } from "./mapping.ts";
import type { PageHeader } from "./page-header.ts";
import { readPageHeader } from "./page-header.ts";
import { decodeValues, ENCODING } from "./values.ts";
import type { Vector } from "./vector.ts";
import { checkIndices, gather, spread } from "./vector.ts";

/** Decodes one column of one row group page by page, so that memory holds its compressed bytes and one page. */
export class ColumnReader {
  /** The page at hand; `from` is its first row not taken yet. */
  page: Column | undefined;
  from = 0;
  private readonly column: ParquetColumn;
  private readonly meta: ColumnMetaData;
  private readonly chunk: Uint8Array;
  private readonly rows: number;
  private at = 0;
  private read = 0;
  private dictionary: Vector | undefined;

  constructor(column: ParquetColumn, meta: ColumnMetaData, chunk: Uint8Array, rows: number) {
    this.column = column;
    this.meta = meta;
    this.chunk = chunk;
    this.rows = rows;
  }

  /** Moves past `rows` rows of the page at hand. */
  skip(rows: number): void {
    this.from += rows;
  }

  /** Rows at hand, after reading the next page if there are none. Throws RangeError and others on broken pages. */
  available(): number {
    while (this.page === undefined || this.from >= this.page.rows) this.next();
    return this.page.rows - this.from;
  }

  private next(): void {
    if (this.at >= this.chunk.length) throw new RangeError(`pages hold ${this.read} of ${this.rows} rows`);
    const header = readPageHeader(this.chunk, this.at);
    const bytes = this.chunk.subarray(header.end, header.end + header.compressedBytes);
    this.at = header.end + header.compressedBytes;
    if (header.crc !== undefined && crc32(bytes) !== header.crc)
      throw new RangeError("a page's checksum does not match");
    if (header.kind === "dictionary") {
      const page = decompressPage(this.meta.codec, bytes, header.uncompressedBytes);
      if (header.values > PAGE_ROWS_MAX) throw new RangeError(`a dictionary of ${header.values} values`);
      this.dictionary = convertValues(this.decode(page, ENCODING.plain, header.values), this.column);
    } else if (header.kind !== "other") {
      if (header.values > this.rows - this.read || header.values > PAGE_ROWS_MAX)
        throw new RangeError(`a page of ${header.values} rows`);
      this.page = header.values === 0 ? undefined : this.dataPage(header, bytes);
      this.from = 0;
      this.read += header.values;
    }
  }

  private dataPage(header: PageHeader, bytes: Uint8Array): Column {
    const rows = header.values;
    const optional = this.column.field.nullable;
    let body: Uint8Array;
    let present: Uint32Array | undefined;
    if (header.kind === "data2") {
      const levels = header.repetitionBytes + header.definitionBytes;
      if (levels > bytes.length || levels > header.uncompressedBytes)
        throw new RangeError("levels end beyond their page");
      if (optional) {
        present = new Uint32Array(rows);
        decodeHybrid(bytes, header.repetitionBytes, levels, 1, present);
      }
      const rest = bytes.subarray(levels);
      body = header.isCompressed ? decompressPage(this.meta.codec, rest, header.uncompressedBytes - levels) : rest;
    } else {
      body = decompressPage(this.meta.codec, bytes, header.uncompressedBytes);
      if (optional) {
        if (body.length < 4) throw new RangeError("a page without levels");
        const length = new DataView(body.buffer, body.byteOffset).getUint32(0, true);
        if (4 + length > body.length) throw new RangeError("levels end beyond their page");
        present = new Uint32Array(rows);
        decodeHybrid(body, 4, 4 + length, 1, present);
        body = body.subarray(4 + length);
      }
    }
    let count = rows;
    if (present !== undefined) {
      count = 0;
      for (let row = 0; row < rows; row++) count += present[row] as number;
    }
    return this.build(rows, count === rows ? undefined : present, body, header.encoding, count);
  }

  private build(
    rows: number,
    present: Uint32Array | undefined,
    body: Uint8Array,
    encoding: number,
    count: number,
  ): Column {
    const { field } = this.column;
    const validity = present === undefined ? undefined : bitmap(present);
    const shared = { field, rows, nulls: rows - count, validity };
    if (encoding !== ENCODING.rleDictionary && encoding !== ENCODING.plainDictionary) {
      const dense = convertValues(this.decode(body, encoding, count), this.column);
      if (field.type === "dict" && dense.kind === "text") {
        return {
          ...shared,
          values: ordinals(rows, present),
          offsets: dense.offsets,
          extra: dense.bytes,
          entries: count,
        };
      }
      return { ...shared, ...placed(field.type, present === undefined ? dense : spread(dense, present)) };
    }
    const { dictionary } = this;
    if (dictionary === undefined) throw new RangeError("a dictionary page is missing");
    const indices = new Uint32Array(count);
    if (count > 0) {
      const width = body[0] ?? 255;
      if (width > 32) throw new RangeError(`dictionary indices of ${width} bits`);
      if (width > 0) decodeHybrid(body, 1, body.length, width, indices);
    }
    if (field.type === "dict" && dictionary.kind === "text") {
      checkIndices(indices, dictionary.count);
      return {
        ...shared,
        values: present === undefined ? indices : spreadIndices(indices, present),
        offsets: dictionary.offsets,
        extra: dictionary.bytes,
        entries: dictionary.count,
      };
    }
    const dense = gather(dictionary, indices);
    return { ...shared, ...placed(field.type, present === undefined ? dense : spread(dense, present)) };
  }

  private decode(body: Uint8Array, encoding: number, count: number): Vector {
    const { type, type_length: length = 0 } = this.column.element;
    if (type === undefined) throw new RangeError("a column without a type");
    return decodeValues(body, encoding, type, count, length);
  }
}

function placed(
  type: ColumnType,
  vector: Vector,
): { values: Values; offsets: Int32Array | undefined; extra: undefined; entries: number } {
  if (vector.kind === "text") return { values: vector.bytes, offsets: vector.offsets, extra: undefined, entries: 0 };
  const values = vector.kind === "bits" ? bitmap(vector.bytes) : view(type, vector.bytes, vector.count);
  return { values, offsets: undefined, extra: undefined, entries: 0 };
}

function view(type: ColumnType, { buffer, byteOffset, byteLength }: Uint8Array, count: number): Values {
  switch (type) {
    case "i8":
      return new Int8Array(buffer, byteOffset, count);
    case "i16":
      return new Int16Array(buffer, byteOffset, count);
    case "u16":
      return new Uint16Array(buffer, byteOffset, count);
    case "i32":
      return new Int32Array(buffer, byteOffset, count);
    case "u32":
      return new Uint32Array(buffer, byteOffset, count);
    case "i64":
    case "timestamp":
      return new BigInt64Array(buffer, byteOffset, count);
    case "u64":
      return new BigUint64Array(buffer, byteOffset, count);
    case "f32":
      return new Float32Array(buffer, byteOffset, count);
    case "f64":
      return new Float64Array(buffer, byteOffset, count);
    default:
      return new Uint8Array(buffer, byteOffset, byteLength);
  }
}

function bitmap(flags: ArrayLike<number>): Uint8Array {
  const bits = new Uint8Array((flags.length + 7) >> 3);
  for (let i = 0; i < flags.length; i++) if (flags[i] === 1) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  return bits;
}

function spreadIndices(indices: Uint32Array, present: Uint32Array): Uint32Array {
  const out = new Uint32Array(present.length);
  let next = 0;
  for (let row = 0; row < out.length; row++) if (present[row] === 1) out[row] = indices[next++] as number;
  return out;
}

/** Each present row is its own dictionary entry: texts that the file does not share are shared only in batches. */
function ordinals(rows: number, present: Uint32Array | undefined): Uint32Array {
  const out = new Uint32Array(rows);
  let next = 0;
  for (let row = 0; row < rows; row++) if (present === undefined || present[row] === 1) out[row] = next++;
  return out;
}
