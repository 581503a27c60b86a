import type { OperatorFunction } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Credits } from "../credits.ts";
import type { Flow } from "../flow.ts";
import { isBatch } from "../flow.ts";
import { CONCURRENCY_DEFAULT } from "../limits.ts";

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
 * leaves or a batch fails.
 */
export function mapBatch(
  map: (batch: Batch, signal: AbortSignal) => MappedBatch | Promise<MappedBatch>,
  { concurrency = CONCURRENCY_DEFAULT }: MapBatchOptions = {},
): OperatorFunction<Flow, Flow> {
  return (input) =>
    new Observable<Flow>((out) => {
      const stop = new AbortController();
      const waiting: Entry[] = [];
      let pool: Credits | undefined;
      let running = 0;
      let completed = false;
      const start = (entry: Entry, batch: Batch): void => {
        running++;
        entry.state = "running";
        // `map` runs inside the promise, so that what it throws at once is a rejection too.
        void Promise.resolve(batch)
          .then((given) => map(given, stop.signal))
          .then(
            (result) => {
              entry.result =
                result === undefined ? [] : Array.isArray(result) ? (result as readonly Batch[]) : [result as Batch];
              entry.state = "done";
              running--;
              advance();
            },
            (error: unknown) => out.error(error),
          );
      };
      const advance = (): void => {
        while (waiting[0]?.state === "done" && !out.closed) {
          const entry = waiting.shift() as Entry;
          for (const item of entry.result) out.next(item);
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
            if (isBatch(item)) pool?.take();
            else if (item.kind === "header") pool = item.credits;
            waiting.push(
              isBatch(item) ? { item, state: "waiting", result: [] } : { item, state: "done", result: [item] },
            );
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

interface Entry {
  readonly item: Flow;
  state: "waiting" | "running" | "done";
  result: readonly Flow[];
}
