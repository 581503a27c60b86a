import { setImmediate } from "node:timers/promises";
import type { Subscriber } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../batch/batch.ts";
import { rangeOf } from "../batch/gather.ts";
import type { Checkpointer } from "./checkpointer.ts";
import type { TypedSchema, Untyped } from "./columns.ts";
import { CreditPool } from "./credits.ts";
import type { Flow, Idle, Watermark } from "./flow.ts";
import { CREDITS_DEFAULT, SOURCE_NAME_DEFAULT, TURN_BATCHES } from "./limits.ts";
import type { SavedPlaces } from "./savepoint.ts";
import { sourceStep } from "./step.ts";

/** Options of {@link source}. */
export interface SourceOptions<C = Untyped> {
  /** Batches that may be under way; default 16, at least 1. */
  readonly credits?: number;
  /** Ends the stream with the signal's reason as its error. */
  readonly signal?: AbortSignal;
  /** What errors, counters and savepoints call it; default `input`. Sources of one pipeline need different ones. */
  readonly name?: string;
  /** Its columns, where they are to be known before the first batch, or to the compiler. */
  readonly schema?: TypedSchema<C>;
  /** Asks for barriers, and learns how many rows were before each. */
  readonly checkpoints?: Checkpointer;
  /** Goes on behind the rows that a savepoint has seen: they are pulled again and left out. */
  readonly from?: SavedPlaces;
}

/** What a source may be made of: batches, and marks that are part of the input. */
export type SourceItem = Batch | Watermark | Idle;

/**
 * A stream of the batches of an iterable, followed by `end`, with back-pressure: the next batch is pulled when the one
 * before went through the operators and fewer than `credits` are waiting at sinks and asynchronous stages.
 * Each subscription iterates anew. Unsubscribing or aborting closes the iterator (`return`). Throws `CREDITS_INVALID`.
 */
export function source<C = Untyped>(
  batches: AsyncIterable<SourceItem> | Iterable<SourceItem>,
  options: SourceOptions<C> = {},
): Observable<Flow<C, never>> {
  const { credits = CREDITS_DEFAULT, signal } = options;
  new CreditPool(credits);
  return new Observable<Flow<C, never>>((out) => {
    const pool = new CreditPool(credits);
    const abort = (): void => out.error(signal?.reason);
    signal?.addEventListener("abort", abort, { once: true });
    out.add(() => {
      signal?.removeEventListener("abort", abort);
      pool.wake();
    });
    if (signal?.aborted) abort();
    else void new Pump(pool, out, options).run(batches);
  });
}

/** One subscription. */
class Pump {
  private readonly pool: CreditPool;
  private readonly out: Subscriber<Flow>;
  private readonly options: SourceOptions;
  private readonly name: string;
  private readonly skip: number;
  private readonly step;
  private rows = 0;

  constructor(pool: CreditPool, out: Subscriber<Flow>, options: SourceOptions) {
    this.pool = pool;
    this.out = out;
    this.options = options;
    this.name = options.name ?? SOURCE_NAME_DEFAULT;
    this.skip = options.from?.rows(this.name) ?? 0;
    this.step = sourceStep(this.name);
  }

  /** Every failure goes to the subscriber, so the promise never rejects. */
  async run(batches: AsyncIterable<SourceItem> | Iterable<SourceItem>): Promise<void> {
    const { out, pool, options } = this;
    try {
      const { schema, from, checkpoints } = options;
      out.next({
        kind: "header",
        credits: pool,
        steps: [this.step],
        ...(schema === undefined ? {} : { schema }),
        ...(from === undefined ? {} : { restored: from }),
      });
      const left = checkpoints?.join(
        this.name,
        () => this.rows,
        (barrier) => out.next(barrier),
      );
      if (left !== undefined) out.add(left);
      if (Symbol.asyncIterator in batches) await this.pull(batches[Symbol.asyncIterator]());
      else await this.pull(batches[Symbol.iterator]());
      left?.();
      out.next({ kind: "end" });
      out.complete();
    } catch (error) {
      out.error(error);
    }
  }

  private async pull(iterator: AsyncIterator<SourceItem> | Iterator<SourceItem>): Promise<void> {
    const { out, pool } = this;
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
      this.give(pulled.value);
      // An operator that had to wait may have been faster.
      while (!pool.isOpen && !out.closed) await pool.free();
    }
    await returned;
  }

  private give(item: SourceItem): void {
    const { out, skip, step } = this;
    if (!("rows" in item)) {
      if (this.rows >= skip) out.next(item);
      return;
    }
    const before = this.rows;
    this.rows += item.rows;
    if (this.rows <= skip && item.rows > 0) return;
    const isPart = before < skip;
    const given = isPart ? rangeOf(item, skip - before, item.rows) : item;
    step.counters.rowsOut += given.rows;
    out.next(given);
    this.options.checkpoints?.counted(this.name);
  }
}
