import type { ColumnType, Field } from "../batch/schema.ts";
import { parseTimestamp } from "../batch/text/timestamp.ts";
import { IpdmError } from "../core/errors.ts";

/** What a value looks like. */
type Shape = "bool" | "integer" | "float" | "timestamp" | "text" | "nested";

const I64_MAX = 2n ** 63n - 1n;
const I64_MIN = -(2n ** 63n);
const CSV_INTEGER = /^-?(0|[1-9]\d*)$/;
/** Digits of the longest integer whose double is finite. */
const DIGITS_MAX = 309;
const CSV_FLOAT = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/**
 * Finds column types from the first rows, by rule: all booleans give `bool`; all integers `i64` (`u64` when one needs it and
 * none is negative); numbers otherwise `f64`; all ISO 8601 texts `timestamp`; other texts `dict`; nothing but nulls `dict`.
 * Columns stand in the order of their first appearance and may hold nulls.
 */
export class TypeInference {
  private readonly columns = new Map<string, ColumnGuess>();
  private readonly csv: boolean;

  /** `csv`: values are cells, and cells of several shapes are a column of text rather than an error. */
  constructor(csv: boolean) {
    this.csv = csv;
  }

  /** Makes a column known that may never show a value. */
  declare(name: string): void {
    this.guess(name);
  }

  /** Takes one value and its line into account; what makes it impossible to type, if anything. */
  see(name: string, value: unknown, line: number): string | undefined {
    const guess = this.guess(name);
    if (value === null || value === undefined) return undefined;
    const shape = this.csv ? shapeOfCell(String(value)) : shapeOf(value);
    if (shape === "nested") return `column ${name} holds an object or a list`;
    if (shape === "integer") guess.widen(this.csv ? BigInt(String(value)) : BigInt(value as number | bigint), line);
    const merged = guess.shape === undefined ? shape : mergeShapes(guess.shape, shape, this.csv);
    if (merged === undefined) return `column ${name} holds ${shape} here and ${guess.shape} before`;
    guess.shape = merged;
    return undefined;
  }

  /** The columns seen. Throws `SOURCE_SCHEMA_UNKNOWN` when integers fit no column type. */
  fields(file: string): Field[] {
    return [...this.columns].map(([name, guess]) => ({ name, type: guess.type(file, name, this.csv), nullable: true }));
  }

  private guess(name: string): ColumnGuess {
    let guess = this.columns.get(name);
    if (guess === undefined) this.columns.set(name, (guess = new ColumnGuess()));
    return guess;
  }
}

class ColumnGuess {
  shape: Shape | undefined;
  private least = 0n;
  private most = 0n;
  private leastAt = 0;
  private mostAt = 0;

  widen(value: bigint, line: number): void {
    if (value < this.least) [this.least, this.leastAt] = [value, line];
    if (value > this.most) [this.most, this.mostAt] = [value, line];
  }

  type(file: string, name: string, csv: boolean): ColumnType {
    switch (this.shape) {
      case "bool":
        return "bool";
      case "float":
        return "f64";
      case "timestamp":
        return "timestamp";
      case "integer":
        if (this.least >= I64_MIN && this.most <= I64_MAX) return "i64";
        if (this.least === 0n && this.most < 2n ** 64n) return "u64";
        throw this.tooWide(file, name, csv);
      default:
        return "dict";
    }
  }

  /** Rounding is for who reads the numbers to choose: they may be names. */
  private tooWide(file: string, name: string, csv: boolean): IpdmError {
    const line = this.most > I64_MAX ? this.mostAt : this.leastAt;
    const where = `${file}:${line}`;
    return new IpdmError("SOURCE_SCHEMA_UNKNOWN", `${where}: column ${name} holds integers beyond 64 bits`, {
      kind: "config",
      where,
      hint: csv
        ? `declare \`${name}\` as utf8 or f64 under \`columns\`; f64 rounds`
        : `declare \`${name}\` as f64 under \`columns\`, which rounds, or write it as text and declare it as utf8`,
      facts: { column: name, line },
    });
  }
}

/** The error for a text file that shows no row and whose columns nobody declared. */
export function unknownSchema(file: string): IpdmError {
  return new IpdmError("SOURCE_SCHEMA_UNKNOWN", `${file} has no rows to infer column types from`, {
    kind: "config",
    where: file,
    hint: "declare the columns and their types under `columns`",
  });
}

function shapeOf(value: unknown): Shape {
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "bigint":
      return "integer";
    case "number":
      return Number.isSafeInteger(value) ? "integer" : "float";
    case "string":
      return parseTimestamp(value) === undefined ? "text" : "timestamp";
    default:
      return "nested";
  }
}

function shapeOfCell(cell: string): Shape {
  if (CSV_INTEGER.test(cell)) return cell.length > DIGITS_MAX ? "float" : "integer";
  if (CSV_FLOAT.test(cell)) return "float";
  if (/^(true|false)$/i.test(cell)) return "bool";
  return parseTimestamp(cell) === undefined ? "text" : "timestamp";
}

function mergeShapes(a: Shape, b: Shape, csv: boolean): Shape | undefined {
  if (a === b) return a;
  const numbers = (shape: Shape): boolean => shape === "integer" || shape === "float";
  if (numbers(a) && numbers(b)) return "float";
  const texts = (shape: Shape): boolean => shape === "timestamp" || shape === "text";
  if (texts(a) && texts(b)) return "text";
  return csv ? "text" : undefined;
}
