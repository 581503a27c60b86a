import { IpdmError } from "../../core/errors.ts";
import type { Batch } from "../batch.ts";
import { type Schema, typeWidth } from "../schema.ts";
import { BatchWriter } from "../writer.ts";
import { isBlank, JsonRowReader } from "./json-row.ts";
import { JsonLineScanner } from "./json-scan.ts";

/** Why a text is no table: its line, counted from 1, and what is wrong there. */
export interface TextFault {
  readonly line: number;
  readonly message: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LINE_FEED = 10;

/**
 * Reads a whole NDJSON text as one batch: one object a line, blank lines passed over, a line feed after the last row or none. Every
 * key has to be a column. The batch has at most `bytesMax` bytes. A text that is no such table is a {@link TextFault}.
 */
export function readNdjson(text: Uint8Array<ArrayBuffer>, schema: Schema, bytesMax: number): Batch | TextFault {
  if (!isUtf8(text)) return { line: undecodable(text), message: "the line is not UTF-8" };
  const rows = new RowsOfText(text, schema);
  const rowsMax = Math.floor(bytesMax / leastRowBytes(schema));
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const next = rows.pushLine(start);
    if (typeof next !== "number") return { line, message: next.message };
    // A short line can be a wide row of nulls, so the text's length does not bound the batch's.
    if (rows.writer.rows > rowsMax) return tooLarge(line, bytesMax);
    start = next;
  }
  const batch = rows.writer.take();
  return batch.bytes.length > bytesMax ? tooLarge(Math.max(1, line - 1), bytesMax) : batch;
}

class RowsOfText {
  readonly writer: BatchWriter;
  private readonly text: Uint8Array<ArrayBuffer>;
  private readonly scanner: JsonLineScanner | undefined;
  private readonly reader: JsonRowReader;

  constructor(text: Uint8Array<ArrayBuffer>, schema: Schema) {
    this.text = text;
    this.writer = new BatchWriter(schema);
    this.scanner = JsonLineScanner.of(schema);
    this.reader = new JsonRowReader(schema, true);
  }

  /** Adds the row of the line that begins at `start`, unless it is blank: where the next begins, or what is wrong. */
  pushLine(start: number): number | { readonly message: string } {
    try {
      const next = this.scanner?.push(this.writer, this.text, start) ?? -1;
      if (next >= 0) return next;
    } catch (error) {
      if (error instanceof IpdmError) return error;
      throw error;
    }
    const found = this.text.indexOf(LINE_FEED, start);
    const end = found === -1 ? this.text.length : found;
    const line = decoder.decode(this.text.subarray(start, end));
    return (isBlank(line) ? undefined : this.reader.push(this.writer, line)) ?? end + 1;
  }
}

function isUtf8(text: Uint8Array): boolean {
  try {
    decoder.decode(text);
    return true;
  } catch {
    return false;
  }
}

function tooLarge(line: number, bytesMax: number): TextFault {
  return { line, message: `the rows up to here need more than the ${bytesMax} bytes that a batch may have` };
}

/** Bytes that a row takes in any case. */
function leastRowBytes({ fields }: Schema): number {
  let sum = 0;
  for (const field of fields) {
    if (field.type === "bool") sum += 1 / 8;
    else sum += field.type === "utf8" || field.type === "binary" ? 4 : typeWidth(field);
  }
  return sum;
}

function undecodable(text: Uint8Array): number {
  let line = 1;
  for (let start = 0; start < text.length; line++) {
    const found = text.indexOf(LINE_FEED, start);
    const end = found === -1 ? text.length : found;
    if (!isUtf8(text.subarray(start, end))) return line;
    start = end + 1;
  }
  return line;
}
