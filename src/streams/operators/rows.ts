import type { Observable, OperatorFunction } from "rxjs";
import { Observable as Stream } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import { valueAt } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import type { Schema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import { IpdmError, within } from "../../core/errors.ts";
import type { Row, TypedSchema, Untyped } from "../columns.ts";
import type { Flow } from "../flow.ts";
import { isBatch, operator } from "../flow.ts";
import { anew } from "./event-time.ts";
import { failed } from "./given.ts";

/**
 * Keeps the rows for which `keep` is true: the way for what no expression says, many times slower than `filter`. A row is valid
 * only during the call. Throws `FUNCTION_FAILED` as the stream's error.
 */
export function filterRows<C = Untyped, K extends string = string>(
  keep: (row: Row<C>) => boolean,
): OperatorFunction<Flow<C, K>, Flow<C, K>> {
  return operator(
    (out) => {
      let cursor: RowCursor<C> | undefined;
      let before = 0;
      return {
        batch(batch) {
          if (cursor?.schema !== batch.schema) cursor = new RowCursor(batch.schema);
          const rows = new Int32Array(batch.rows);
          const row = cursor.over(batch);
          let kept = 0;
          try {
            for (let at = 0; at < batch.rows; at++) {
              cursor.at = at;
              if (keep(row)) rows[kept++] = at;
            }
          } catch (error) {
            throw failed(`the function, at row ${before + cursor.at},`, error);
          }
          before += batch.rows;
          if (kept > 0) out.next(kept === batch.rows ? batch : gatherRows(batch, rows, kept));
        },
      };
    },
    { name: "filterRows" },
  );
}

/** What a program makes of a row: values by column name; a column that is left out is null. */
export type RowOut<C> = Partial<Row<C>>;

/**
 * Makes one row of each, with the columns given: any JavaScript, many times slower than `project`. `change` must depend on
 * the row alone. Throws, as the stream's error, `VALUE_MISFIT` when a value does not fit its column or belongs to none, and `FUNCTION_FAILED`.
 */
export function map<C, D>(
  change: (row: Row<C>) => RowOut<D>,
  schema: TypedSchema<D>,
): OperatorFunction<Flow<C>, Flow<D>> {
  return rewriting("map", schema, (row: Row<C>, put) => put(change(row)));
}

/** Makes any number of rows of each. See {@link map}. */
export function flatMap<C, D>(
  change: (row: Row<C>) => Iterable<RowOut<D>>,
  schema: TypedSchema<D>,
): OperatorFunction<Flow<C>, Flow<D>> {
  return rewriting("flatMap", schema, (row: Row<C>, put) => {
    for (const made of change(row)) put(made);
  });
}

function rewriting<C, D>(
  name: string,
  schema: Schema,
  change: (row: Row<C>, put: (made: RowOut<D>) => void) => void,
): OperatorFunction<Flow<C>, Flow<D>> {
  return operator(
    (out) => {
      const names = schema.fields.map((field) => field.name);
      const known = new Set(names);
      let cursor: RowCursor<C> | undefined;
      let before = 0;
      return {
        header: anew,
        batch(batch) {
          if (cursor?.schema !== batch.schema) cursor = new RowCursor(batch.schema);
          const writer = new BatchWriter(schema);
          const row = cursor.over(batch);
          const put = (made: RowOut<D>): void => {
            for (const each in made) if (!known.has(each)) throw strange(each, names);
            writer.push(names.map((each) => (made as Readonly<Record<string, Value>>)[each] ?? null));
          };
          try {
            for (let at = 0; at < batch.rows; at++) {
              cursor.at = at;
              change(row, put);
            }
          } catch (error) {
            const place = `row ${before + cursor.at}`;
            throw error instanceof IpdmError ? within(place, error) : failed(`the function, at ${place},`, error);
          }
          before += batch.rows;
          if (writer.rows > 0) out.next(writer.take());
        },
      };
    },
    { name, detail: names(schema) },
  );
}

function strange(name: string, known: readonly string[]): IpdmError {
  return new IpdmError("VALUE_MISFIT", `there is no column ${name}`, {
    hint: `columns that come out: ${known.join(", ")}`,
  });
}

function names(schema: Schema): string {
  return schema.fields.map((field) => field.name).join(", ");
}

/**
 * The rows as objects of their own; for people and small results, many times slower than columns. Control items end
 * here.
 */
export function toRows<C = Untyped>(): (input: Observable<Flow<C>>) => Observable<Row<C>> {
  return (input) =>
    new Stream<Row<C>>((out) =>
      input.subscribe({
        next: (item) => {
          if (!isBatch(item)) return;
          for (let row = 0; row < item.rows && !out.closed; row++) out.next(rowObject(item, row) as Row<C>);
        },
        error: (error: unknown) => out.error(error),
        complete: () => out.complete(),
      }),
    );
}

/** A row as an object of its own. */
export function rowObject(batch: Batch, row: number): Readonly<Record<string, Value>> {
  return Object.fromEntries(batch.columns.map((column) => [column.field.name, valueAt(column, row)]));
}

/** One object with a getter a column, moved from row to row. */
export class RowCursor<C> {
  readonly schema: Schema;
  at = 0;
  private columns: readonly Column[] = [];
  private readonly row: Row<C>;

  constructor(schema: Schema) {
    this.schema = schema;
    const row: Record<string, Value> = Object.create(null) as Record<string, Value>;
    schema.fields.forEach(({ name }, i) => {
      Object.defineProperty(row, name, { enumerable: true, get: () => valueAt(this.columns[i] as Column, this.at) });
    });
    this.row = row as Row<C>;
  }

  over(batch: Batch): Row<C> {
    this.columns = batch.columns;
    return this.row;
  }
}
