import type { OperatorFunction } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { within } from "../../core/errors.ts";
import type { Credits } from "../credits.ts";
import type { Flow, Header } from "../flow.ts";
import { isBatch } from "../flow.ts";
import { CONCURRENCY_DEFAULT } from "../limits.ts";
import { type Step, stepAfter } from "../step.ts";
import { failed, wholeOf } from "./given.ts";

/** Options of {@link mapBatch}. */
export interface MapBatchOptions {
  /** Batches worked on at a time; default 1. */
  readonly concurrency?: number;
}

/** One batch, several, or none. */
export type MappedBatch = Batch | readonly Batch[] | undefined;

/**
 * Replaces each batch by what `map` makes of it, several at a time, results and control items in the order of the
 * input. A batch holds its source's credit until its result has been handed on. `signal` aborts when the subscriber
 * leaves or a batch fails. What was said of event time and key stays, and has to be true of what comes out. Throws `OPTION_INVALID`, and
 * `FUNCTION_FAILED` as the stream's error.
 */
export function mapBatch(
  map: (batch: Batch, signal: AbortSignal) => MappedBatch | Promise<MappedBatch>,
  { concurrency = CONCURRENCY_DEFAULT }: MapBatchOptions = {},
): OperatorFunction<Flow, Flow> {
  wholeOf("mapBatch", "concurrency", concurrency);
  return (input) =>
    new Observable<Flow>((out) => {
      const stop = new AbortController();
      const waiting: Entry[] = [];
      let pool: Credits | undefined;
      let running = 0;
      let completed = false;
      let step: Step | undefined;
      const start = (entry: Entry, batch: Batch): void => {
        running++;
        entry.state = "running";
        // `map` runs inside the promise, so that what it throws at once is a rejection too.
        void Promise.resolve(batch)
          .then((given) => map(given, stop.signal))
          .then(
            (result) => {
              entry.result = listOf(result);
              entry.state = "done";
              running--;
              advance();
            },
            (error: unknown) => out.error(within(step?.place ?? "mapBatch", failed("the function", error))),
          );
      };
      const advance = (): void => {
        while (waiting[0]?.state === "done" && !out.closed) {
          const entry = waiting.shift() as Entry;
          for (const item of entry.result) out.next(counted(item, step, "rowsOut"));
          if (isBatch(entry.item)) pool?.giveBack();
        }
        for (const entry of waiting) {
          if (running >= concurrency || out.closed) break;
          if (entry.state === "waiting" && isBatch(entry.item)) start(entry, entry.item);
        }
        if (completed && waiting.length === 0) out.complete();
      };
      out.add(() => {
        stop.abort();
        for (const entry of waiting.splice(0)) if (isBatch(entry.item)) pool?.giveBack();
      });
      out.add(
        input.subscribe({
          next: (item) => {
            if (isBatch(item)) {
              pool?.take();
              waiting.push({ item: counted(item, step, "rowsIn"), state: "waiting", result: [] });
            } else if (item.kind === "header") {
              pool = item.credits;
              step = stepAfter(item.steps, "mapBatch", concurrency === 1 ? "" : `${concurrency} at a time`);
              waiting.push({ item, state: "done", result: [headerAfter(item, step)] });
            } else waiting.push({ item, state: "done", result: [item] });
            advance();
          },
          error: (error: unknown) => out.error(error),
          complete: () => {
            completed = true;
            advance();
          },
        }),
      );
    });
}

/** The item itself, once its rows are counted. */
function counted<T extends Flow>(item: T, step: Step | undefined, by: "rowsIn" | "rowsOut"): T {
  if (step !== undefined && isBatch(item)) step.counters[by] += item.rows;
  return item;
}

/** The header of what comes out: nobody knows its columns. */
function headerAfter({ schema: _, ...header }: Header, step: Step): Header {
  return { ...header, steps: [...(header.steps ?? []), step] };
}

function listOf(result: MappedBatch): readonly Batch[] {
  if (result === undefined) return [];
  return Array.isArray(result) ? (result as readonly Batch[]) : [result as Batch];
}

interface Entry {
  readonly item: Flow;
  state: "waiting" | "running" | "done";
  result: readonly Flow[];
}
