import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { utf8 } from "../core/bytes.ts";
import type { TableEncoder } from "./encoder.ts";
import { TEXT_CHUNK_CHARS } from "./limits.ts";
import type { Spelling } from "./text-cell.ts";
import { cellWriter } from "./text-cell.ts";

const JSON_SPELLING: Spelling = { none: "null", text: (value) => JSON.stringify(value), word: (value) => `"${value}"` };

/**
 * One JSON object a line in column order. 64-bit integers are bare numbers, timestamps ISO 8601 UTC, bytes `0x` and
 * hexadecimal digits, NaN and infinities text.
 */
export class NdjsonEncoder implements TableEncoder {
  private readonly keys: readonly string[];

  constructor(schema: Schema) {
    this.keys = schema.fields.map(({ name }, i) => `${i === 0 ? "{" : ","}${JSON.stringify(name)}:`);
  }

  *encode(batch: Batch): Generator<Uint8Array> {
    const cells = batch.columns.map((column) => cellWriter(column, JSON_SPELLING));
    let text = "";
    for (let row = 0; row < batch.rows; row++) {
      for (let i = 0; i < cells.length; i++)
        text += (this.keys[i] as string) + (cells[i] as (row: number) => string)(row);
      text += "}\n";
      if (text.length < TEXT_CHUNK_CHARS) continue;
      yield utf8(text);
      text = "";
    }
    if (text !== "") yield utf8(text);
  }

  finish(): Iterable<Uint8Array> {
    return [];
  }
}
