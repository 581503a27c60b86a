import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { utf8 } from "../core/bytes.ts";
import type { TableEncoder } from "./encoder.ts";
import { TEXT_CHUNK_CHARS } from "./limits.ts";
import type { Spelling } from "./text-cell.ts";
import { cellWriter } from "./text-cell.ts";

const CSV_SPELLING: Spelling = { none: "", text: quoted, word: (value) => value };

/** CSV (RFC 4180) with a header. Null is an empty cell, empty text a quoted one; other values are spelt as in NDJSON. */
export class CsvEncoder implements TableEncoder {
  private header: string;

  constructor(schema: Schema) {
    this.header = `${schema.fields.map((field) => quoted(field.name)).join(",")}\r\n`;
  }

  *encode(batch: Batch): Generator<Uint8Array> {
    const cells = batch.columns.map((column) => cellWriter(column, CSV_SPELLING));
    let text = this.header;
    this.header = "";
    for (let row = 0; row < batch.rows; row++) {
      for (let i = 0; i < cells.length; i++) text += (i === 0 ? "" : ",") + (cells[i] as (row: number) => string)(row);
      text += "\r\n";
      if (text.length < TEXT_CHUNK_CHARS) continue;
      yield utf8(text);
      text = "";
    }
    if (text !== "") yield utf8(text);
  }

  finish(): Iterable<Uint8Array> {
    return this.header === "" ? [] : [utf8(this.header)];
  }
}

function quoted(text: string): string {
  // A byte order mark is quoted too, lest one at the start of the file is taken for an encoding mark.
  return text === "" || /[",\r\n\uFEFF]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
