import type { Batch } from "../../src/batch/batch.ts";
import type { Value } from "../../src/batch/column.ts";
import { RowEncoder } from "../../src/batch/rows.ts";
import { COLUMN_TYPES, type ColumnType, type Field, type Schema, schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import type { Result } from "../../src/consensus/result.ts";
import { equalBytes } from "../../src/core/bytes.ts";
import { decodeCbor } from "../../src/dag/cbor.ts";
import { refuse } from "../receipt/verdict.ts";

/** The columns of an output table, as a result names them. Throws `NODE_MALFORMED` on a type that there is not. */
export function schemaOfOutput({ schema }: Result["outputs"][string]): Schema {
  return schemaOf(
    schema.map(({ name, type, nullable, width }): Field => {
      if (!(COLUMN_TYPES as readonly string[]).includes(type))
        return refuse("NODE_MALFORMED", `columns/${name}`, `there is no column type ${type}`);
      return { name, type: type as ColumnType, nullable, ...(width === undefined ? {} : { width }) };
    }),
  );
}

/** A row's bytes as a batch of that one row. Throws `ROW_MALFORMED` unless they are the row's one encoding in this schema. */
export function batchOfRow(schema: Schema, values: Uint8Array): Batch {
  try {
    const writer = new BatchWriter(schema);
    writer.push(decodeCbor(values) as Value[]);
    const batch = writer.take();
    if (equalBytes(new RowEncoder().encode(batch, 0), values)) return batch;
  } catch {
    // Said below: nothing that a file holds may end in anything else.
  }
  return refuse("ROW_MALFORMED", "values", "the row's bytes are not a row of the table's columns");
}
