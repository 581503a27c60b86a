import type { Batch } from "../../src/batch/batch.ts";
import { valueAt } from "../../src/batch/column.ts";
import { declaredField } from "../../src/batch/declared-field.ts";
import { type Schema, schemaOf } from "../../src/batch/schema.ts";

/** A schema of declared columns, as a configuration has them. */
export function declared(types: Readonly<Record<string, string>>): Schema {
  return schemaOf(Object.entries(types).map(([name, type]) => declaredField(name, type)));
}

/** The rows of a batch as objects. */
export function rowsOf(batch: Batch): Record<string, unknown>[] {
  return Array.from({ length: batch.rows }, (_, row) =>
    Object.fromEntries(batch.columns.map((column) => [column.field.name, valueAt(column, row)])),
  );
}

/** Code and message of what a promise is rejected with. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  return work.then(
    () => ({ code: "no error", message: "" }),
    (error: { code?: string; message: string }) => ({ code: error.code ?? String(error), message: error.message }),
  );
}
