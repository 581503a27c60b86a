import { assert, IpdmError } from "../core/errors.ts";
import { bitBytes, longer } from "./buffers.ts";
import type { Column, Value } from "./column.ts";
import { bytesAt, dictionaryOf, isNull } from "./column.ts";
import type { ColumnData } from "./layout.ts";
import { misfitOf } from "./misfit.ts";
import { pickNumbers } from "./picked-numbers.ts";
import { type Field, typeWidth } from "./schema.ts";
import { joinTexts, putText, TEXT_IN_PLACE_MAX, TEXT_ROOM, textBytes } from "./texts.ts";

/** Collects one column's values. */
export class ColumnWriter {
  readonly field: Field;
  private readonly width: number;
  private data = new Uint8Array(1024);
  private view: DataView;
  private used = 0;
  private rows = 0;
  private nulls = 0;
  private validity: Uint8Array | undefined;
  private ends: Int32Array | undefined;
  private readonly dictionary = new Map<string, number>();
  private extraBytes = 0;
  private remap: { from: Column; to: Int32Array } | undefined;

  constructor(field: Field) {
    this.field = field;
    this.width = typeWidth(field);
    this.view = new DataView(this.data.buffer);
    if (field.type === "utf8" || field.type === "binary") this.ends = new Int32Array(256);
  }

  get sizeBytes(): number {
    return this.used + this.extraBytes + (this.ends === undefined ? 0 : 4 * this.rows) + 4 * this.dictionary.size;
  }

  /** Appends a value. Throws `VALUE_MISFIT`. */
  push(value: Value): void {
    if (value === null) return this.pushNull();
    switch (this.field.type) {
      case "bool":
        if (typeof value !== "boolean") throw misfitOf(this.field, value);
        this.reserve(1);
        this.used = bitBytes(this.rows + 1);
        if (value) this.data[this.rows >> 3] = (this.data[this.rows >> 3] as number) | (1 << (this.rows & 7));
        return this.closeRow();
      case "utf8":
        return this.pushString(value);
      case "dict":
        if (typeof value !== "string") throw misfitOf(this.field, value);
        return this.pushIndex(this.entryOf(value));
      case "binary":
      case "fixed":
        if (!(value instanceof Uint8Array) || (this.field.type === "fixed" && value.length !== this.width))
          throw misfitOf(this.field, value);
        return this.pushBytes(value);
      default:
        return this.pushScalar(value);
    }
  }

  /** Appends the text of bytes `from` to `to`, which the caller knows to be valid UTF-8, to a `utf8` column. */
  pushText(bytes: Uint8Array, from: number, to: number): void {
    assert(this.field.type === "utf8", `column ${this.field.name} holds no text`);
    this.pushBytes(bytes, from, to);
  }

  /** Appends a value several times. Throws `VALUE_MISFIT`. */
  repeat(value: Value, times: number): void {
    const from = this.used;
    const isPlain = value !== null && this.width > 0 && this.field.type !== "dict";
    for (let i = 0; i < (isPlain ? Math.min(1, times) : times); i++) this.push(value);
    if (!isPlain || times < 2) return;
    this.reserve(this.width * (times - 1));
    for (let done = 1; done < times; done *= 2)
      this.data.copyWithin(from + done * this.width, from, from + Math.min(done, times - done) * this.width);
    this.used = from + this.width * times;
    this.markValid(times - 1);
  }

  /** Appends the values at places. Throws `VALUE_MISFIT`. */
  pushPicked(values: readonly Value[] | Float64Array, at: Int32Array): void {
    const end = this.used + this.width * at.length;
    this.reserve(end - this.used);
    if (pickNumbers(this.field.type, values, at, this.data, this.rows)) {
      this.used = end;
      return this.markValid(at.length);
    }
    this.data.fill(0, this.used, end);
    for (const place of at) this.push(values[place] ?? null);
  }

  /** Copies rows of a column of the same type. */
  copy(column: Column, from: number, to: number): void {
    const { type } = this.field;
    if (column.nulls === 0 && this.width > 0 && type !== "dict") {
      const source = new Uint8Array(
        column.values.buffer,
        column.values.byteOffset + from * this.width,
        (to - from) * this.width,
      );
      this.reserve(source.length);
      this.data.set(source, this.used);
      this.used += source.length;
      this.markValid(to - from);
      return;
    }
    for (let row = from; row < to; row++) {
      if (isNull(column, row)) this.pushNull();
      else if (type === "dict") this.pushIndex(this.remapped(column, Number(column.values[row])));
      else if (type === "bool") this.push(((Number(column.values[row >> 3]) >> (row & 7)) & 1) === 1);
      else if (type === "utf8" || type === "binary" || type === "fixed") this.pushBytes(bytesAt(column, row));
      else this.pushScalar(column.values[row] as number | bigint);
    }
  }

  /** Appends a null. Throws `VALUE_MISFIT` where the column holds none. */
  pushNull(): void {
    if (!this.field.nullable) {
      const facts = { column: this.field.name };
      throw new IpdmError("VALUE_MISFIT", `column ${this.field.name} holds no nulls`, { facts });
    }
    if (this.validity === undefined) {
      this.validity = new Uint8Array(Math.max(64, bitBytes(this.rows + 1)));
      this.validity.fill(0xff, 0, this.rows >> 3);
      if ((this.rows & 7) !== 0) this.validity[this.rows >> 3] = (1 << (this.rows & 7)) - 1;
    }
    this.nulls++;
    if (this.field.type === "bool") {
      this.reserve(1);
      this.used = bitBytes(this.rows + 1);
    } else if (this.ends === undefined) {
      this.reserve(this.width);
      this.used += this.width;
    }
    this.closeRow(false);
  }

