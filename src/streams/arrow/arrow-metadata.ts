import { Builder } from "flatbuffers";
import type { Field, Schema } from "../../batch/schema.ts";
import { typeWidth } from "../../batch/schema.ts";

// Numbers of Arrow's own tables (format/Schema.fbs, Message.fbs and File.fbs of Apache Arrow, metadata version 5).
const VERSION_V5 = 4;
const HEADER_SCHEMA = 1;
const HEADER_RECORD_BATCH = 3;
const UNIT_MICROSECOND = 2;
const TYPE = { int: 2, float: 3, binary: 4, utf8: 5, bool: 6, timestamp: 10, fixed: 15 } as const;

/** Where a record batch lies in the file: `metadataBytes` counts from its first byte to its body. All are multiples of 8. */
export interface ArrowBlock {
  readonly offset: number;
  readonly metadataBytes: number;
  readonly bodyBytes: number;
}

/** What a record batch says of its columns: rows without a value, and the place of each buffer in the body. */
export interface ArrowBody {
  readonly rows: number;
  readonly nulls: readonly number[];
  readonly buffers: readonly { readonly offset: number; readonly length: number }[];
  readonly bytes: number;
}

/** The message that begins a file: its columns. */
export function schemaMessage(schema: Schema): Uint8Array {
  const builder = new Builder(1024);
  return message(builder, HEADER_SCHEMA, schemaTable(builder, schema), 0);
}

/** The message before the body of a record batch. */
export function recordBatchMessage({ rows, nulls, buffers, bytes }: ArrowBody): Uint8Array {
  const builder = new Builder(1024);
  const bufferList = structs(builder, 16, buffers, ({ offset, length }) => {
    builder.writeInt64(BigInt(length));
    builder.writeInt64(BigInt(offset));
  });
  const nodes = structs(builder, 16, nulls, (count) => {
    builder.writeInt64(BigInt(count));
    builder.writeInt64(BigInt(rows));
  });
  builder.startObject(5);
  builder.addFieldInt64(0, BigInt(rows), 0n);
  builder.addFieldOffset(1, nodes, 0);
  builder.addFieldOffset(2, bufferList, 0);
  return message(builder, HEADER_RECORD_BATCH, builder.endObject(), bytes);
}

/** The table at the end of a file: its columns again, and where its record batches lie. */
export function footerTable(schema: Schema, batches: readonly ArrowBlock[]): Uint8Array {
  const builder = new Builder(1024);
  const blocks = (list: readonly ArrowBlock[]): number =>
    structs(builder, 24, list, ({ offset, metadataBytes, bodyBytes }) => {
      builder.writeInt64(BigInt(bodyBytes));
      builder.pad(4);
      builder.writeInt32(metadataBytes);
      builder.writeInt64(BigInt(offset));
    });
  const batchList = blocks(batches);
  const dictionaries = blocks([]);
  const table = schemaTable(builder, schema);
  builder.startObject(5);
  builder.addFieldInt16(0, VERSION_V5, 0);
  builder.addFieldOffset(1, table, 0);
  builder.addFieldOffset(2, dictionaries, 0);
  builder.addFieldOffset(3, batchList, 0);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

function message(builder: Builder, headerType: number, header: number, bodyBytes: number): Uint8Array {
  builder.startObject(5);
  builder.addFieldInt16(0, VERSION_V5, 0);
  builder.addFieldInt8(1, headerType, 0);
  builder.addFieldOffset(2, header, 0);
  builder.addFieldInt64(3, BigInt(bodyBytes), 0n);
  builder.finish(builder.endObject());
  return builder.asUint8Array();
}

function schemaTable(builder: Builder, schema: Schema): number {
  const fields = offsets(
    builder,
    schema.fields.map((field) => fieldTable(builder, field)),
  );
  builder.startObject(4);
  builder.addFieldInt16(0, 0, -1); // little-endian, said even though it is what a reader takes for granted
  builder.addFieldOffset(1, fields, 0);
  return builder.endObject();
}

function fieldTable(builder: Builder, field: Field): number {
  const name = builder.createString(field.name);
  const { type, table } = typeTable(builder, field);
  const children = offsets(builder, []);
  builder.startObject(7);
  builder.addFieldOffset(0, name, 0);
  builder.addFieldInt8(1, field.nullable ? 1 : 0, 0);
  builder.addFieldInt8(2, type, 0);
  builder.addFieldOffset(3, table, 0);
  builder.addFieldOffset(5, children, 0);
  return builder.endObject();
}

/** A column's type: the number of the union's member, and its table. */
function typeTable(builder: Builder, field: Field): { readonly type: number; readonly table: number } {
  switch (field.type) {
    case "bool":
      return { type: TYPE.bool, table: tableOf(builder, 0) };
    case "f32":
    case "f64": {
      const precision = field.type === "f32" ? 1 : 2;
      return { type: TYPE.float, table: tableOf(builder, 1, () => builder.addFieldInt16(0, precision, 0)) };
    }
    case "timestamp": {
      const zone = builder.createString("UTC");
      const write = (): void => {
        builder.addFieldInt16(0, UNIT_MICROSECOND, 0);
        builder.addFieldOffset(1, zone, 0);
      };
      return { type: TYPE.timestamp, table: tableOf(builder, 2, write) };
    }
    case "utf8":
    case "dict":
      return { type: TYPE.utf8, table: tableOf(builder, 0) };
    case "binary":
      return { type: TYPE.binary, table: tableOf(builder, 0) };
    case "fixed": {
      const width = field.width ?? 0;
      return { type: TYPE.fixed, table: tableOf(builder, 1, () => builder.addFieldInt32(0, width, 0)) };
    }
    default: {
      const write = (): void => {
        builder.addFieldInt32(0, 8 * typeWidth(field), 0);
        builder.addFieldInt8(1, field.type.startsWith("i") ? 1 : 0, 0);
      };
      return { type: TYPE.int, table: tableOf(builder, 2, write) };
    }
  }
}

function tableOf(builder: Builder, fields: number, write: () => void = () => {}): number {
  builder.startObject(fields);
  write();
  return builder.endObject();
}

/** A vector of tables. Flatbuffers are written from their end, so the last comes first. */
function offsets(builder: Builder, list: readonly number[]): number {
  builder.startVector(4, list.length, 4);
  for (const offset of list.toReversed()) builder.addOffset(offset);
  return builder.endVector();
}

/** A vector of structs of 8-byte alignment; `write` writes one, its last field first. */
function structs<T>(builder: Builder, width: number, list: readonly T[], write: (item: T) => void): number {
  builder.startVector(width, list.length, 8);
  for (const item of list.toReversed()) {
    builder.prep(8, width);
    write(item);
  }
  return builder.endVector();
}
