import { assert } from "../core/errors.ts";
import type { Batch } from "./batch.ts";
import type { Column, Value } from "./column.ts";
import { ColumnWriter } from "./column-writer.ts";
import { layoutBatch } from "./layout.ts";
import type { Schema } from "./schema.ts";

/** How a writer makes its blocks. */
export interface WriterOptions {
  /**
   * Lays blocks out in memory that threads share, so that a lane of the sandbox gets them without a copy. Everything else reads them as
   * it reads others. Default: false.
   */
  readonly shared?: boolean;
}

/**
 * Collects rows and lays them out as batches. The bytes depend on the rows alone: dictionaries list texts in the order of
 * first use, nulls are zero bytes, a validity bitmap exists only where there is a null.
 */
export class BatchWriter {
  readonly schema: Schema;
  private readonly columns: readonly ColumnWriter[];
  private readonly isShared: boolean;
  private count = 0;

  constructor(schema: Schema, options: WriterOptions = {}) {
    this.schema = schema;
    this.isShared = options.shared ?? false;
    this.columns = schema.fields.map((field) => new ColumnWriter(field));
  }

  /** Rows collected since the last {@link take}. */
  get rows(): number {
    return this.count;
  }

  /** Bytes collected so far, without padding: what a batch's size limit is about. */
  get sizeBytes(): number {
    return this.columns.reduce((sum, column) => sum + column.sizeBytes, 0);
  }

  /** Writer of the column at that position; every column must get one value a row, then {@link endRow} or {@link endRows}. */
  at(index: number): ColumnWriter {
    const column = this.columns[index];
    assert(column !== undefined, `no column ${index}`);
    return column;
  }

  /** Closes one row that was written column by column. */
  endRow(): void {
    this.count++;
  }

  /** Closes several rows that were written column by column. */
  endRows(rows: number): void {
    this.count += rows;
  }

  /** Appends one row, a value a column in schema order. Throws `VALUE_MISFIT` when a value does not fit its column. */
  push(row: readonly Value[]): void {
    for (let i = 0; i < this.columns.length; i++) this.at(i).push(row[i] ?? null);
    this.count++;
  }

  /** Copies rows `from` (inclusive) to `to` (exclusive) of a batch of the same schema. */
  append(batch: Batch, from = 0, to = batch.rows): void {
    for (let i = 0; i < this.columns.length; i++) this.at(i).copy(batch.columns[i] as Column, from, to);
    this.count += to - from;
  }

  /** The collected rows as a batch; the writer is empty afterwards. */
  take(): Batch {
    const rows = this.count;
    const data = this.columns.map((column) => column.held(rows));
    const batch = layoutBatch(this.schema, rows, data, this.isShared);
    for (const column of this.columns) column.clear();
    this.count = 0;
    return batch;
  }
}
