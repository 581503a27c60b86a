import { isUtf8 } from "node:buffer";
import { decodeBatch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import { isObject, parseJson } from "../../batch/text/json-object.ts";
import { JsonRowReader } from "../../batch/text/json-row.ts";
import { JsonLineScanner } from "../../batch/text/json-scan.ts";
import { RowWriter } from "../../batch/text/row-writer.ts";
import { TextBytes } from "../../batch/text/text-bytes.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { IpdmError } from "../../core/errors.ts";
import { CELL } from "../host/cell.ts";
import type { Tab } from "../host/tab.ts";
import { Stop } from "../stop.ts";
import type { AbiWork } from "./port.ts";
import { ROW_TEXT_BYTES_MAX } from "./wasi-streams.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The rows of a call's input, each as the text of one JSON object. */
export class RowTexts {
  readonly schema: Schema;
  readonly rows: number;
  private readonly text = new TextBytes();
  private readonly write: (row: number) => boolean;

  constructor(block: Uint8Array) {
    const decoded = decodeBatch(block);
    this.schema = decoded.schema;
    this.rows = decoded.rows;
    this.write = new RowWriter("ndjson", decoded.schema).rowsOf(decoded, this.text, ROW_TEXT_BYTES_MAX);
  }

  /** The text of a row, without a line feed: a view, valid until the next. Throws a {@link Stop} for a row that is too long. */
  at(row: number): Uint8Array {
    this.text.clear();
    if (!this.write(row))
      throw new Stop("trap", `row ${row} of its input has more than ${ROW_TEXT_BYTES_MAX} bytes as text`);
    return this.text.view(0, this.text.length - 1);
  }
}

/**
 * Collects the rows of a call's output from JSON texts. Each row's cells are put on the tab before it is added, so that fuel bounds
 * what a short text makes of wide tables. What is no row, or too much, ends in a {@link Stop}.
 */
export class RowCollector {
  private readonly scanner: JsonLineScanner | undefined;
  private readonly reader: JsonRowReader;
  private readonly writer: BatchWriter;
  private readonly bytesMax: number;
  private readonly tab: Tab;
  private readonly cells: number;

  constructor({ columns, outputBytesMax }: AbiWork, tab: Tab) {
    if (columns === null) throw new Stop("output-invalid", "nobody declared the columns of its output");
    this.scanner = JsonLineScanner.of(columns);
    this.reader = new JsonRowReader(columns, true);
    this.writer = new BatchWriter(columns);
    this.bytesMax = outputBytesMax;
    this.tab = tab;
    this.cells = columns.fields.length;
  }

  /** Adds the row that a text is: one JSON object. `of` says what wrote it, for errors. */
  addRow(text: Uint8Array<ArrayBuffer>, of: string): void {
    checkText(text, of);
    if (!this.scan(text, of)) this.push(parsed(text, of), of);
  }

  /** Adds the rows that a text is: one JSON object, a list of objects, or nothing. */
  addRows(text: Uint8Array<ArrayBuffer>, of: string): void {
    if (text.length === 0) return;
    checkText(text, of);
    if (this.scan(text, of)) return;
    const value = parsed(text, of);
    if (!Array.isArray(value)) return this.push(value, of);
    for (const row of value) this.push(row, of);
  }

  /** Adds a row of the usual form, fast; false for a text of another form, of which nothing was added. */
  private scan(text: Uint8Array<ArrayBuffer>, of: string): boolean {
    try {
      const end = this.scanner?.push(this.writer, text, 0) ?? -1;
      if (end === -1) return false;
      if (end !== text.length) throw new Stop("output-invalid", `${of} gave more than one JSON text`);
      this.tab.note(CELL, this.cells);
    } catch (error) {
      if (error instanceof IpdmError) throw new Stop("output-invalid", `${of}: ${error.message}`);
      throw error;
    }
    this.checkSize();
    return true;
  }

  /** All rows as the block of one batch. */
  take(): ArrayBuffer {
    const { bytes } = this.writer.take();
    if (bytes.length > this.bytesMax) throw this.tooLarge();
    return new Uint8Array(bytes).buffer;
  }

  private push(row: unknown, of: string): void {
    if (!isObject(row)) throw new Stop("output-invalid", `${of} gave something else than JSON objects`);
    this.tab.note(CELL, this.cells);
    const fault = this.reader.pushObject(this.writer, row);
    if (fault !== undefined) throw new Stop("output-invalid", `${of}: ${fault.message}`);
    this.checkSize();
  }

  private checkSize(): void {
    if (this.writer.sizeBytes > this.bytesMax) throw this.tooLarge();
  }

  private tooLarge(): Stop {
    return new Stop("output-invalid", `the output has more than the ${this.bytesMax} bytes that this call may return`);
  }
}

function checkText(text: Uint8Array, of: string): void {
  // What JavaScript makes of a text may take many times its size, and is not counted as the module's memory.
  if (text.length > ROW_TEXT_BYTES_MAX)
    throw new Stop(
      "output-invalid",
      `${of} gave ${text.length} bytes, more than the ${ROW_TEXT_BYTES_MAX} of one text`,
    );
  if (!isUtf8(text)) throw new Stop("output-invalid", `${of} gave no UTF-8 text`);
}

function parsed(text: Uint8Array, of: string): unknown {
  try {
    return parseJson(decoder.decode(text));
  } catch {
    throw new Stop("output-invalid", `${of} gave no JSON text`);
  }
}
