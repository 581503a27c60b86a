import { utf8 } from "../../core/bytes.ts";
import type { Batch } from "../batch.ts";
import type { Schema } from "../schema.ts";
import { cellWriter } from "./cell-writer.ts";
import { CSV_SPELLING, JSON_SPELLING, type TextFormat } from "./spelling.ts";
import { TextBytes } from "./text-bytes.ts";

/** What stands around the cells of a row, and before all rows. */
interface RowFrame {
  /** What stands before each cell. */
  readonly before: readonly Uint8Array[];
  readonly after: Uint8Array;
  readonly header: Uint8Array;
}

/**
 * Writes rows as text. NDJSON: one JSON object a line in column order, 64-bit integers as bare numbers, timestamps ISO 8601 UTC,
 * bytes `0x` and hexadecimal digits, NaN and infinities text. CSV (RFC 4180, but lines end in LF, as most tools write them): a
 * header, null as an empty cell, empty text as a quoted one, the rest spelt as in NDJSON.
 */
export class RowWriter {
  private readonly spelling: typeof JSON_SPELLING;
  private readonly frame: RowFrame;

  constructor(format: TextFormat, schema: Schema) {
    this.spelling = format === "csv" ? CSV_SPELLING : JSON_SPELLING;
    this.frame = format === "csv" ? csvFrame(schema) : jsonFrame(schema);
  }

  /** What stands before the first row; empty for NDJSON. */
  get header(): Uint8Array {
    return this.frame.header;
  }

  /** A function that appends one row of the batch to `out`; false for one that has more than `bytesMax`, of which a part stands there then. */
  rowsOf(batch: Batch, out: TextBytes, bytesMax = Number.POSITIVE_INFINITY): (row: number) => boolean {
    const { before, after } = this.frame;
    const { spelling } = this;
    const cells = batch.columns.map((column, i) =>
      cellWriter(column, { spelling, before: before[i] as Uint8Array, out }),
    );
    return (row) => {
      const end = out.length + bytesMax;
      for (let i = 0; i < cells.length; i++) {
        (cells[i] as (row: number) => void)(row);
        if (out.length > end) return false;
      }
      out.raw(after);
      return true;
    };
  }
}

function jsonFrame({ fields }: Schema): RowFrame {
  const before = fields.map(({ name }, i) => utf8(`${i === 0 ? "{" : ","}${JSON.stringify(name)}:`));
  return { before, after: utf8("}\n"), header: new Uint8Array(0) };
}

function csvFrame({ fields }: Schema): RowFrame {
  const header = new TextBytes();
  fields.forEach(({ name }, i) => {
    if (i > 0) header.ascii(",");
    const bytes = utf8(name);
    CSV_SPELLING.text(header, bytes, 0, bytes.length);
  });
  header.ascii("\n");
  const before = fields.map((_, i) => utf8(i === 0 ? "" : ","));
  return { before, after: utf8("\n"), header: header.view() };
}
