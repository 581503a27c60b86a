import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import type { Field, Schema } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openSink } from "../../../src/sinks/port.ts";
import type { BatchesOptions, ColumnTypeName, Source, SourceSpec } from "../../../src/sources/port.ts";
import { openSource } from "../../../src/sources/port.ts";

/** A folder that goes away with the test that made it. */
export async function folder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "ipdm-table-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A column of every type, with nulls. */
export const EVERY_TYPE: Schema = schemaOf([
  { name: "flag", type: "bool", nullable: true },
  { name: "a8", type: "i8", nullable: true },
  { name: "a16", type: "i16", nullable: true },
  { name: "a32", type: "i32", nullable: true },
  { name: "a64", type: "i64", nullable: true },
  { name: "b8", type: "u8", nullable: true },
  { name: "b16", type: "u16", nullable: true },
  { name: "b32", type: "u32", nullable: true },
  { name: "b64", type: "u64", nullable: true },
  { name: "single", type: "f32", nullable: true },
  { name: "double", type: "f64", nullable: true },
  { name: "when", type: "timestamp", nullable: true },
  { name: "text", type: "utf8", nullable: true },
  { name: "word", type: "dict", nullable: true },
  { name: "raw", type: "binary", nullable: true },
  { name: 'hash, of "it"', type: "fixed", nullable: true, width: 5 },
]);

/** Rows that reach the ends of every type's range, deterministic in their number. */
export function everyTypeRow(i: number): Value[] {
  const pick = <T>(values: readonly T[]): T => values[i % values.length] as T;
  const bytes = Uint8Array.from({ length: 5 }, (_, k) => (i * 37 + k * 11) & 0xff);
  const row: Value[] = [
    i % 3 === 0,
    pick([-128, 127, 0, 5]),
    pick([-32_768, 32_767, 1]),
    pick([-(2 ** 31), 2 ** 31 - 1, 12]),
    pick([-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 9_007_199_254_740_993n, BigInt(i)]),
    pick([0, 255]),
    pick([0, 65_535]),
    pick([0, 4_294_967_295, 7]),
    pick([0n, 2n ** 64n - 1n, BigInt(i)]),
    pick([0, -0, Math.fround(0.1), Number.NaN, Number.POSITIVE_INFINITY]),
    pick([0.1, -0, 1e300, Number.MIN_VALUE, Number.NEGATIVE_INFINITY, Number.NaN, 123_456_789_012_345_680]),
    pick([-(2n ** 63n), 2n ** 63n - 1n, 0n, -1n, 978_307_260_000_000n, 951_782_400_123_456n]),
    pick(["", "plain", 'comma, "quote"', "line\nbreak\r\n", "\uFEFFmark", "🙂 ü", "\r"]),
    pick(["LAS", "PHL", "", "a,b"]),
    i % 4 === 0 ? new Uint8Array(0) : bytes.subarray(0, i % 6),
    bytes,
  ];
  return row.map((value, column) => ((i + column) % 7 === 0 ? null : value));
}

/** Batches of rows, cut as told. */
export function* batchesOf(schema: Schema, rows: Iterable<readonly Value[]>, cut: number): Generator<Batch> {
  const writer = new BatchWriter(schema);
  for (const row of rows) {
    writer.push(row);
    if (writer.rows === cut) yield writer.take();
  }
  if (writer.rows > 0) yield writer.take();
}

/** Writes rows to a file and returns its path. */
export async function write(
  file: string,
  schema: Schema,
  rows: Iterable<readonly Value[]>,
  cut = 100,
): Promise<string> {
  await using sink = await openSink({ file, schema });
  for (const batch of batchesOf(schema, rows, cut)) await sink.write(batch);
  await sink.close();
  return file;
}

/** All batches of a source. */
export async function collect(source: Source, options: Partial<BatchesOptions> = {}): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of source.batches({ batchRows: 4096, ...options })) all.push(batch);
  return all;
}

/** All rows of a file, read in this thread. */
export async function readRows(spec: SourceSpec, options: Partial<BatchesOptions> = {}): Promise<Value[][]> {
  await using source = await openSource(spec, { worker: false });
  return rowsOf(await collect(source, options));
}

/** The rows of batches. */
export function rowsOf(batches: Iterable<Batch>): Value[][] {
  const rows: Value[][] = [];
  for (const batch of batches) for (let row = 0; row < batch.rows; row++) rows.push(rowValues(batch, row));
  return rows;
}

/** A schema as users declare it. */
export function declared(schema: Schema): Record<string, ColumnTypeName> {
  const name = (field: Field): ColumnTypeName => (field.type === "fixed" ? `fixed(${field.width ?? 0})` : field.type);
  return Object.fromEntries(schema.fields.map((field) => [field.name, name(field)]));
}
