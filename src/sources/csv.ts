import { CsvError, parse } from "csv-parse";
import type { Batch } from "../batch/batch.ts";
import { missingColumn } from "../batch/batch.ts";
import { BatchCutter, checkBatches } from "../batch/cut.ts";
import type { Schema } from "../batch/schema.ts";
import { schemaOf } from "../batch/schema.ts";
import { pushValue } from "../batch/text/json-row.ts";
import { csvParser, type ValueParser } from "../batch/text/text-value.ts";
import { byteStream, type ReadWatch } from "./byte-stream.ts";
import { invalidRow, malformed, overLimit } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { TypeInference, unknownSchema } from "./infer.ts";
import { INFERENCE_ROWS, LINE_BYTES_MAX } from "./limits.ts";
import type { TextFile } from "./ndjson.ts";
import { faultyRow } from "./ndjson.ts";
import type { BatchesOptions } from "./port.ts";
import type { FileReader } from "./reader.ts";

/** A record and the number of its last line; an empty cell without quotes is null. */
interface CsvRecord {
  readonly line: number;
  readonly cells: readonly (string | null)[];
}

/**
 * Reads CSV (RFC 4180) with a header row. An empty cell is null; a quoted empty cell is empty text in a text column and null
 * elsewhere. Blank lines are passed over, except in a file of one column, where they are null rows.
 */
export class CsvReader implements FileReader {
  readonly schema: Schema;
  readonly rows = undefined;
  private readonly text: TextFile;

  constructor(text: TextFile) {
    this.text = text;
    this.schema = text.schema;
  }

  async *read({ batchRows, fromRow = 0, signal, onRead }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    const { file, gzip, strict } = this.text;
    const { path } = file;
    const cutter = new BatchCutter(this.schema, batchRows);
    const { fields } = this.schema;
    const parsers = fields.map(csvParser);
    const isText = fields.map((field) => field.type === "utf8" || field.type === "dict" || field.type === "binary");
    let places: number[] | undefined;
    let width = 0;
    let row = 0;
    for await (const { cells, line } of records(file, gzip, { signal, onRead })) {
      if (places === undefined) {
        const names = header(path, cells);
        places = fields.map(({ name }) => place(names, name));
        width = names.length;
        continue;
      }
      if (isPassedOver(path, cells, width, line) || row++ < fromRow) continue;
      for (let i = 0; i < fields.length; i++) {
        const cell = cells[places[i] as number] as string | null;
        const column = cutter.writer.at(i);
        const isNull = cell === null || (cell === "" && isText[i] !== true);
        const fault = pushValue(column, isNull ? null : (parsers[i] as ValueParser)(cell), cell);
        if (fault !== undefined) throw faultyRow({ path, line, strict }, fault);
      }
      cutter.writer.endRow();
      const batch = cutter.afterRow();
      if (batch === undefined) continue;
      yield batch;
      signal?.throwIfAborted();
    }
    const rest = cutter.rest();
    if (rest !== undefined) yield rest;
  }
}

/** Column types from the header and the first 1000 rows (see {@link TypeInference}). Throws `SOURCE_SCHEMA_UNKNOWN` when there are none. */
export async function inferCsv(file: SourceFile, gzip: boolean, signal?: AbortSignal): Promise<Schema> {
  const inference = new TypeInference(true);
  let names: readonly string[] | undefined;
  let rows = 0;
  for await (const { cells, line } of records(file, gzip, { signal })) {
    if (names === undefined) {
      names = header(file.path, cells);
      for (const name of names) inference.declare(name);
      continue;
    }
    if (isPassedOver(file.path, cells, names.length, line)) continue;
    names.forEach((name, i) => inference.see(name, cells[i] === "" ? null : cells[i], line));
    if (++rows >= INFERENCE_ROWS) break;
  }
  if (rows === 0) throw unknownSchema(file.path);
  return schemaOf(inference.fields(file.path));
}

async function* records(file: SourceFile, gzip: boolean, watch: ReadWatch): AsyncGenerator<CsvRecord, void, undefined> {
  const parser = parse({
    bom: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    max_record_size: LINE_BYTES_MAX,
    cast: (cell, { quoting }) => (cell === "" && !quoting ? null : cell),
    on_record: ((cells: readonly (string | null)[], { lines }: { readonly lines: number }) => ({
      line: lines,
      cells,
    })) as never,
  });
  const feeding = feed(byteStream(file, gzip, watch), parser, file.path);
  try {
    for await (const record of parser) yield record as CsvRecord;
    await feeding;
  } catch (error) {
    throw csvError(file.path, error);
  } finally {
    parser.destroy();
    await feeding.catch(() => undefined);
  }
}

/** Pushes bytes into the parser as it takes them; a failure destroys the parser, whose reader then throws it. */
async function feed(chunks: AsyncIterable<Buffer>, parser: ReturnType<typeof parse>, path: string): Promise<void> {
  const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const closed = new Promise<void>((resolve) => parser.once("close", resolve));
  const check = (chunk?: Buffer): void => {
    try {
      utf8.decode(chunk, { stream: chunk !== undefined });
    } catch (error) {
      throw malformed(path, `line ${parser.info.lines} or later`, "the text is not UTF-8", error);
    }
  };
  try {
    for await (const chunk of chunks) {
      check(chunk);
      if (parser.destroyed) return;
      if (!parser.write(chunk))
        await Promise.race([closed, new Promise<void>((resolve) => parser.once("drain", resolve))]);
      if (parser.destroyed) return;
    }
    check();
    parser.end();
  } catch (error) {
    parser.destroy(error instanceof Error ? error : new Error(String(error)));
  }
}

function csvError(path: string, error: unknown): unknown {
  if (!(error instanceof CsvError)) return error;
  const { code, message } = error;
  const lines: unknown = (error as { lines?: unknown }).lines;
  if (code === "CSV_MAX_RECORD_SIZE")
    return overLimit(path, String(lines), `a record of more than ${LINE_BYTES_MAX} bytes`);
  return malformed(path, String(lines ?? "an unknown line"), message, error);
}

function header(path: string, cells: readonly (string | null)[]): string[] {
  const seen = new Set<string>();
  return cells.map((cell, i) => {
    if (cell === null || cell === "") throw malformed(path, "1", `column ${i + 1} has no name in the header`);
    if (seen.has(cell)) throw malformed(path, "1", `column ${cell} stands twice in the header`);
    seen.add(cell);
    return cell;
  });
}

function place(names: readonly string[], name: string): number {
  const at = names.indexOf(name);
  if (at === -1)
    throw missingColumn({ fields: names.map((known) => ({ name: known, type: "dict", nullable: true })) }, name);
  return at;
}

/** True for a blank line between records. Throws `SOURCE_ROW_INVALID` when a record has not as many cells as the header. */
function isPassedOver(path: string, cells: readonly (string | null)[], width: number, line: number): boolean {
  if (cells.length === width) return false;
  if (cells.length === 1 && cells[0] === null) return true;
  throw invalidRow(
    path,
    line,
    `${cells.length} cells under a header of ${width}`,
    "quote cells that hold commas, quotes or line breaks",
  );
}
