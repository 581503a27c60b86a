import { IpdmError } from "../core/errors.ts";
import { bitBytes, typedView } from "./buffers.ts";
import type { Column } from "./column.ts";
import {
  ALIGNMENT,
  DESCRIPTOR,
  DESCRIPTOR_BYTES,
  FLAG_NULLABLE,
  HEADER,
  HEADER_BYTES,
  MAGIC,
  VERSION,
} from "./format.ts";
import { COLUMNS_MAX } from "./limits.ts";
import type { Field, Schema } from "./schema.ts";
import { COLUMN_TYPES, findField, schemaOf, typeWidth } from "./schema.ts";
import { isUtf8 } from "./utf8.ts";

/**
 * Immutable columns, and the one position-independent block of bytes that they make. The block is what is hashed, stored, sent and
 * copied into a module's memory. The columns of a batch that was read are views over it; of one that an operator made, the
 * block is laid out when it is asked for, since most are never stored, and a column may be made when somebody reads it.
 */
export class Batch {
  readonly schema: Schema;
  readonly rows: number;
  /** SHA-256 of the block, where whoever made it has hashed it as well. */
  readonly digest: Uint8Array | undefined;
  private readonly made: (Column | undefined)[];
  private readonly make: ((index: number) => Column) | undefined;
  private block: Uint8Array | (() => Uint8Array);

  /** `columns` in the order of the schema, or how to make the one at a place. */
  constructor(
    schema: Schema,
    rows: number,
    columns: readonly Column[] | ((index: number) => Column),
    block: Uint8Array | (() => Uint8Array),
    digest?: Uint8Array,
  ) {
    this.schema = schema;
    this.rows = rows;
    this.make = typeof columns === "function" ? columns : undefined;
    this.made = typeof columns === "function" ? schema.fields.map(() => undefined) : (columns as Column[]);
    this.block = block;
    this.digest = digest;
  }

  get columns(): readonly Column[] {
    for (let i = 0; i < this.made.length; i++) this.at(i);
    return this.made as readonly Column[]; // all of them are there now
  }

  /** The block. Do not write to it. */
  get bytes(): Uint8Array {
    if (typeof this.block === "function") this.block = this.block();
    return this.block;
  }

  /** The column of that name. Throws `COLUMN_MISSING`. */
  column(name: string): Column {
    const { fields } = this.schema;
    for (let i = 0; i < fields.length; i++) if (fields[i]?.name === name) return this.at(i);
    throw missingColumn(this.schema, name);
  }

  private at(index: number): Column {
    const column = this.made[index] ?? this.make?.(index);
    if (column === undefined) throw new IpdmError("INVARIANT", `a batch has no column ${index}`);
    this.made[index] = column;
    return column;
  }
}

/** Instead of a block, for what is only a view of another batch's columns: nobody may ask for it. */
export const NO_BLOCK = (): Uint8Array => {
  throw new IpdmError("INVARIANT", "a view of columns has no block");
};

/** The error for a column that a schema does not have, naming those it has. */
export function missingColumn(schema: Schema, name: string): IpdmError {
  const names = schema.fields.map((field) => field.name).join(", ");
  return new IpdmError("COLUMN_MISSING", `there is no column ${name}`, {
    kind: "config",
    hint: `columns here: ${names}`,
    facts: { column: name, columns: schema.fields.map((field) => field.name) },
  });
}

