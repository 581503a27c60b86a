import { utf8 } from "../../core/bytes.ts";
import type { Field, Schema } from "../schema.ts";
import type { BatchWriter } from "../writer.ts";
import { TextCache } from "./text-cache.ts";
import { DAY_MICROS, parseTimestamp } from "./timestamp.ts";

/** How a column's values look where they are read without `JSON.parse`. */
type Form = "bool" | "integer" | "float" | "utf8" | "dict" | "timestamp";

/** What the scanner expects of a column. */
interface ScanColumn {
  /** The key as `JSON.stringify` spells it, and a colon. */
  readonly key: Uint8Array;
  readonly form: Form;
  readonly cache: TextCache;
}

const [QUOTE, COMMA, MINUS, POINT, COLON, OPEN, CLOSE, BACKSLASH, LINE_FEED] = [
  0x22, 0x2c, 0x2d, 0x2e, 0x3a, 0x7b, 0x7d, 0x5c, 0x0a,
];
const [NULL, TRUE, FALSE] = [utf8("null"), utf8("true"), utf8("false")];
/** Decimal digits that a double holds whatever they are. */
const EXACT_DIGITS = 15;
const DATE_BYTES = 10;
const UTF8 = new TextDecoder();

/**
 * Reads the usual line of NDJSON in one pass over its bytes: the columns in their order, without white space, texts without
 * escapes, numbers of at most 15 digits without an exponent, times in UTC. Such a line means here what it means to a
 * `JsonRowReader`; any other is left to that one, so this decides nothing but speed.
 */
export class JsonLineScanner {
  private readonly columns: readonly ScanColumn[];
  private readonly numbers: Float64Array;
  private readonly starts: Int32Array;
  private readonly ends: Int32Array;
  private bytes = new Uint8Array(0);
  private at = 0;
  private dateText = "";
  private dateMicros = 0;

  private constructor(columns: readonly ScanColumn[]) {
    this.columns = columns;
    this.numbers = new Float64Array(columns.length);
    this.starts = new Int32Array(columns.length);
    this.ends = new Int32Array(columns.length);
  }

  /** A scanner for columns of a schema; undefined where a column has a type that it does not read. */
  static of({ fields }: Schema): JsonLineScanner | undefined {
    const columns: ScanColumn[] = [];
    for (const field of fields) {
      const form = formOf(field);
      if (form === undefined || !field.nullable) return undefined;
      columns.push({ key: utf8(`${JSON.stringify(field.name)}:`), form, cache: new TextCache() });
    }
    return new JsonLineScanner(columns);
  }

  /**
   * Adds the row that begins at `from` of a text that is valid UTF-8. Where the next line begins; -1 when this one is not of the
   * usual form, and nothing was added then. Throws `VALUE_MISFIT`, in the middle of a row, for a value that does not fit.
   */
  push(writer: BatchWriter, bytes: Uint8Array<ArrayBuffer>, from: number): number {
    this.bytes = bytes;
    this.at = from;
    const { columns } = this;
    if (!this.take(OPEN)) return -1;
    for (let i = 0; i < columns.length; i++) {
      const { key, form } = columns[i] as ScanColumn;
      if ((i > 0 && !this.take(COMMA)) || !this.takeAll(key) || !this.value(form, i)) return -1;
    }
    if (!this.take(CLOSE) || (this.at < bytes.length && !this.take(LINE_FEED))) return -1;
    for (let i = 0; i < columns.length; i++) this.pushValue(writer, i);
    writer.endRow();
    return this.at;
  }

