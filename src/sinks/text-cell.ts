import type { Column } from "../batch/column.ts";
import { bytesAt, dictionaryOf, isNull, valueAt, wordsOf } from "../batch/column.ts";
import { toHex } from "../core/bytes.ts";
import { formatTimestamp } from "../sources/timestamp.ts";

/** How a text format spells what is not a bare number or boolean. */
export interface Spelling {
  readonly none: string;
  /** Text of a `utf8` or `dict` value. */
  text(value: string): string;
  /** A word of this writer's own: a timestamp, hexadecimal bytes, NaN. */
  word(value: string): string;
}

/** A function from row number to the cell's text. Integers are exact, floats the shortest text that reads back equal. */
export function cellWriter(column: Column, spelling: Spelling): (row: number) => string {
  const write = valueWriter(column, spelling);
  return column.nulls === 0 ? write : (row) => (isNull(column, row) ? spelling.none : write(row));
}

function valueWriter(column: Column, spelling: Spelling): (row: number) => string {
  const { values } = column;
  switch (column.field.type) {
    case "bool":
      return (row) => (((Number(values[row >> 3]) >> (row & 7)) & 1) === 1 ? "true" : "false");
    case "utf8":
      return (row) => spelling.text(valueAt(column, row) as string);
    case "dict": {
      const texts = dictionaryOf(column).map((text) => spelling.text(text));
      return (row) => texts[Number(values[row])] as string;
    }
    case "binary":
    case "fixed":
      return (row) => spelling.word(`0x${toHex(bytesAt(column, row))}`);
    case "timestamp":
      return (row) => spelling.word(formatTimestamp(values[row] as bigint));
    case "f32":
    case "f64":
      return (row) => float(Number(values[row]), spelling);
    case "i64": {
      const words = wordsOf(column);
      return (row) => {
        const low = words[2 * row] as number;
        // Values of 32 bits, the usual ones, without a bigint.
        return words[2 * row + 1] === low >> 31 ? String(low) : String(values[row]);
      };
    }
    default:
      return (row) => String(values[row]);
  }
}

function float(value: number, spelling: Spelling): string {
  if (!Number.isFinite(value)) return spelling.word(String(value));
  return Object.is(value, -0) ? "-0" : String(value);
}
