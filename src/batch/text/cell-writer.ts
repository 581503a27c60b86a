import { concat, toHex } from "../../core/bytes.ts";
import type { Column } from "../column.ts";
import { bytesAt, entryBytes, isNull, wordsOf, wordsToNumber } from "../column.ts";
import type { CellTarget } from "./spelling.ts";
import { TextBytes } from "./text-bytes.ts";
import { TimestampWriter } from "./timestamp-writer.ts";

/** Bytes of a dictionary, as it is spelt, up to which each of its texts is spelt once. */
const SPELT_MAX = 262_144;

/** Appends the text of a column's row, with what stands before it. */
export type CellWriter = (row: number) => void;

/** Writer of a column's cells. Integers are exact, floats the shortest text that reads back equal. */
export function cellWriter(column: Column, target: CellTarget): CellWriter {
  const write = valueWriter(column, target);
  if (column.nulls === 0) return write;
  const { spelling, before, out } = target;
  const none = concat(before, spelling.none);
  return (row) => (isNull(column, row) ? out.raw(none) : write(row));
}

function valueWriter(column: Column, target: CellTarget): CellWriter {
  const { values } = column;
  const { spelling, before, out } = target;
  switch (column.field.type) {
    case "bool": {
      const writers = ["false", "true"].map((text) => concat(before, new TextEncoder().encode(text)));
      return (row) => out.raw(writers[(Number(values[row >> 3]) >> (row & 7)) & 1] as Uint8Array);
    }
    case "utf8": {
      const offsets = column.offsets as Int32Array;
      return (row) => {
        out.raw(before);
        spelling.text(out, values as Uint8Array, offsets[row] as number, offsets[row + 1] as number);
      };
    }
    case "dict":
      return dictWriter(column, target);
    case "binary":
    case "fixed":
      return (row) => writeWord(target, `0x${toHex(bytesAt(column, row))}`);
    case "timestamp": {
      const times = new TimestampWriter(wordsOf(column), values as BigInt64Array, target);
      return (row) => times.write(row);
    }
    case "f32":
    case "f64":
      return (row) => writeFloat(target, Number(values[row]));
    case "i64":
    case "u64":
      return wideWriter(column, target);
    default:
      return (row) => {
        out.raw(before);
        out.integer(Number(values[row]));
      };
  }
}

function writeWord({ spelling, before, out }: CellTarget, text: string): void {
  out.raw(before);
  out.raw(spelling.quote);
  out.ascii(text);
  out.raw(spelling.quote);
}

function writeFloat(target: CellTarget, value: number): void {
  const { before, out } = target;
  if (!Number.isFinite(value)) return writeWord(target, String(value));
  out.raw(before);
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) out.integer(value);
  else out.ascii(Object.is(value, -0) ? "-0" : String(value));
}

/** Each text of a dictionary that is small is spelt once, with what stands before it. */
function dictWriter(column: Column, { spelling, before, out }: CellTarget): CellWriter {
  const { extra, entries } = column;
  if ((extra?.length ?? 0) + entries * (before.length + 2) > SPELT_MAX) {
    return (row) => {
      const bytes = entryBytes(column, Number(column.values[row]));
      out.raw(before);
      spelling.text(out, bytes, 0, bytes.length);
    };
  }
  const spelt = new TextBytes();
  const ends = new Int32Array(entries + 1);
  for (let entry = 0; entry < entries; entry++) {
    const bytes = entryBytes(column, entry);
    spelt.raw(before);
    spelling.text(spelt, bytes, 0, bytes.length);
    ends[entry + 1] = spelt.length;
  }
  const texts = spelt.view();
  return (row) => {
    const entry = Number(column.values[row]);
    out.raw(texts, ends[entry], ends[entry + 1]);
  };
}

function wideWriter(column: Column, { before, out }: CellTarget): CellWriter {
  const words = wordsOf(column);
  const lowest = column.field.type === "u64" ? 0 : -0x20_0000;
  return (row) => {
    out.raw(before);
    const high = words[2 * row + 1] as number;
    // Safe integers, the usual ones, without a bigint.
    if (high >= lowest && high < 0x20_0000) out.integer(wordsToNumber(words, row));
    else out.ascii(String(column.values[row]));
  };
}