  /** What was collected, checked against the row count: views, which hold until {@link clear} or the next row. */
  held(rows: number): ColumnData {
    assert(this.rows === rows, `column ${this.field.name} has ${this.rows} values for ${rows} rows`);
    const { dictionary } = this;
    const texts =
      this.field.type === "dict" ? joinTexts(dictionary.keys(), dictionary.size, this.extraBytes) : undefined;
    return {
      data: this.data.subarray(0, this.used),
      nulls: this.nulls,
      validity: this.validity?.subarray(0, bitBytes(rows)),
      offsets: texts?.offsets ?? this.ends?.subarray(0, rows + 1),
      extra: texts?.bytes,
      entries: dictionary.size,
    };
  }

  /** Forgets what was collected. */
  clear(): void {
    // Rows without a value stand as zeros in columns of one width; texts leave no gaps.
    if (this.ends === undefined) this.data.fill(0, 0, this.used);
    this.used = 0;
    this.rows = 0;
    this.nulls = 0;
    this.validity = undefined;
    this.dictionary.clear();
    this.extraBytes = 0;
    this.remap = undefined;
  }

  private pushScalar(value: Value): void {
    this.reserve(this.width);
    const at = this.used;
    switch (this.field.type) {
      case "i64":
      case "timestamp":
        if (typeof value !== "bigint") this.setSafe(at, value);
        else if (BigInt.asIntN(64, value) === value) this.view.setBigInt64(at, value, true);
        else throw misfitOf(this.field, value);
        break;
      case "u64":
        if (typeof value !== "bigint" && Number(value) >= 0) this.setSafe(at, value);
        else if (typeof value === "bigint" && BigInt.asUintN(64, value) === value)
          this.view.setBigUint64(at, value, true);
        else throw misfitOf(this.field, value);
        break;
      case "f32":
        if (typeof value !== "number" || (!Object.is(Math.fround(value), value) && !Number.isNaN(value)))
          throw misfitOf(this.field, value);
        this.view.setFloat32(at, value, true);
        break;
      case "f64":
        if (typeof value !== "number") throw misfitOf(this.field, value);
        this.view.setFloat64(at, value, true);
        break;
      default:
        this.setSmall(at, value);
    }
    this.used += this.width;
    this.closeRow();
  }

  private setSmall(at: number, value: Value): void {
    const { type } = this.field;
    const bits = this.width * 8;
    const signed = type === "i8" || type === "i16" || type === "i32";
    const low = signed ? -(2 ** (bits - 1)) : 0;
    const high = signed ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
    const number = Number(value);
    if (
      (typeof value !== "number" && typeof value !== "bigint") ||
      !Number.isInteger(number) ||
      number < low ||
      number > high
    ) {
      throw misfitOf(this.field, value);
    }
    if (bits === 8) this.view.setUint8(at, number & 0xff);
    else if (bits === 16) this.view.setUint16(at, number & 0xffff, true);
    else this.view.setUint32(at, number >>> 0, true);
  }

  /** A safe integer as 64 bits: what a bigint of it would give, without making one. */
  private setSafe(at: number, value: Value): void {
    if (typeof value !== "number" || !Number.isSafeInteger(value)) throw misfitOf(this.field, value);
    const high = Math.floor(value / 4_294_967_296);
    this.view.setUint32(at, value - high * 4_294_967_296, true);
    this.view.setInt32(at + 4, high, true);
  }

  private pushString(text: Value): void {
    if (typeof text !== "string") throw misfitOf(this.field, text);
    if (text.length > TEXT_IN_PLACE_MAX) return this.pushBytes(textBytes(text));
    this.reserve(TEXT_ROOM * text.length);
    this.used += putText(text, this.data, this.used);
    this.closeRow();
  }

  private pushBytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.reserve(to - from);
    // Below this length a loop is faster than the call of a function of the engine.
    if (to - from > 64) this.data.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.used);
    else for (let i = from, at = this.used; i < to; i++, at++) this.data[at] = bytes[i] as number;
    this.used += to - from;
    this.closeRow();
  }

  private pushIndex(index: number): void {
    this.reserve(4);
    this.view.setUint32(this.used, index, true);
    this.used += 4;
    this.closeRow();
  }

  private entryOf(text: string): number {
    let index = this.dictionary.get(text);
    if (index === undefined) {
      index = this.dictionary.size;
      this.dictionary.set(text, index);
      this.extraBytes += text.length;
    }
    return index;
  }

  private remapped(column: Column, index: number): number {
    if (this.remap?.from !== column) this.remap = { from: column, to: new Int32Array(column.entries).fill(-1) };
    const known = this.remap.to[index] as number;
    if (known >= 0) return known;
    const entry = this.entryOf(dictionaryOf(column)[index] as string);
    this.remap.to[index] = entry;
    return entry;
  }

  private closeRow(valid = true): void {
    this.markValid(1, valid);
    if (this.ends !== undefined) {
      if (this.rows + 1 > this.ends.length) this.ends = longer(this.ends, new Int32Array(2 * this.ends.length));
      this.ends[this.rows] = this.used;
    }
  }

  private markValid(count: number, valid = true): void {
    if (this.validity !== undefined) {
      const need = bitBytes(this.rows + count);
      if (need > this.validity.length) this.validity = longer(this.validity, new Uint8Array(2 * need));
      for (let row = this.rows; valid && row < this.rows + count; row++)
        this.validity[row >> 3] = (this.validity[row >> 3] as number) | (1 << (row & 7));
    }
    this.rows += count;
  }

  private reserve(bytes: number): void {
    const need = this.used + bytes + 8;
    if (need <= this.data.length) return;
    this.data = longer(this.data, new Uint8Array(Math.max(2 * this.data.length, need)));
    this.view = new DataView(this.data.buffer);
  }
}
