import type { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { schemaOf } from "../batch/schema.ts";
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
import type { ValueParser } from "./text-value.ts";
import { jsonParser } from "./text-value.ts";

const HINT = "declare the columns and their types under `columns`";
const DECLARED_HINT = "correct the line, or declare the column as a type that holds such values";
const LONG_NUMBER = /\d{16}/;
/** Integers that are kept exactly: all those whose double is finite. */
const EXACT = /^-?\d{16,309}$/;

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
  private readonly parsers: readonly (readonly [name: string, parse: ValueParser])[];

  constructor(text: TextFile) {
    this.text = text;
    this.schema = text.schema;
    this.parsers = text.schema.fields.map((field) => [field.name, jsonParser(field)] as const);
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
    const unseen = new Set(this.parsers.map(([name]) => name));
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

  private push(cutter: BatchCutter, object: Readonly<Record<string, unknown>>, line: number): void {
    const { file, strict } = this.text;
    let known = 0;
    for (let i = 0; i < this.parsers.length; i++) {
      const [name, parse] = this.parsers[i] as readonly [string, ValueParser];
      const value = Object.hasOwn(object, name) ? object[name] : undefined;
      if (value !== undefined) known++;
      const column = cutter.writer.at(i);
      if (value === null || value === undefined) column.pushNull();
      else pushParsed(column, parse(value), value, { path: file.path, line, strict });
    }
    cutter.writer.endRow();
    if (strict && known !== Object.keys(object).length) {
      const extra = Object.keys(object).find((key) => !this.parsers.some(([name]) => name === key));
      throw invalidRow(file.path, line, `column ${extra} is not in the first ${INFERENCE_ROWS} rows`, HINT);
    }
  }
}

/** Pushes a parsed value; one that does not fit becomes `SOURCE_ROW_INVALID`. */
export function pushParsed(
  column: ReturnType<BatchCutter["writer"]["at"]>,
  parsed: ReturnType<ValueParser>,
  given: unknown,
  place: { readonly path: string; readonly line: number; readonly strict: boolean },
): void {
  try {
    if (parsed !== undefined) return column.push(parsed);
  } catch {
    // Out of the type's range: the same failure as a value of another type.
  }
  const text =
    typeof given === "string"
      ? JSON.stringify(given.slice(0, 40))
      : typeof given === "object"
        ? "a nested value"
        : String(given).slice(0, 40);
  throw invalidRow(
    place.path,
    place.line,
    `${text} does not fit column ${column.field.name} (${column.field.type})`,
    place.strict ? HINT : DECLARED_HINT,
  );
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

function isBlank(text: string): boolean {
  return text.length === 0 || text.trim().length === 0;
}

function parseObject(path: string, text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    // The text of numbers matters only where they may pass 2^53.
    value = LONG_NUMBER.test(text) ? JSON.parse(text, exactIntegers) : JSON.parse(text);
  } catch (error) {
    if (isArrayFile(text, line)) throw arrayFile(path, error);
    throw malformed(path, String(line), error instanceof Error ? error.message : "not JSON", error);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
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

/** Keeps integers that a double cannot hold, by their source text (ECMAScript, JSON.parse source text access). */
function exactIntegers(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== "number" || Number.isSafeInteger(value) || context?.source === undefined) return value;
  return EXACT.test(context.source) ? BigInt(context.source) : value;
}
