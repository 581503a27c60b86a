import { type Batch, missingColumn } from "../../batch/batch.ts";
import { type Value, valueAt } from "../../batch/column.ts";
import { type Field, findField, type Schema } from "../../batch/schema.ts";
import { csvParser } from "../../batch/text/text-value.ts";
import { equalBytes } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";

/** What a column of the wanted row has to hold, as it was written; null for no value. */
export interface Wanted {
  readonly column: string;
  readonly text: string | null;
}

/** One `column=value`; a value in double quotes may hold commas, a quote in it is doubled. */
const PAIR = /\s*([^=,"]+?)\s*=\s*(?:"((?:[^"]|"")*)"|([^,"]*))\s*(?:,|$)/y;

/**
 * Reads `column=value,column=value` as people type it: values as CSV has them, nothing behind `=` for no value. Throws
 * `USAGE`.
 */
export function parseRowFilter(text: string): Wanted[] {
  const wanted: Wanted[] = [];
  PAIR.lastIndex = 0;
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text);
    if (match === null) throw notFilter(text);
    const [, column = "", quoted, bare] = match;
    const value = quoted?.replaceAll('""', '"') ?? bare?.trim() ?? "";
    wanted.push({ column, text: quoted === undefined && value === "" ? null : value });
  }
  if (wanted.length === 0) throw notFilter(text);
  return wanted;
}

/** True for rows that hold what is wanted. */
export type RowMatcher = (batch: Batch, row: number) => boolean;

/** Compares rows of these columns. Throws `COLUMN_MISSING`, and `USAGE` where a value is none of its column's type. */
export function rowMatcher(schema: Schema, wanted: readonly Wanted[]): RowMatcher {
  const tests = wanted.map(({ column, text }) => {
    const field = findField(schema, column);
    if (field === undefined) throw missingColumn(schema, column);
    const at = schema.fields.indexOf(field);
    return { at, value: text === null ? null : valueOf(field, text) };
  });
  return (batch, row) =>
    tests.every(({ at, value }) => {
      const column = batch.columns[at];
      return column !== undefined && same(valueAt(column, row), value);
    });
}

function valueOf(field: Field, text: string): Value {
  const value = csvParser(field)(text);
  if (value === undefined)
    throw new IpdmError("USAGE", `--row: ${text} is no value of column ${field.name}, which is ${field.type}`, {
      kind: "usage",
      hint: "write it as a CSV file has it: whole numbers, 0x… for bytes, 2001-01-05T06:00:00Z for times",
    });
  return value;
}

function same(found: Value, wanted: Value): boolean {
  if (found instanceof Uint8Array) return wanted instanceof Uint8Array && equalBytes(found, wanted);
  if (typeof found === "bigint" || typeof wanted === "bigint")
    return isNumeric(found) && isNumeric(wanted) && BigInt(found) === BigInt(wanted);
  return found === wanted;
}

function isNumeric(value: Value): value is number | bigint {
  return typeof value === "number" ? Number.isInteger(value) : typeof value === "bigint";
}

function notFilter(text: string): IpdmError {
  return new IpdmError("USAGE", `--row takes column=value,column=value, not ${JSON.stringify(text.slice(0, 200))}`, {
    kind: "usage",
    hint: "put values with commas into double quotes: --row 'name=\"a, b\",day=3'",
  });
}
