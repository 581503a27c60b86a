import type { Batch } from "../batch/batch.ts";
import { BatchCutter, checkBatches } from "../batch/cut.ts";
import type { Schema } from "../batch/schema.ts";
import { schemaOf } from "../batch/schema.ts";
import { isObject, parseJson } from "../batch/text/json-object.ts";
import type { RowFault } from "../batch/text/json-row.ts";
import { isBlank, JsonRowReader } from "../batch/text/json-row.ts";
import type { IpdmError } from "../core/errors.ts";
import { byteStream } from "./byte-stream.ts";
import { invalidRow, malformed } from "./failure.ts";
import type { SourceFile } from "./file.ts";
import { TypeInference, unknownSchema } from "./infer.ts";
import { INFERENCE_ROWS } from "./limits.ts";
import { splitLines } from "./lines.ts";
import type { BatchesOptions } from "./port.ts";
import type { FileReader } from "./reader.ts";

const HINT = "declare the columns and their types under `columns`";
const DECLARED_HINT = "correct the line, or declare the column as a type that holds such values";

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

  async *read({
    batchRows,
    fromRow = 0,
    signal,
    onRead,
    onAbsent,
  }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    const { file, gzip } = this.text;
    const cutter = new BatchCutter(this.schema, batchRows);
    const unseen = new Set(this.schema.fields.map(({ name }) => name));
    let row = 0;
    for await (const { first, texts } of splitLines(file.path, byteStream(file, gzip, { signal, onRead }))) {
      for (let i = 0; i < texts.length; i++) {
        const text = texts[i] as string;
        if (isBlank(text)) continue;
        const isSkipped = row++ < fromRow;
        if (isSkipped && (onAbsent === undefined || unseen.size === 0)) continue;
        const object = parseObject(file.path, text, first + i);
        for (const name of unseen) if (Object.hasOwn(object, name)) unseen.delete(name);
        if (isSkipped) continue;
        this.push(cutter, object, first + i);
        const batch = cutter.afterRow();
        if (batch === undefined) continue;
        yield batch;
        signal?.throwIfAborted();
      }
    }
    const rest = cutter.rest();
    if (rest !== undefined) yield rest;
    if (row > 0 && unseen.size > 0) onAbsent?.([...unseen]);
  }

  private push(cutter: BatchCutter, object: Record<string, unknown>, line: number): void {
    const { file, strict } = this.text;
    const fault = this.rowReader.pushObject(cutter.writer, object);
    if (fault !== undefined) throw faultyRow({ path: file.path, line, strict }, fault);
  }
}

/** The error for a row that does not fit the schema, which is guessed where it is strict. */
export function faultyRow(
  { path, line, strict }: { readonly path: string; readonly line: number; readonly strict: boolean },
  { kind, message, column }: RowFault,
): IpdmError {
  const what = kind === "column" ? `column ${column} is not in the first ${INFERENCE_ROWS} rows` : message;
  return invalidRow(path, line, what, strict ? HINT : DECLARED_HINT);
}

/** Column types from the first 1000 rows (see {@link TypeInference}). Throws `SOURCE_SCHEMA_UNKNOWN` when there are none. */
export async function inferNdjson(file: SourceFile, gzip: boolean, signal?: AbortSignal): Promise<Schema> {
  const inference = new TypeInference(false);
  let rows = 0;
  outer: for await (const { first, texts } of splitLines(file.path, byteStream(file, gzip, { signal }))) {
    for (let i = 0; i < texts.length; i++) {
      const text = texts[i] as string;
      if (isBlank(text)) continue;
      if (rows++ >= INFERENCE_ROWS) break outer;
      const line = first + i;
      for (const [name, value] of Object.entries(parseObject(file.path, text, line))) {
        const problem = inference.see(name, value, line);
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
    if (isArrayFile(text, line)) throw arrayFile(path, error);
    throw malformed(path, String(line), error instanceof Error ? error.message : "not JSON", error);
  }
  if (isObject(value)) return value;
  if (isArrayFile(text, line)) throw arrayFile(path);
  throw malformed(path, String(line), "expected one JSON object a line");
}

/** JSON of another layout is often called `.json` too: one array around all objects. */
function isArrayFile(text: string, line: number): boolean {
  return line === 1 && text.trimStart().startsWith("[");
}

function arrayFile(path: string, cause?: unknown): IpdmError {
  const why = "expected one JSON object a line, not an array around them";
  return malformed(path, "1", why, cause, "write one object a line, for example with: jq -c '.[]'");
}