/** The field of that name. Throws `COLUMN_MISSING`. */
export function fieldOf(schema: Schema, name: string): Field {
  const field = findField(schema, name);
  if (field === undefined) throw missingColumn(schema, name);
  return field;
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Reads a batch block that may come from anyone: every offset, length, index and text is checked, so that later loops need
 * not. The columns are views over `bytes` (copied first when it is not 8-byte aligned in its buffer). Throws `BATCH_MALFORMED`.
 */
export function decodeBatch(bytes: Uint8Array): Batch {
  const block = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  if (block.length < HEADER_BYTES || view.getUint32(HEADER.magic, true) !== MAGIC) throw malformed("no batch header");
  if (view.getUint32(HEADER.version, true) !== VERSION) throw malformed("unknown version");
  if (view.getUint32(HEADER.length, true) !== block.length || block.length % ALIGNMENT !== 0) throw malformed("length");
  const rows = view.getUint32(HEADER.rows, true);
  const count = view.getUint32(HEADER.columns, true);
  if (count === 0 || count > COLUMNS_MAX || HEADER_BYTES + count * DESCRIPTOR_BYTES > block.length)
    throw malformed("column count");
  const columns: Column[] = [];
  for (let i = 0; i < count; i++) columns.push(new DescriptorReader(block, view, i).column(rows));
  return new Batch(schemaOf(columns.map((column) => column.field)), rows, columns, block);
}

class DescriptorReader {
  private readonly block: Uint8Array;
  private readonly view: DataView;
  private readonly base: number;
  private readonly index: number;

  constructor(block: Uint8Array, view: DataView, index: number) {
    this.block = block;
    this.view = view;
    this.base = HEADER_BYTES + index * DESCRIPTOR_BYTES;
    this.index = index;
  }

  column(rows: number): Column {
    const field = this.field();
    const validity = this.buffer(DESCRIPTOR.validityOffset, DESCRIPTOR.validityLength);
    const nulls = this.u32(DESCRIPTOR.nulls);
    if (nulls > rows || (nulls > 0 && !field.nullable)) throw this.bad("nulls");
    if (nulls > 0 ? validity.length !== bitBytes(rows) : validity.length !== 0) throw this.bad("validity");
    if (nulls > 0 && rows - countBits(validity, rows) !== nulls) throw this.bad("null count");
    const data = this.buffer(DESCRIPTOR.dataOffset, DESCRIPTOR.dataLength);
    const ends = this.buffer(DESCRIPTOR.offsetsOffset, DESCRIPTOR.offsetsLength);
    const extra = this.buffer(DESCRIPTOR.extraOffset, DESCRIPTOR.extraLength);
    const entries = this.u32(DESCRIPTOR.entries);
    const variable = field.type === "utf8" || field.type === "binary";
    const dict = field.type === "dict";
    if (!dict && (entries !== 0 || extra.length !== 0)) throw this.bad("dictionary");
    let offsets: Int32Array | undefined;
    if (variable || dict) {
      offsets = this.offsets(ends, (dict ? entries : rows) + 1, dict ? extra : data, field.type !== "binary");
    } else if (ends.length !== 0) {
      throw this.bad("offsets");
    }
    if (!variable) {
      const expected = field.type === "bool" ? bitBytes(rows) : rows * typeWidth(field);
      if (data.length !== expected) throw this.bad("data length");
    }
    const values = typedView(field.type, data);
    if (dict) this.checkIndices(values as Uint32Array, entries, nulls > 0 ? validity : undefined);
    return {
      field,
      rows,
      nulls,
      values,
      offsets,
      entries,
      validity: nulls > 0 ? validity : undefined,
      extra: dict ? extra : undefined,
    };
  }

  private field(): Field {
    const type = COLUMN_TYPES[this.u32(DESCRIPTOR.type) - 1];
    const flags = this.u32(DESCRIPTOR.flags);
    const width = this.u32(DESCRIPTOR.width);
    if (type === undefined || flags > FLAG_NULLABLE || (type !== "fixed" && width !== 0)) throw this.bad("type");
    const name = this.text(this.slice(this.u32(DESCRIPTOR.nameOffset), this.u32(DESCRIPTOR.nameLength)));
    const nullable = flags === FLAG_NULLABLE;
    return type === "fixed" ? { name, type, nullable, width } : { name, type, nullable };
  }

  private offsets(ends: Uint8Array, count: number, data: Uint8Array, text: boolean): Int32Array {
    if (ends.length !== 4 * count) throw this.bad("offsets length");
    const offsets = new Int32Array(ends.buffer, ends.byteOffset, count);
    if (offsets[0] !== 0 || offsets[count - 1] !== data.length) throw this.bad("offsets range");
    for (let i = 1; i < count; i++)
      if ((offsets[i] as number) < (offsets[i - 1] as number)) throw this.bad("offsets order");
    if (text && !isAscii(data)) {
      this.checkText(data);
      // The whole is valid UTF-8; each part is too when no part starts inside a sequence.
      for (let i = 0; i < count; i++) {
        const start = offsets[i] as number;
        if (start < data.length && ((data[start] as number) & 0xc0) === 0x80) throw this.bad("text");
      }
    }
    return offsets;
  }

  private checkIndices(indices: Uint32Array, entries: number, validity: Uint8Array | undefined): void {
    for (let row = 0; row < indices.length; row++) {
      if ((indices[row] as number) >= entries) {
        const isNullRow = validity !== undefined && (((validity[row >> 3] as number) >> (row & 7)) & 1) === 0;
        if (!isNullRow || indices[row] !== 0) throw this.bad("dictionary index");
      }
    }
  }

  private text(bytes: Uint8Array): string {
    this.checkText(bytes);
    return decoder.decode(bytes);
  }

  private checkText(bytes: Uint8Array): void {
    if (!isUtf8(bytes)) throw this.bad("text");
  }

  private buffer(offsetAt: number, lengthAt: number): Uint8Array {
    const offset = this.u32(offsetAt);
    const length = this.u32(lengthAt);
    if (length === 0 && offset === 0) return this.block.subarray(0, 0);
    if (offset % ALIGNMENT !== 0) throw this.bad("alignment");
    return this.slice(offset, length);
  }

  private slice(offset: number, length: number): Uint8Array {
    if (offset < HEADER_BYTES || offset + length > this.block.length) throw this.bad("range");
    return this.block.subarray(offset, offset + length);
  }

  private u32(at: number): number {
    return this.view.getUint32(this.base + at, true);
  }

  private bad(what: string): IpdmError {
    return malformed(`column ${this.index}: ${what}`);
  }
}

/** True for bytes below 128 alone, which are UTF-8 wherever they are cut. Buffers of a block begin at multiples of 64 bytes. */
function isAscii(bytes: Uint8Array): boolean {
  const whole = bytes.byteOffset % 4 === 0 ? bytes.length >> 2 : 0;
  const words = new Uint32Array(bytes.buffer, whole === 0 ? 0 : bytes.byteOffset, whole);
  let seen = 0;
  for (let i = 0; i < whole; i++) seen |= words[i] as number;
  for (let i = 4 * whole; i < bytes.length; i++) seen |= (bytes[i] as number) << 24;
  return (seen & 0x80808080) === 0;
}

function countBits(bitmap: Uint8Array, rows: number): number {
  let count = 0;
  for (let row = 0; row < rows; row++) count += ((bitmap[row >> 3] as number) >> (row & 7)) & 1;
  return count;
}

function malformed(what: string): IpdmError {
  return new IpdmError("BATCH_MALFORMED", `not a batch block: ${what}`, { kind: "verification" });
}
