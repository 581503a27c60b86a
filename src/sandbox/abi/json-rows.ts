import { decodeBatch } from "../../batch/batch.ts";
import { isObject, JsonRowReader, parseJson } from "../../batch/text/json-row.ts";
import { RowWriter } from "../../batch/text/row-writer.ts";
import { TextBytes } from "../../batch/text/text-bytes.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { ROW_TEXT_BYTES_MAX } from "../limits.ts";
import { Stop } from "../stop.ts";
import type { AbiWork } from "./port.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The rows of a call's input, each as the text of one JSON object (docs/reference/extism.md). */
export class RowTexts {
  readonly rows: number;
  private readonly text = new TextBytes();
  private readonly write: (row: number) => void;

  constructor(batch: ArrayBuffer) {
    const decoded = decodeBatch(new Uint8Array(batch));
    this.rows = decoded.rows;
    this.write = new RowWriter("ndjson", decoded.schema).rowsOf(decoded, this.text);
  }

  /** The text of a row, without a line feed: a view, valid until the next. */
  at(row: number): Uint8Array {
    this.text.clear();
    this.write(row);
    return this.text.view(0, this.text.length - 1);
  }
}

/** Collects the rows of a call's output from JSON texts. What is no row, or too much, ends in a {@link Stop}. */
export class RowCollector {
  private readonly reader: JsonRowReader;
  private readonly writer: BatchWriter;
  private readonly bytesMax: number;

  constructor({ columns, outputBytesMax }: AbiWork) {
    if (columns === null) throw new Stop("output-invalid", "nobody declared the columns of its output");
    this.reader = new JsonRowReader(columns, true);
    this.writer = new BatchWriter(columns);
    this.bytesMax = outputBytesMax;
  }

  /** Adds the row that a text is: one JSON object. `of` says what wrote it, for errors. */
  addRow(text: Uint8Array, of: string): void {
    this.push(parsed(text, of), of);
  }

  /** Adds the rows that a text is: one JSON object, a list of objects, or nothing. */
  addRows(text: Uint8Array, of: string): void {
    if (text.length === 0) return;
    const value = parsed(text, of);
    if (!Array.isArray(value)) return this.push(value, of);
    for (const row of value) this.push(row, of);
  }

  /** All rows as the block of one batch. */
  take(): ArrayBuffer {
    const { bytes } = this.writer.take();
    if (bytes.length > this.bytesMax) throw this.tooLarge();
    return new Uint8Array(bytes).buffer;
  }

  private push(row: unknown, of: string): void {
    if (!isObject(row)) throw new Stop("output-invalid", `${of} gave something else than JSON objects`);
    const fault = this.reader.pushObject(this.writer, row);
    if (fault !== undefined) throw new Stop("output-invalid", `${of}: ${fault.message}`);
    if (this.writer.sizeBytes > this.bytesMax) throw this.tooLarge();
  }

  private tooLarge(): Stop {
    return new Stop("output-invalid", `the output has more than the ${this.bytesMax} bytes that this call may return`);
  }
}

function parsed(text: Uint8Array, of: string): unknown {
  // What JavaScript makes of a text may take many times its size, and is not counted as the module's memory.
  if (text.length > ROW_TEXT_BYTES_MAX)
    throw new Stop(
      "output-invalid",
      `${of} gave ${text.length} bytes, more than the ${ROW_TEXT_BYTES_MAX} of one text`,
    );
  try {
    return parseJson(decoder.decode(text));
  } catch {
    throw new Stop("output-invalid", `${of} gave no JSON text`);
  }
}
