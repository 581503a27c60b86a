import type { Observable, OperatorFunction } from "rxjs";
import { Observable as Stream } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Column, Value } from "../../batch/column.ts";
import { valueAt } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_DEFAULT } from "../../batch/limits.ts";
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
  return operator(
    (out) => {
      const made = new MadeRows<C, D>(schema);
      return {
        header: anew,
        batch(batch) {
          const rows = made.rowsOf(batch);
          try {
            for (let at = 0; at < batch.rows; at++) made.add(change(rows(at)));
          } catch (error) {
            throw made.failed(error);
          }
          const whole = made.take();
          if (whole !== undefined) out.next(whole);
        },
      };
    },
    { name: "map", detail: names(schema) },
  );
}

/** Makes any number of rows of each, in batches of at most 4096 rows and about 1 MiB, as there is room for them. See {@link map}. */
export function flatMap<C, D>(
  change: (row: Row<C>) => Iterable<RowOut<D>>,
  schema: TypedSchema<D>,
): OperatorFunction<Flow<C>, Flow<D>> {
  return operator(
    (out) => {
      const made = new MadeRows<C, D>(schema);
      function* all(batch: Batch): Generator<Batch, Batch | undefined> {
        const rows = made.rowsOf(batch);
        try {
          for (let at = 0; at < batch.rows; at++) {
            for (const each of change(rows(at))) {
              const full = made.isFull ? made.take() : undefined;
              if (full !== undefined) yield full;
              made.add(each);
            }
          }
        } catch (error) {
          throw made.failed(error);
        }
        return made.take();
      }
      return { makesMany: true, header: anew, batch: (batch) => out.all(all(batch)) };
    },
    { name: "flatMap", detail: names(schema) },
  );
}

/** Rows that a program makes of rows. */
class MadeRows<C, D> {
  /** Rows of the batches before. */
  private before = 0;
  private batch: Batch | undefined;
  private readonly known: ReadonlySet<string>;
  private readonly names: readonly string[];
  private readonly writer: BatchWriter;
  private cursor: RowCursor<C> | undefined;

  constructor(schema: Schema) {
    this.names = schema.fields.map((field) => field.name);
    this.known = new Set(this.names);
    this.writer = new BatchWriter(schema);
  }

  get isFull(): boolean {
    const { rows } = this.writer;
    return (
      rows >= BATCH_ROWS_DEFAULT || (rows % SIZED_ROWS === 0 && rows > 0 && this.writer.sizeBytes >= BATCH_BYTES_TARGET)
    );
  }

  /** The rows of a batch by number; each is valid until the next is asked for. */
  rowsOf(batch: Batch): (at: number) => Row<C> {
    this.before += this.batch?.rows ?? 0;
    this.batch = batch;
    if (this.cursor?.schema !== batch.schema) this.cursor = new RowCursor(batch.schema);
    const { cursor } = this;
    const row = cursor.over(batch);
    return (at) => {
      cursor.at = at;
      return row;
    };
  }

  /** Throws `VALUE_MISFIT`. */
  add(made: RowOut<D>): void {
    for (const each in made) if (!this.known.has(each)) throw strange(each, this.names);
    this.writer.push(this.names.map((each) => (made as Readonly<Record<string, Value>>)[each] ?? null));
  }

  /** What the program threw, or its rows came to, with its place. */
  failed(error: unknown): unknown {
    const place = `row ${this.before + (this.cursor?.at ?? 0)}`;
    return error instanceof IpdmError ? within(place, error) : failed(`the function, at ${place},`, error);
  }

  take(): Batch | undefined {
    return this.writer.rows > 0 ? this.writer.take() : undefined;
  }
}

function strange(name: string, known: readonly string[]): IpdmError {
  return new IpdmError("VALUE_MISFIT", `there is no column ${name}`, {
    hint: `columns that come out: ${known.join(", ")}`,
  });
}

/** Rows after which the size of a batch is looked at. */
const SIZED_ROWS = 64;

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
