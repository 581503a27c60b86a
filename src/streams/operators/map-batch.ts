import type { OperatorFunction, Subscriber } from "rxjs";
import { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { within } from "../../core/errors.ts";
import type { Credits } from "../credits.ts";
import type { Flow, Header } from "../flow.ts";
import { isBatch } from "../flow.ts";
import { CONCURRENCY_DEFAULT } from "../limits.ts";
import { Outlet } from "../outlet.ts";
import { type Step, stepAfter } from "../step.ts";
import { failed, wholeOf } from "./given.ts";

/** Options of {@link mapBatch}. */
export interface MapBatchOptions {
  /** Batches worked on at a time; default 1. */
  readonly concurrency?: number;
}

/** One batch, several, or none. Of several each is asked for when there is room for it: a generator makes them only then. */
export type MappedBatch = Batch | Iterable<Batch> | undefined;

type MapOne = (batch: Batch, signal: AbortSignal) => MappedBatch | Promise<MappedBatch>;

/**
 * Replaces each batch by what `map` makes of it, several at a time, results and control items in the order of the
 * input. A batch holds its source's credit until its result has been handed on. `signal` aborts when the subscriber
 * leaves or a batch fails. What was said of event time and key stays, and has to be true of what comes out. Throws `OPTION_INVALID`, and
 * `FUNCTION_FAILED` as the stream's error.
 */
export function mapBatch(
  map: MapOne,
  { concurrency = CONCURRENCY_DEFAULT }: MapBatchOptions = {},
): OperatorFunction<Flow, Flow> {
  wholeOf("mapBatch", "concurrency", concurrency);
  return (input) =>
    new Observable<Flow>((out) => {
      const mapping = new Mapping(out, map, concurrency);
      out.add(() => mapping.close());
      out.add(
        input.subscribe({
          next: (item) => mapping.take(item),
          error: (error: unknown) => out.error(error),
          complete: () => mapping.complete(),
        }),
      );
    });
}

interface Entry {
  readonly item: Flow;
  state: "waiting" | "running" | "done";
  /** What it came to, as far as it was not handed on. */
  rest: Iterator<Flow>;
  isMany: boolean;
}

/** One subscription. */
class Mapping {
  private readonly out: Subscriber<Flow>;
  private readonly map: MapOne;
  private readonly concurrency: number;
  private readonly stop = new AbortController();
  private readonly waiting: Entry[] = [];
  private before: Credits | undefined;
  private outlet: Outlet | undefined;
  private step: Step | undefined;
  private running = 0;
  private completed = false;
  private isHandingOn = false;

  constructor(out: Subscriber<Flow>, map: MapOne, concurrency: number) {
    this.out = out;
    this.map = map;
    this.concurrency = concurrency;
  }

  take(item: Flow): void {
    if (isBatch(item)) {
      this.before?.take();
      if (this.step !== undefined) this.step.counters.rowsIn += item.rows;
    }
    const passes = isBatch(item) ? [] : [item.kind === "header" ? this.begin(item) : item];
    const state = isBatch(item) ? "waiting" : "done";
    this.waiting.push({ item, state, rest: passes.values(), isMany: false });
    this.advance();
  }

  complete(): void {
    this.completed = true;
    this.advance();
  }

  close(): void {
    this.stop.abort();
    this.outlet?.close();
    for (const { item, rest } of this.waiting.splice(0)) {
      if (isBatch(item)) this.before?.giveBack();
      try {
        rest.return?.();
      } catch {
        // Who left, or has an error already, hears of no other.
      }
    }
  }

  private begin(header: Header): Header {
    // Nobody knows the columns of what comes out.
    const { schema: _, ...passed } = header;
    this.before = header.credits;
    this.outlet = new Outlet(header.credits, () => this.advance());
    this.step = stepAfter(header.steps, "mapBatch", this.concurrency === 1 ? "" : `${this.concurrency} at a time`);
    return { ...passed, credits: this.outlet, steps: [...(header.steps ?? []), this.step] };
  }

  private start(entry: Entry, batch: Batch): void {
    this.running++;
    entry.state = "running";
    // `map` runs inside the promise, so that what it throws at once is a rejection too.
    void Promise.resolve(batch)
      .then((given) => this.map(given, this.stop.signal))
      .then(
        (result) => {
          entry.isMany = result !== undefined && Symbol.iterator in result;
          entry.rest = itemsOf(result);
          entry.state = "done";
          this.running--;
          this.advance();
        },
        (error: unknown) => this.fail(error),
      );
  }

  private advance(): void {
    const { waiting, out } = this;
    if (this.isHandingOn) return;
    this.isHandingOn = true;
    try {
      while (waiting[0]?.state === "done" && this.handOn(waiting[0])) {
        if (isBatch((waiting.shift() as Entry).item)) this.before?.giveBack();
      }
    } catch (error) {
      this.fail(error);
    }
    this.isHandingOn = false;
    for (const entry of waiting) {
      if (this.running >= this.concurrency || out.closed) break;
      if (entry.state === "waiting" && isBatch(entry.item)) this.start(entry, entry.item);
    }
    if (this.completed && waiting.length === 0) out.complete();
  }

  private fail(error: unknown): void {
    this.out.error(within(this.step?.place ?? "mapBatch", failed("the function", error)));
  }

  /** Hands on what an entry came to as far as there is room; whether that was all. Throws what making it throws. */
  private handOn({ rest, isMany }: Entry): boolean {
    const { out, outlet } = this;
    for (;;) {
      if (isMany && outlet?.isOpen === false) {
        outlet.wait();
        return false;
      }
      const { done, value } = rest.next();
      if (done === true) return !out.closed;
      if (this.step !== undefined && isBatch(value)) this.step.counters.rowsOut += value.rows;
      out.next(value);
      if (out.closed) return false;
    }
  }
}

function itemsOf(result: MappedBatch): Iterator<Flow> {
  if (result === undefined) return [].values();
  return Symbol.iterator in result ? result[Symbol.iterator]() : [result].values();
}
