import { ReadableStream } from "node:stream/web";
import type { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import type { Value } from "../batch/column.ts";
import { BATCH_ROWS_DEFAULT } from "../batch/limits.ts";
import { BatchWriter } from "../batch/writer.ts";
import { IpdmError, within } from "../core/errors.ts";
import type { Row, TypedSchema } from "./columns.ts";
import type { Credits } from "./credits.ts";
import type { Flow } from "./flow.ts";
import { isBatch } from "./flow.ts";
import { SOURCE_NAME_DEFAULT } from "./limits.ts";
import { wholeOf } from "./operators/given.ts";
import { type SourceOptions, source } from "./source.ts";

/** Options of {@link rowSource}. */
export interface RowSourceOptions<C> extends SourceOptions<C> {
  /** Rows a batch; default 4096. It never changes what operators make of the rows. */
  readonly batchRows?: number;
}

/**
 * A stream of rows given as objects by any iterable: an array, a generator, a Node or web stream in object mode. A column that an object does
 * not have is null. Throws `VALUE_MISFIT` as the stream's error, and `CREDITS_INVALID`.
 */
export function rowSource<C>(
  rows: AsyncIterable<Partial<Row<C>>> | Iterable<Partial<Row<C>>>,
  schema: TypedSchema<C>,
  { batchRows = BATCH_ROWS_DEFAULT, ...options }: RowSourceOptions<C> = {},
): Observable<Flow<C>> {
  const names = schema.fields.map((field) => field.name);
  wholeOf("rowSource", "batchRows", batchRows);
  async function* batches(): AsyncGenerator<Batch> {
    const writer = new BatchWriter(schema);
    let count = 0;
    for await (const row of rows) {
      try {
        writer.push(names.map((name) => (row as Readonly<Record<string, Value>>)[name] ?? null));
      } catch (error) {
        throw within(`${options.name ?? SOURCE_NAME_DEFAULT}: row ${count}`, error);
      }
      count++;
      if (writer.rows >= batchRows) yield writer.take();
    }
    if (writer.rows > 0) yield writer.take();
  }
  return source({ [Symbol.asyncIterator]: batches }, { ...options, schema });
}

/** Options of {@link fromObservable}. */
export interface ObservableOptions<C> extends RowSourceOptions<C> {
  /** Rows that may wait, since an Observable cannot be asked to slow down; default 65,536. `SOURCE_OVERRUN` beyond. */
  readonly waitingMax?: number;
}

/**
 * A stream of the rows of a plain Observable, in batches of what has come meanwhile. An Observable pushes as fast as it likes: what the pipeline is
 * not ready for waits, up to a bound; beyond it the stream fails rather than lose rows or grow.
 */
export function fromObservable<C>(
  rows: Observable<Partial<Row<C>>>,
  schema: TypedSchema<C>,
  { waitingMax = 65_536, ...options }: ObservableOptions<C> = {},
): Observable<Flow<C>> {
  return rowSource({ [Symbol.asyncIterator]: () => pulled(rows, waitingMax) }, schema, options);
}

/**
 * What comes out of a pipeline as an async iterable of batches: the sources wait while the loop's body works. Leaving the loop ends the
 * pipeline.
 */
export async function* toBatches(stream: Observable<Flow>): AsyncGenerator<Batch, void, undefined> {
  let credits: Credits | undefined;
  const batches = pulled(stream, Number.POSITIVE_INFINITY, (item) => {
    if (isBatch(item)) credits?.take();
    else if (item.kind === "header") credits = item.credits;
  });
  for await (const item of batches) {
    if (!isBatch(item)) continue;
    try {
      yield item;
    } finally {
      credits?.giveBack();
    }
  }
}

/** What comes out of a pipeline as a web stream of batches, with its back-pressure. */
export function toWebStream(stream: Observable<Flow>): ReadableStream<Batch> {
  const batches = toBatches(stream);
  return new ReadableStream<Batch>(
    {
      async pull(controller) {
        const { done, value } = await batches.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      async cancel() {
        await batches.return();
      },
    },
    { highWaterMark: 0 },
  );
}

/** The values of an Observable as they are asked for. Throws `SOURCE_OVERRUN` when too many wait, and what the Observable fails with. */
async function* pulled<T>(
  values: Observable<T>,
  waitingMax: number,
  arrived: (value: T) => void = () => undefined,
): AsyncGenerator<T, void, undefined> {
  const waiting: T[] = [];
  let ended = false;
  let failure: { readonly error: unknown } | undefined;
  let wake: (() => void) | undefined;
  const woken = (): void => wake?.();
  const subscription = values.subscribe({
    next: (value) => {
      arrived(value);
      waiting.push(value);
      if (waiting.length > waitingMax) failure ??= { error: overrun(waitingMax) };
      woken();
    },
    error: (error: unknown) => {
      failure ??= { error };
      woken();
    },
    complete: () => {
      ended = true;
      woken();
    },
  });
  try {
    for (let at = 0; ; ) {
      if (failure !== undefined) throw failure.error;
      if (at < waiting.length) {
        const value = waiting[at++] as T;
        // Taken values are let go of together: one by one would cost as much as there are.
        if (at > 1024 || at === waiting.length) {
          waiting.splice(0, at);
          at = 0;
        }
        yield value;
        continue;
      }
      if (ended) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      wake = undefined;
    }
  } finally {
    subscription.unsubscribe();
  }
}

function overrun(max: number): IpdmError {
  return new IpdmError("SOURCE_OVERRUN", `more than ${max} rows of an Observable wait for the pipeline`, {
    hint: "slow the Observable down, make it an async iterable, or raise waitingMax",
    facts: { max },
  });
}
