import type { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import { BATCH_ROWS_DEFAULT } from "../batch/limits.ts";
import { locate } from "../config/files.ts";
import { openSource, type SourceSpec } from "../sources/port.ts";
import type { Flow } from "../streams/flow.ts";
import { source } from "../streams/source.ts";

/** Options of {@link openStream}. */
export interface OpenStreamOptions {
  /** Rows a batch, 1 to 4096 (default 4096); never changes what operators make of the rows. */
  readonly batchRows?: number | undefined;
  /** Batches that may be under way behind the source; default 16, at least 1. */
  readonly credits?: number | undefined;
  /** Ends the stream with the signal's reason as its error. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A file as a credit-controlled stream of batches, ended by `end`, for the operators of this package. It takes a path, one of
 * an installed package such as `npm:vega-datasets/data/flights-3m.parquet`, or a {@link SourceSpec} that declares columns; paths
 * are relative to the working folder. The file is opened by each subscription, read in a thread of its own, and closed when the
 * subscription ends. Throws `CREDITS_INVALID` at once, and what sources throw (`SOURCE_MISSING`, `SOURCE_MALFORMED`, …) as the
 * stream's error.
 */
export function openStream(from: string | SourceSpec, options: OpenStreamOptions = {}): Observable<Flow> {
  const { batchRows = BATCH_ROWS_DEFAULT, credits, signal } = options;
  const spec = typeof from === "string" ? { file: from } : from;
  const batches = { [Symbol.asyncIterator]: () => read(spec, batchRows, signal) };
  return source(batches, {
    ...(credits === undefined ? {} : { credits }),
    ...(signal === undefined ? {} : { signal }),
  });
}

async function* read(spec: SourceSpec, batchRows: number, signal: AbortSignal | undefined): AsyncGenerator<Batch> {
  const { path } = await locate(spec.file, process.cwd());
  await using opened = await openSource({ ...spec, file: path }, { signal });
  yield* opened.batches({ batchRows, signal });
}
