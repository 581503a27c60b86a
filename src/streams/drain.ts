import type { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import type { Checkpointer } from "./checkpointer.ts";
import type { Credits } from "./credits.ts";
import type { Control, Flow } from "./flow.ts";
import { isBatch } from "./flow.ts";

/** Options of {@link drain}. */
export interface DrainOptions {
  readonly signal?: AbortSignal;
  /** Sees every control item when the batches before it are done. */
  readonly control?: (control: Control) => void | Promise<void>;
  /** Stores what each barrier has gathered, when the batches before it are done. */
  readonly checkpoints?: Checkpointer;
}

/**
 * The end of a stream: calls `sink` with one batch after the other, the next when the promise before has resolved, and
 * gives each batch's credit back then. Resolves when the stream has ended and all is done; rejects with the first error
 * of stream or sink, or with the signal's reason, and unsubscribes.
 */
export async function drain(
  stream: Observable<Flow>,
  sink: (batch: Batch) => void | Promise<void> = () => undefined,
  { signal, control, checkpoints }: DrainOptions = {},
): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const queue: Flow[] = [];
    let pool: Credits | undefined;
    let busy = false;
    let completed = false;
    let failed = false;
    const fail = (error: unknown): void => {
      failed = true;
      for (const item of queue.splice(0)) if (isBatch(item)) pool?.giveBack();
      subscription?.unsubscribe();
      signal?.removeEventListener("abort", abort);
      reject(error);
    };
    const abort = (): void => fail(signal?.reason);
    const work = async (): Promise<void> => {
      busy = true;
      for (let item = queue.shift(); item !== undefined && !failed; item = queue.shift()) {
        try {
          if (isBatch(item)) await sink(item);
          else {
            if (item.kind === "barrier") await checkpoints?.complete(item);
            await control?.(item);
          }
        } catch (error) {
          if (!failed) fail(error);
        } finally {
          if (isBatch(item)) pool?.giveBack();
        }
      }
      busy = false;
      if (completed && !failed) {
        signal?.removeEventListener("abort", abort);
        resolve();
      }
    };
    signal?.addEventListener("abort", abort, { once: true });
    let subscription: { unsubscribe(): void } | undefined;
    subscription = stream.subscribe({
      next: (item) => {
        if (failed) return;
        if (isBatch(item)) pool?.take();
        else if (item.kind === "header") pool = item.credits;
        queue.push(item);
        if (!busy) void work();
      },
      error: (error: unknown) => {
        if (!failed) fail(error);
      },
      complete: () => {
        completed = true;
        if (!busy && !failed) void work();
      },
    });
    if (failed) subscription.unsubscribe();
  });
}
