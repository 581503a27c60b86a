import { readFile } from "node:fs/promises";
import { DatabaseSync } from "node:sqlite";
import { type Data, tableFromIPC } from "apache-arrow";
import type { Value } from "../../../src/batch/column.ts";
import type { Field, Schema } from "../../../src/batch/schema.ts";
import { declared, readRows } from "../sources/table.ts";

/** The rows of a written file as something that is not ours reads them, where we have no reader of the form. */
export async function readBack(file: string, schema: Schema): Promise<Value[][]> {
  if (file.endsWith(".sqlite")) return sqliteRows(file, schema);
  if (file.endsWith(".arrow")) return arrowRows(file, schema);
  return readRows({ file, columns: declared(schema) });
}

function sqliteRows(file: string, schema: Schema): Value[][] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const [check] = database.prepare("PRAGMA integrity_check").all();
    if (check?.["integrity_check"] !== "ok") throw new Error("the database is damaged");
    const name = String(database.prepare("SELECT name FROM sqlite_schema").get()?.["name"]);
    const all = database.prepare(`SELECT * FROM "${name}" ORDER BY rowid`);
    all.setReadBigInts(true);
    return all.all().map((row) => schema.fields.map((field) => sqliteValue(field, row[field.name])));
  } finally {
    database.close();
  }
}

function sqliteValue({ type }: Field, value: unknown): Value {
  if (value === null) return null;
  if (value instanceof Uint8Array) return value.slice();
  if (type === "bool") return value === 1n;
  if (type === "u64") return BigInt(value as bigint | string);
  if (type === "f32" || type === "f64") return Number(value);
  if (type === "i64" || type === "timestamp") return value as bigint;
  return typeof value === "bigint" ? Number(value) : (value as string);
}

/** Read from the library's buffers: its values of timestamps are rounded to milliseconds. */
async function arrowRows(file: string, schema: Schema): Promise<Value[][]> {
  const table = tableFromIPC(await readFile(file));
  const fields = table.schema.fields.map(({ name, nullable }) => ({ name, nullable }));
  const wanted = schema.fields.map(({ name, nullable }) => ({ name, nullable }));
  if (JSON.stringify(fields) !== JSON.stringify(wanted)) throw new Error(`other columns: ${JSON.stringify(fields)}`);
  return table.batches.flatMap((batch) =>
    Array.from({ length: batch.numRows }, (_, row) =>
      schema.fields.map((field, i) => arrowValue(field, batch.data.children[i] as Data, row)),
    ),
  );
}

function arrowValue({ type, width = 0 }: Field, data: Data, row: number): Value {
  if (!data.getValid(row)) return null;
  const values = data.values as Uint8Array;
  const ends = data.valueOffsets as Int32Array;
  switch (type) {
    case "bool":
      return (((values[row >> 3] ?? 0) >> (row & 7)) & 1) === 1;
    case "utf8":
    case "dict":
      return new TextDecoder("utf-8", { ignoreBOM: true }).decode(values.subarray(ends[row], ends[row + 1]));
    case "binary":
      return values.slice(ends[row], ends[row + 1]);
    case "fixed":
      return values.slice(row * width, (row + 1) * width);
    default:
      return values[row] as Value;
  }
}
