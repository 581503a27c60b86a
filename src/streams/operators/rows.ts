import type { OperatorFunction } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { fieldOf } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import { valueAt } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import { schemaOf } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import type { Flow } from "../flow.ts";
import { isBatch, operator } from "../flow.ts";

/** A row as an object; a column's value is read when it is asked for. Valid only during the call it was given to. */
export type Row = Readonly<Record<string, Value>>;

/** Keeps the rows for which `keep` is true. Rows and order stay; batches without a kept row vanish. */
export function filterRows(keep: (row: Row) => boolean): OperatorFunction<Flow, Flow> {
  return operator((out) => {
    let cursor: RowCursor | undefined;
    return {
      batch(batch) {
        if (cursor?.schema !== batch.schema) cursor = new RowCursor(batch.schema);
        const kept = keptRows(batch, cursor, keep);
        if (kept !== undefined) out.next(kept);
      },
    };
  });
}

/** Keeps the columns named, in this order. Throws `COLUMN_MISSING` as the stream's error. */
export function select(...columns: readonly string[]): OperatorFunction<Flow, Flow> {
  return operator((out) => ({
    batch(batch) {
      const schema = schemaOf(columns.map((name) => fieldOf(batch.schema, name)));
      const writer = new BatchWriter(schema);
      columns.forEach((name, i) => {
        writer.at(i).copy(batch.column(name), 0, batch.rows);
      });
      writer.endRows(batch.rows);
      out.next(writer.take());
    },
  }));
}

/**
 * The rows as objects of their own; for people and small results, many times slower than columns. Control items end
 * here.
 */
export function toRows(): OperatorFunction<Flow, Row> {
  return (input) =>
    new Observable<Row>((out) =>
      input.subscribe({
        next: (item) => {
          if (!isBatch(item)) return;
          for (let row = 0; row < item.rows && !out.closed; row++) out.next(rowObject(item, row));
        },
        error: (error: unknown) => out.error(error),
        complete: () => out.complete(),
      }),
    );
}

function rowObject(batch: Batch, row: number): Row {
  return Object.fromEntries(batch.columns.map((column) => [column.field.name, valueAt(column, row)]));
}

function keptRows(batch: Batch, cursor: RowCursor, keep: (row: Row) => boolean): Batch | undefined {
  const writer = new BatchWriter(batch.schema);
  const row = cursor.over(batch);
  let from = 0;
  for (let at = 0; at <= batch.rows; at++) {
    cursor.at = at;
    if (at < batch.rows && keep(row)) continue;
    if (at === batch.rows && from === 0) return at === 0 ? undefined : batch;
    if (at > from) writer.append(batch, from, at);
    from = at + 1;
  }
  return writer.rows === 0 ? undefined : writer.take();
}

/** One object with a getter a column, moved from row to row. */
class RowCursor {
  readonly schema: Schema;
  at = 0;
  private columns: readonly Column[] = [];
  private readonly row: Row;

  constructor(schema: Schema) {
    this.schema = schema;
    const row: Record<string, Value> = Object.create(null) as Record<string, Value>;
    schema.fields.forEach(({ name }, i) => {
      Object.defineProperty(row, name, { enumerable: true, get: () => valueAt(this.columns[i] as Column, this.at) });
    });
    this.row = row;
  }

  over(batch: Batch): Row {
    this.columns = batch.columns;
    return this.row;
  }
}
