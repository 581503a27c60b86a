import type { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../batch/limits.ts";
import { locate } from "../config/files.ts";
import { openSource, type SourceSpec } from "../sources/port.ts";
import type { Untyped } from "../streams/columns.ts";
import type { Checkpointer, Flow, SavedPlaces, TypedSchema } from "../streams/index.ts";
import { source } from "../streams/index.ts";

/** Options of {@link openStream}. */
export interface OpenStreamOptions<C = Untyped> {
  /** Rows a batch, 1 to 4096 (default 4096); never changes what operators make of the rows. */
  readonly batchRows?: number | undefined;
  /** Batches that may be under way behind the source; default 16, at least 1. */
  readonly credits?: number | undefined;
  /** Ends the stream with the signal's reason as its error. */
  readonly signal?: AbortSignal | undefined;
  /** What errors, counters and savepoints call it; default `input`. */
  readonly name?: string | undefined;
  /** Its columns, for the compiler; the file's own decide. */
  readonly schema?: TypedSchema<C> | undefined;
  /** Asks for barriers, and learns how many rows were before each. */
  readonly checkpoints?: Checkpointer | undefined;
  /** Goes on behind the rows that a savepoint has seen. */
  readonly from?: SavedPlaces | undefined;
}

/**
 * A file as a credit-controlled stream of batches, ended by `end`, for the operators of this package. It takes a path, one of
 * an installed package such as `npm:vega-datasets/data/flights-3m.parquet`, or a {@link SourceSpec} that declares columns; paths
 * are relative to the working folder. The file is opened by each subscription, read in a thread of its own, and closed when the
 * subscription ends. Throws `CREDITS_INVALID` at once, and what sources throw (`SOURCE_MISSING`, `SOURCE_MALFORMED`, …) as the
 * stream's error.
 */
export function openStream<C = Untyped>(
  from: string | SourceSpec,
  options: OpenStreamOptions<C> = {},
): Observable<Flow<C>> {
  const { batchRows = BATCH_ROWS_DEFAULT, signal, schema: _schema, ...rest } = options;
  const spec = typeof from === "string" ? { file: from } : from;
  const batches = { [Symbol.asyncIterator]: () => read(spec, batchRows, signal) };
  const given = Object.entries({ ...rest, signal }).filter(([, value]) => value !== undefined);
  return source<C>(batches, Object.fromEntries(given));
}

async function* read(spec: SourceSpec, batchRows: number, signal: AbortSignal | undefined): AsyncGenerator<Batch> {
  const { path } = await locate(spec.file, process.cwd());
  await using opened = await openSource({ ...spec, file: path }, { signal });
  yield* opened.batches({ batchRows, signal });
}
