import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Batch } from "./batch.ts";
import type { Column, Value } from "./column.ts";
import { bytesAt, entryBytes, isNull, valueAt, wordsOf, wordsToNumber } from "./column.ts";

/**
 * Encodes rows as dag-cbor arrays in schema order, the form whose hash is a leaf of a table's Merkle tree: integers and
 * timestamps as CBOR integers, `f32` and `f64` always as 64-bit floats (also when their value is whole), texts of `utf8`
 * and `dict` as text, `binary` and `fixed` as byte strings, null as null. Equal rows give equal bytes whatever batch they lie in.
 */
export class RowEncoder {
  private buffer = new Uint8Array(4096);
  private view = new DataView(this.buffer.buffer);
  private at = 0;

  /** Bytes of one row, after an optional prefix byte: a view that the next call overwrites. Throws `ROW_NOT_ENCODABLE` on NaN and infinities. */
  encode(batch: Batch, row: number, prefix?: number): Uint8Array {
    this.at = 0;
    if (prefix !== undefined) this.byte(prefix);
    this.head(0x80, batch.columns.length);
    for (const column of batch.columns) this.value(column, row);
    return this.buffer.subarray(0, this.at);
  }

  private value(column: Column, row: number): void {
    if (isNull(column, row)) return this.byte(0xf6);
    switch (column.field.type) {
      case "bool":
        return this.byte(((Number(column.values[row >> 3]) >> (row & 7)) & 1) === 1 ? 0xf5 : 0xf4);
      case "i64":
      case "timestamp":
      case "u64":
        return this.wide(column, row);
      case "f32":
      case "f64":
        return this.float(column, Number(column.values[row]));
      case "utf8":
        return this.bytes(0x60, bytesAt(column, row));
      case "binary":
      case "fixed":
        return this.bytes(0x40, bytesAt(column, row));
      case "dict":
        return this.bytes(0x60, entryBytes(column, Number(column.values[row])));
      default:
        return this.integer(Number(column.values[row]));
    }
  }

  private wide(column: Column, row: number): void {
    const words = wordsOf(column);
    const high = words[2 * row + 1] as number;
    const low = column.field.type === "u64" ? 0 : -0x20_0000;
    if (high >= low && high < 0x20_0000) return this.integer(wordsToNumber(words, row));
    const value = column.values[row] as bigint;
    const major = value < 0n ? 0x20 : 0x00;
    this.reserve(9);
    this.buffer[this.at] = major | 27;
    this.view.setBigUint64(this.at + 1, value < 0n ? -1n - value : value);
    this.at += 9;
  }

  private integer(value: number): void {
    if (value < 0) this.head(0x20, -1 - value);
    else this.head(0x00, value);
  }

  private float(column: Column, value: number): void {
    if (!Number.isFinite(value)) {
      throw new IpdmError(
        "ROW_NOT_ENCODABLE",
        `column ${column.field.name} holds ${value}, which a provable table cannot`,
        {
          hint: "let the module or the source give null instead of NaN and infinities",
          facts: { column: column.field.name },
        },
      );
    }
    this.reserve(9);
    this.buffer[this.at] = 0xfb;
    this.view.setFloat64(this.at + 1, value);
    this.at += 9;
  }

  private bytes(major: number, bytes: Uint8Array): void {
    this.head(major, bytes.length);
    this.reserve(bytes.length);
    this.buffer.set(bytes, this.at);
    this.at += bytes.length;
  }

  /** Major type and argument in CBOR's shortest form (RFC 8949, 4.2.1). */
  private head(major: number, argument: number): void {
    this.reserve(9);
    const { view, at } = this;
    if (argument < 24) {
      this.buffer[at] = major | argument;
      this.at += 1;
    } else if (argument < 0x100) {
      view.setUint16(at, ((major | 24) << 8) | argument);
      this.at += 2;
    } else if (argument < 0x1_0000) {
      this.buffer[at] = major | 25;
      view.setUint16(at + 1, argument);
      this.at += 3;
    } else if (argument < 0x1_0000_0000) {
      this.buffer[at] = major | 26;
      view.setUint32(at + 1, argument);
      this.at += 5;
    } else {
      this.buffer[at] = major | 27;
      view.setUint32(at + 1, Math.floor(argument / 0x1_0000_0000));
      view.setUint32(at + 5, argument >>> 0);
      this.at += 9;
    }
  }

  private byte(value: number): void {
    this.reserve(1);
    this.buffer[this.at] = value;
    this.at += 1;
  }

  private reserve(bytes: number): void {
    const need = this.at + bytes;
    if (need <= this.buffer.length) return;
    const grown = new Uint8Array(2 * need);
    grown.set(this.buffer);
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** One row's values in schema order. */
export function rowValues(batch: Batch, row: number): Value[] {
  return batch.columns.map((column) => valueAt(column, row));
}

/** True when two rows of batches of one schema hold the same values: floats bit by bit but for NaN, bytes byte by byte. */
export function sameRow(a: Batch, row: number, b: Batch, other: number): boolean {
  return a.columns.every((column, i) => sameValue(valueAt(column, row), valueAt(b.columns[i] as Column, other)));
}

function sameValue(a: Value, b: Value): boolean {
  return a instanceof Uint8Array && b instanceof Uint8Array ? equalBytes(a, b) : Object.is(a, b);
}
