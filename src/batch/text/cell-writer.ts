import { toHex } from "../../core/bytes.ts";
import type { Column } from "../column.ts";
import { bytesAt, entryBytes, isNull, wordsOf, wordsToNumber } from "../column.ts";
import type { Spelling } from "./spelling.ts";
import { TextBytes } from "./text-bytes.ts";
import { TimestampWriter } from "./timestamp-writer.ts";

/** Bytes, and texts, of a dictionary up to which it is spelt as a whole. */
const SPELT_MAX = 65_536;

/** Appends the text of a column's row. */
export type CellWriter = (row: number) => void;

/** Writer of a column's cells into `out`. Integers are exact, floats the shortest text that reads back equal. */
export function cellWriter(column: Column, spelling: Spelling, out: TextBytes): CellWriter {
  const write = valueWriter(column, spelling, out);
  if (column.nulls === 0) return write;
  return (row) => (isNull(column, row) ? out.raw(spelling.none) : write(row));
}

function valueWriter(column: Column, spelling: Spelling, out: TextBytes): CellWriter {
  const { values } = column;
  const { quote } = spelling;
  const word = (text: string): void => {
    out.raw(quote);
    out.ascii(text);
    out.raw(quote);
  };
  switch (column.field.type) {
    case "bool":
      return (row) => out.ascii(((Number(values[row >> 3]) >> (row & 7)) & 1) === 1 ? "true" : "false");
    case "utf8": {
      const offsets = column.offsets as Int32Array;
      return (row) => spelling.text(out, values as Uint8Array, offsets[row] as number, offsets[row + 1] as number);
    }
    case "dict":
      return dictWriter(column, spelling, out);
    case "binary":
    case "fixed":
      return (row) => word(`0x${toHex(bytesAt(column, row))}`);
    case "timestamp": {
      const times = new TimestampWriter(wordsOf(column), values as BigInt64Array, out);
      return (row) => {
        out.raw(quote);
        times.write(row);
        out.raw(quote);
      };
    }
    case "f32":
    case "f64":
      return (row) => {
        const value = Number(values[row]);
        if (!Number.isFinite(value)) word(String(value));
        else if (Number.isSafeInteger(value) && !Object.is(value, -0)) out.integer(value);
        else out.ascii(Object.is(value, -0) ? "-0" : String(value));
      };
    case "i64":
    case "u64":
      return wideWriter(column, out);
    default:
      return (row) => out.integer(Number(values[row]));
  }
}

/** Each text of a dictionary that is small is spelt once. */
function dictWriter(column: Column, spelling: Spelling, out: TextBytes): CellWriter {
  const { extra, entries } = column;
  if ((extra?.length ?? 0) > SPELT_MAX || entries > SPELT_MAX) {
    return (row) => {
      const bytes = entryBytes(column, Number(column.values[row]));
      spelling.text(out, bytes, 0, bytes.length);
    };
  }
  const spelt = new TextBytes();
  const ends = new Int32Array(column.entries + 1);
  for (let entry = 0; entry < column.entries; entry++) {
    const bytes = entryBytes(column, entry);
    spelling.text(spelt, bytes, 0, bytes.length);
    ends[entry + 1] = spelt.length;
  }
  const texts = spelt.view();
  return (row) => {
    const entry = Number(column.values[row]);
    out.raw(texts, ends[entry], ends[entry + 1]);
  };
}

function wideWriter(column: Column, out: TextBytes): CellWriter {
  const words = wordsOf(column);
  const lowest = column.field.type === "u64" ? 0 : -0x20_0000;
  return (row) => {
    const high = words[2 * row + 1] as number;
    // Safe integers, the usual ones, without a bigint.
    if (high >= lowest && high < 0x20_0000) out.integer(wordsToNumber(words, row));
    else out.ascii(String(column.values[row]));
  };
}
