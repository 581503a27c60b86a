import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { schemaOf } from "../batch/schema.ts";
import type { RowFault } from "../batch/text/json-row.ts";
import { isBlank, isObject, JsonRowReader, parseJson } from "../batch/text/json-row.ts";
import type { IpdmError } from "../core/errors.ts";
import { byteStream } from "./byte-stream.ts";
import { BatchCutter, checkBatches } from "./cut.ts";
import { invalidRow, malformed } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { TypeInference, unknownSchema } from "./infer.ts";
import { INFERENCE_ROWS } from "./limits.ts";
import { splitLines } from "./lines.ts";
import type { BatchesOptions } from "./port.ts";
import type { FileReader } from "./reader.ts";

const HINT = "declare the columns and their types under `columns`";

/** A text file whose schema is settled: `strict` refuses columns that the schema does not have. */
export interface TextFile {
  readonly file: SourceFile;
  readonly gzip: boolean;
  readonly schema: Schema;
  readonly strict: boolean;
}

/** Reads newline-delimited JSON objects; blank lines are passed over. */
export class NdjsonReader implements FileReader {
  readonly schema: Schema;
  readonly rows = undefined;
  private readonly text: TextFile;
  private readonly rowReader: JsonRowReader;

  constructor(text: TextFile) {
    this.text = text;
    this.schema = text.schema;
    this.rowReader = new JsonRowReader(text.schema, text.strict);
  }

  async *read({ batchRows, fromRow = 0, signal }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    const { file, gzip } = this.text;
    const cutter = new BatchCutter(this.schema, batchRows);
    let row = 0;
    for await (const { first, texts } of splitLines(file.path, byteStream(file, gzip, signal))) {
      for (let i = 0; i < texts.length; i++) {
        const text = texts[i] as string;
        if (isBlank(text) || row++ < fromRow) continue;
        this.push(cutter, text, first + i);
        const batch = cutter.afterRow();
        if (batch === undefined) continue;
        yield batch;
        signal?.throwIfAborted();
      }
    }
    const rest = cutter.rest();
    if (rest !== undefined) yield rest;
  }

  private push(cutter: BatchCutter, text: string, line: number): void {
    const fault = this.rowReader.push(cutter.writer, text);
    if (fault !== undefined) throw faultyRow(this.text.file.path, line, fault);
  }
}

/** The error for a row that is none, or does not fit the schema. */
export function faultyRow(path: string, line: number, { kind, message, column, cause }: RowFault): IpdmError {
  if (kind === "syntax") return malformed(path, String(line), message, cause);
  const what = kind === "column" ? `column ${column} is not in the first ${INFERENCE_ROWS} rows` : message;
  return invalidRow(path, line, what, HINT);
}

/** Column types from the first 1000 rows (see {@link TypeInference}). Throws `SOURCE_SCHEMA_UNKNOWN` when there are none. */
export async function inferNdjson(file: SourceFile, gzip: boolean, signal?: AbortSignal): Promise<Schema> {
  const inference = new TypeInference(false);
  let rows = 0;
  outer: for await (const { first, texts } of splitLines(file.path, byteStream(file, gzip, signal))) {
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i] as string;
      if (isBlank(text)) continue;
      if (rows++ >= INFERENCE_ROWS) break outer;
      const line = first + i;
      for (const [name, value] of Object.entries(parseObject(file.path, text, line))) {
        const problem = inference.see(name, value);
        if (problem !== undefined) throw invalidRow(file.path, line, problem, HINT);
      }
    }
  }
  const fields = inference.fields(file.path);
  if (fields.length === 0) throw unknownSchema(file.path);
  return schemaOf(fields);
}

function parseObject(path: string, text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw malformed(path, String(line), error instanceof Error ? error.message : "not JSON", error);
  }
  if (isObject(value)) return value;
  throw malformed(path, String(line), "expected one JSON object a line");
}
