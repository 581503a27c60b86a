import { Batch } from "./batch.ts";
import { typedView } from "./buffers.ts";
import type { Column } from "./column.ts";
import { align, DESCRIPTOR, DESCRIPTOR_BYTES, FLAG_NULLABLE, HEADER, HEADER_BYTES, MAGIC, VERSION } from "./format.ts";
import type { Field, Schema } from "./schema.ts";
import { typeCode } from "./schema.ts";

/** What a column's buffers hold before they are laid out in a block. */
export interface ColumnData {
  readonly data: Uint8Array;
  readonly nulls: number;
  readonly validity: Uint8Array | undefined;
  readonly offsets: Int32Array | undefined;
  readonly extra: Uint8Array | undefined;
  readonly entries: number;
}

/** Lays columns out as a batch block: one canonical layout for given buffers. `isShared` says where its memory comes from. */
export function layoutBatch(schema: Schema, rows: number, columns: readonly ColumnData[], isShared = false): Batch {
  const names = schema.fields.map((field) => new TextEncoder().encode(field.name));
  const namesOffset = HEADER_BYTES + columns.length * DESCRIPTOR_BYTES;
  const namesLength = names.reduce((sum, name) => sum + name.length, 0);
  let length = align(namesOffset + namesLength);
  for (const column of columns) for (const part of parts(column)) length += align(part?.byteLength ?? 0);
  const bytes = new Uint8Array(isShared ? new SharedArrayBuffer(length) : new ArrayBuffer(length));
  const view = new DataView(bytes.buffer);
  const header = [MAGIC, VERSION, length, rows, columns.length, namesOffset, namesLength];
  for (let i = 0; i < header.length; i++) view.setUint32(4 * i, header[i] as number, true);
  let nameAt = namesOffset;
  let at = align(namesOffset + namesLength);
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i] as ColumnData;
    const field = schema.fields[i] as Field;
    const name = names[i] as Uint8Array;
    const base = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    const put = (where: number, value: number): void => view.setUint32(base + where, value, true);
    put(DESCRIPTOR.nameOffset, nameAt);
    put(DESCRIPTOR.nameLength, name.length);
    bytes.set(name, nameAt);
    nameAt += name.length;
    put(DESCRIPTOR.type, typeCode(field.type));
    put(DESCRIPTOR.width, field.type === "fixed" ? (field.width ?? 0) : 0);
    put(DESCRIPTOR.flags, field.nullable ? FLAG_NULLABLE : 0);
    put(DESCRIPTOR.nulls, column.nulls);
    put(DESCRIPTOR.entries, column.entries);
    const slots = [DESCRIPTOR.validityOffset, DESCRIPTOR.dataOffset, DESCRIPTOR.offsetsOffset, DESCRIPTOR.extraOffset];
    const buffers = parts(column);
    for (let k = 0; k < buffers.length; k++) {
      const part = buffers[k];
      if (part === undefined || part.byteLength === 0) continue;
      put(slots[k] as number, at);
      put((slots[k] as number) + 4, part.byteLength);
      bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
      at += align(part.byteLength);
    }
  }
  return viewBatch(schema, bytes);
}

function parts(column: ColumnData): (Uint8Array | Int32Array | undefined)[] {
  return [column.nulls > 0 ? column.validity : undefined, column.data, column.offsets, column.extra];
}

/**
 * Views over a block that this process laid out itself, be it in another thread, without the checks of {@link decodeBatch}. `digest` is the
 * block's SHA-256, where it is known.
 */
export function viewBatch(schema: Schema, bytes: Uint8Array, digest?: Uint8Array): Batch {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rows = view.getUint32(HEADER.rows, true);
  const columns = schema.fields.map((field, i): Column => {
    const base = HEADER_BYTES + i * DESCRIPTOR_BYTES;
    const part = (at: number): Uint8Array => {
      const offset = view.getUint32(base + at, true);
      return bytes.subarray(offset, offset + view.getUint32(base + at + 4, true));
    };
    const ends = part(DESCRIPTOR.offsetsOffset);
    const variable = field.type === "utf8" || field.type === "binary" || field.type === "dict";
    const nulls = view.getUint32(base + DESCRIPTOR.nulls, true);
    return {
      field,
      rows,
      nulls,
      validity: nulls > 0 ? part(DESCRIPTOR.validityOffset) : undefined,
      values: typedView(field.type, part(DESCRIPTOR.dataOffset)),
      offsets: variable ? new Int32Array(ends.buffer, ends.byteOffset, ends.byteLength >> 2) : undefined,
      extra: field.type === "dict" ? part(DESCRIPTOR.extraOffset) : undefined,
      entries: view.getUint32(base + DESCRIPTOR.entries, true),
    };
  });
  return new Batch(schema, rows, columns, bytes, digest);
}
