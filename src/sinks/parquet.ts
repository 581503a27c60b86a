import type { DecodedArray, SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { Batch } from "../batch/batch.ts";
import type { Column } from "../batch/column.ts";
import { bytesAt, dictionaryOf, isNull, valueAt } from "../batch/column.ts";
import { BatchCutter } from "../batch/cut.ts";
import type { Field, Schema } from "../batch/schema.ts";
import { assert } from "../core/errors.ts";
import type { TableEncoder } from "./encoder.ts";
import { ROW_GROUP_BYTES, ROW_GROUP_ROWS } from "./limits.ts";

/**
 * Parquet with Snappy pages: row groups of 65,536 rows (fewer where they reach 32 MiB), texts as STRING, timestamps as
 * TIMESTAMP(MICROS, UTC), integers with their logical widths.
 */
export class ParquetEncoder implements TableEncoder {
  private readonly cutter: BatchCutter;
  private readonly bytes = new ByteWriter(1024 * 1024);
  private readonly writer: ParquetWriter;

  constructor(schema: Schema) {
    this.cutter = new BatchCutter(schema, ROW_GROUP_ROWS, ROW_GROUP_BYTES, Number.POSITIVE_INFINITY);
    this.writer = new ParquetWriter({
      writer: this.bytes,
      schema: [{ name: "root", num_children: schema.fields.length }, ...schema.fields.map(elementOf)],
      createdBy: "ipdm-runtime",
    });
  }

  *encode(batch: Batch): Generator<Uint8Array> {
    for (const group of this.cutter.add(batch.columns, 0, batch.rows)) yield this.group(group);
  }

  *finish(): Generator<Uint8Array> {
    const rest = this.cutter.rest();
    if (rest !== undefined) yield this.group(rest);
    synchronous(this.writer.finish());
    yield this.drain();
  }

  private group(batch: Batch): Uint8Array {
    const written = this.writer.write({
      columnData: batch.columns.map((column) => {
        const source = { name: column.field.name, data: dataOf(column) };
        // A dictionary would take -0 for 0.
        return column.field.type === "f32" || column.field.type === "f64"
          ? { ...source, encoding: "PLAIN" as const }
          : source;
      }),
      rowGroupSize: batch.rows,
    });
    synchronous(written);
    return this.drain();
  }

  /** What the writer holds; its buffer starts anew, its count of the file's bytes does not. */
  private drain(): Uint8Array {
    const bytes = this.bytes.getBytes().slice();
    this.bytes.index = 0;
    return bytes;
  }
}

// hyparquet-writer gives promises for writers that wait; ours keeps bytes in memory.
function synchronous(done: void | Promise<void>): void {
  assert(done === undefined, "a writer in memory does not wait");
}

function elementOf({ name, type, nullable, width }: Field): SchemaElement {
  const repetition_type = nullable ? "OPTIONAL" : "REQUIRED";
  const integer = (physical: "INT32" | "INT64"): SchemaElement => {
    // Only the older converted type: the writer encodes the width of the newer INTEGER type in a way strict readers refuse.
    const converted_type = `${type.startsWith("u") ? "U" : ""}INT_${type.slice(1)}` as NonNullable<
      SchemaElement["converted_type"]
    >;
    return { name, repetition_type, type: physical, converted_type };
  };
  switch (type) {
    case "bool":
      return { name, repetition_type, type: "BOOLEAN" };
    case "i8":
    case "i16":
    case "i32":
    case "u8":
    case "u16":
    case "u32":
      return integer("INT32");
    case "i64":
    case "u64":
      return integer("INT64");
    case "f32":
      return { name, repetition_type, type: "FLOAT" };
    case "f64":
      return { name, repetition_type, type: "DOUBLE" };
    case "timestamp":
      return {
        name,
        repetition_type,
        type: "INT64",
        converted_type: "TIMESTAMP_MICROS",
        logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" },
      };
    case "utf8":
    case "dict":
      return { name, repetition_type, type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "binary":
      return { name, repetition_type, type: "BYTE_ARRAY" };
    case "fixed":
      return { name, repetition_type, type: "FIXED_LEN_BYTE_ARRAY", type_length: width ?? 0 };
  }
}

/** A column as the Parquet writer takes it: typed arrays where it can, else a list with nulls. */
function dataOf(column: Column): DecodedArray {
  const { rows, values } = column;
  const { type } = column.field;
  const listed = (value: (row: number) => unknown): unknown[] =>
    Array.from({ length: rows }, (_, row) => (isNull(column, row) ? null : value(row)));
  switch (type) {
    case "dict": {
      const texts = dictionaryOf(column);
      return listed((row) => texts[Number(values[row])]);
    }
    case "binary":
    case "fixed":
      return listed((row) => bytesAt(column, row));
    case "bool":
    case "utf8":
      return listed((row) => valueAt(column, row));
    default:
      // The writer takes unsigned 32-bit values from lists only.
      if (column.nulls > 0 || type === "u32") return listed((row) => values[row]);
      if (type === "i8" || type === "i16" || type === "u8" || type === "u16")
        return Int32Array.from(values as Int8Array);
      return values as DecodedArray;
  }
}