  private take(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  private takeAll(expected: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
    this.at = at + expected.length;
    return true;
  }

  /** Reads a value into `numbers`, or `starts` and `ends`; a start of -1 is null. */
  private value(form: Form, i: number): boolean {
    this.starts[i] = 0;
    if (this.bytes[this.at] === NULL[0]) {
      this.starts[i] = -1;
      return this.takeAll(NULL);
    }
    switch (form) {
      case "bool":
        this.numbers[i] = this.bytes[this.at] === TRUE[0] ? 1 : 0;
        return this.takeAll(this.numbers[i] === 1 ? TRUE : FALSE);
      case "integer":
      case "float":
        return this.number(form, i);
      case "timestamp":
        return this.bytes[this.at] === QUOTE ? this.timestamp(i) : this.number("integer", i);
      default:
        return this.text(i);
    }
  }

  /** A JSON number; an integer form has no fraction. Zero with a sign is left to the other reader. */
  private number(form: Form, i: number): boolean {
    const isNegative = this.take(MINUS);
    const first = this.at;
    let value = this.digits(0);
    let digits = this.at - first;
    if (digits === 0 || digits > EXACT_DIGITS || (digits > 1 && this.bytes[first] === 0x30)) return false;
    if (form === "float" && this.take(POINT)) {
      const point = this.at;
      value = this.digits(value);
      const places = this.at - point;
      digits += places;
      if (places === 0 || digits > EXACT_DIGITS) return false;
      // Both are exact, so that the quotient is the nearest double (Clinger 1990).
      value /= 10 ** places;
    }
    const end = this.bytes[this.at];
    if ((end !== COMMA && end !== CLOSE) || (isNegative && value === 0)) return false;
    this.numbers[i] = isNegative ? -value : value;
    return true;
  }

  /** The number that `value` becomes with the digits that follow; more than 15 in all are found by their count. */
  private digits(value: number): number {
    const { bytes } = this;
    let at = this.at;
    let sum = value;
    for (;;) {
      const digit = (bytes[at] as number) - 0x30;
      if (!(digit >= 0 && digit <= 9)) break;
      sum = 10 * sum + digit;
      at++;
    }
    this.at = at;
    return sum;
  }

  private text(i: number): boolean {
    if (!this.take(QUOTE)) return false;
    const { bytes } = this;
    let at = this.at;
    for (;;) {
      const byte = bytes[at];
      if (byte === QUOTE) break;
      if (byte === undefined || byte < 0x20 || byte === BACKSLASH) return false;
      at++;
    }
    this.starts[i] = this.at;
    this.ends[i] = at;
    this.at = at + 1;
    return true;
  }

  /** `"2001-01-01T00:00:00.000000Z"`, with a fraction or without. The date is read by `parseTimestamp`, once for rows of one day. */
  private timestamp(i: number): boolean {
    const from = this.at + 1;
    if (!this.date(from)) return false;
    this.at = from + DATE_BYTES;
    if (!this.take(0x54)) return false;
    const hour = this.two(24);
    if (hour < 0 || !this.take(COLON)) return false;
    const minute = this.two(60);
    if (minute < 0 || !this.take(COLON)) return false;
    const second = this.two(60);
    if (second < 0) return false;
    let micros = 0;
    if (this.take(POINT)) {
      const point = this.at;
      micros = this.digits(0);
      const places = this.at - point;
      if (places === 0 || places > 6) return false;
      micros *= 10 ** (6 - places);
    }
    if (!this.take(0x5a) || !this.take(QUOTE)) return false;
    const value = this.dateMicros + (hour * 3600 + minute * 60 + second) * 1_000_000 + micros;
    this.numbers[i] = value;
    return Number.isSafeInteger(value);
  }

  private two(below: number): number {
    const { bytes, at } = this;
    const tens = (bytes[at] as number) - 0x30;
    const ones = (bytes[at + 1] as number) - 0x30;
    if (!(tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return -1;
    this.at = at + 2;
    const value = 10 * tens + ones;
    return value < below ? value : -1;
  }

  private date(from: number): boolean {
    const { bytes, dateText } = this;
    let same = dateText.length === DATE_BYTES;
    for (let i = 0; same && i < DATE_BYTES; i++) same = bytes[from + i] === dateText.charCodeAt(i);
    if (same) return true;
    const text = UTF8.decode(bytes.subarray(from, from + DATE_BYTES));
    const micros = text.length === DATE_BYTES ? parseTimestamp(text) : undefined;
    if (typeof micros !== "number" || micros % DAY_MICROS !== 0) return false;
    this.dateText = text;
    this.dateMicros = micros;
    return true;
  }

  private pushValue(writer: BatchWriter, i: number): void {
    const column = writer.at(i);
    const from = this.starts[i] as number;
    if (from < 0) return column.pushNull();
    const { form, cache } = this.columns[i] as ScanColumn;
    if (form === "utf8") column.pushText(this.bytes, from, this.ends[i] as number);
    else if (form === "dict") column.push(cache.textOf(this.bytes, from, this.ends[i] as number));
    else if (form === "bool") column.push(this.numbers[i] === 1);
    else column.push(this.numbers[i] as number);
  }
}

function formOf({ type }: Field): Form | undefined {
  switch (type) {
    case "bool":
    case "utf8":
    case "dict":
    case "timestamp":
      return type;
    case "f64":
      return "float";
    case "f32":
    case "binary":
    case "fixed":
      return undefined;
    default:
      return "integer";
  }
}
