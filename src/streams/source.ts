import { setImmediate } from "node:timers/promises";
import type { Subscriber } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import { CreditPool } from "./credits.ts";
import type { Flow } from "./flow.ts";
import { CREDITS_DEFAULT, TURN_BATCHES } from "./limits.ts";

/** Options of {@link source}. */
export interface SourceOptions {
  /** Batches that may be under way; default 16, at least 1. */
  readonly credits?: number;
  /** Ends the stream with the signal's reason as its error. */
  readonly signal?: AbortSignal;
}

/**
 * A stream of the batches of an iterable, followed by `end`, with back-pressure: the next batch is pulled when the one
 * before went through the synchronous operators and fewer than `credits` are waiting at sinks and asynchronous stages.
 * Each subscription iterates anew. Unsubscribing or aborting closes the iterator (`return`). Throws `CREDITS_INVALID`.
 */
export function source(batches: AsyncIterable<Batch> | Iterable<Batch>, options: SourceOptions = {}): Observable<Flow> {
  const { credits = CREDITS_DEFAULT, signal } = options;
  new CreditPool(credits);
  return new Observable<Flow>((out) => {
    const pool = new CreditPool(credits);
    const abort = (): void => out.error(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    out.add(() => {
      signal?.removeEventListener("abort", abort);
      pool.wake();
    });
    if (signal?.aborted) abort();
    else void pump(batches, pool, out);
  });
}

/** Every failure goes to the subscriber, so the promise never rejects. */
async function pump(
  batches: AsyncIterable<Batch> | Iterable<Batch>,
  pool: CreditPool,
  out: Subscriber<Flow>,
): Promise<void> {
  try {
    out.next({ kind: "header", credits: pool });
    if (Symbol.asyncIterator in batches) await pumpAsync(batches[Symbol.asyncIterator](), pool, out);
    else await pumpAsync(batches[Symbol.iterator](), pool, out);
    out.next({ kind: "end" });
    out.complete();
  } catch (error) {
    out.error(error);
  }
}

async function pumpAsync(
  iterator: AsyncIterator<Batch> | Iterator<Batch>,
  pool: CreditPool,
  out: Subscriber<Flow>,
): Promise<void> {
  let done = false;
  // A pull that is under way when the subscriber leaves may take long; `return` is queued behind it at once.
  let returned: Promise<unknown> | undefined;
  const close = (): void => {
    if (!done) returned ??= Promise.resolve(iterator.return?.()).catch(() => undefined);
  };
  out.add(close);
  for (let pulls = 1; !out.closed; pulls++) {
    // Promises alone would keep timers, sockets and signals waiting until the last batch.
    if (pulls % TURN_BATCHES === 0) await setImmediate();
    const pulled = await iterator.next();
    if (out.closed) break;
    if (pulled.done === true) {
      done = true;
      break;
    }
    out.next(pulled.value);
    if (pool.inFlight >= pool.credits) await pool.free();
  }
  await returned;
}
