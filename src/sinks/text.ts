import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { RowWriter } from "../batch/text/row-writer.ts";
import type { TextFormat } from "../batch/text/spelling.ts";
import { TextBytes } from "../batch/text/text-bytes.ts";
import type { TableEncoder } from "./encoder.ts";
import { TEXT_CHUNK_BYTES } from "./limits.ts";

/** NDJSON or CSV, as {@link RowWriter} says. */
export class TextRowsEncoder implements TableEncoder {
  private readonly rows: RowWriter;
  private readonly text = new TextBytes(TEXT_CHUNK_BYTES);
  private isBegun = false;

  constructor(format: TextFormat, schema: Schema) {
    this.rows = new RowWriter(format, schema);
  }

  *encode(batch: Batch): Generator<Uint8Array> {
    const { text } = this;
    text.clear();
    this.begin();
    const write = this.rows.rowsOf(batch, text);
    for (let row = 0; row < batch.rows; row++) {
      write(row);
      if (text.length < TEXT_CHUNK_BYTES) continue;
      yield text.view();
      text.clear();
    }
    if (text.length > 0) yield text.view();
  }

  *finish(): Generator<Uint8Array> {
    this.text.clear();
    this.begin();
    if (this.text.length > 0) yield this.text.view();
  }

  private begin(): void {
    if (!this.isBegun) this.text.raw(this.rows.header);
    this.isBegun = true;
  }
}
