import type { Batch } from "../../batch/batch.ts";
import { checkBatches } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import type { BatchesOptions } from "../port.ts";
import type { FileReader } from "../reader.ts";
import { type GeneratedSpec, knownTable, type NexmarkTable } from "./kind.ts";
import { rowsOf } from "./nexmark-events.ts";
import { nexmarkBatch, nexmarkSchema } from "./nexmark-tables.ts";

/** Generates rows from any row on: what is before it costs nothing. So many of a table's rows are far from a batch's limit of bytes. */
export class GeneratedReader implements FileReader {
  readonly schema: Schema;
  readonly rows: number;
  private readonly table: NexmarkTable;
  private readonly rate: number;

  /** Throws `GENERATOR_UNKNOWN`. */
  constructor(spec: GeneratedSpec) {
    this.table = knownTable(spec);
    this.rate = spec.rate;
    this.schema = nexmarkSchema(this.table);
    this.rows = rowsOf(this.table, spec.events);
  }

  async *read({ batchRows, fromRow = 0, signal }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    for (let row = fromRow; row < this.rows; ) {
      const count = Math.min(batchRows, this.rows - row);
      yield nexmarkBatch(this.table, row, count, this.rate);
      signal?.throwIfAborted();
      row += count;
    }
  }
}
