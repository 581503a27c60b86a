import type { OperatorFunction, Subscriber } from "rxjs";
import { Observable } from "rxjs";
import { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { within } from "../core/errors.ts";
import { Backlog, type Pieces } from "./backlog.ts";
import type { Barrier } from "./barrier.ts";
import type { Untyped } from "./columns.ts";
import type { Credits } from "./credits.ts";
import type { EventTime } from "./operators/event-time.ts";
import type { WindowShape } from "./operators/shapes.ts";
import type { SavedPlaces } from "./savepoint.ts";
import type { Step } from "./step.ts";
import { stepAfter } from "./step.ts";

declare const known: unique symbol;

/**
 * What the operators before have said about a stream. It travels as the stream's first item and is replaced as it passes
 * operators that describe (`eventTime`, `keyBy`, `tumble`) or compute; `aggregate` and joins read it.
 */
export interface Header {
  readonly kind: "header";
  readonly time?: EventTime;
  readonly keys?: readonly string[];
  readonly window?: WindowShape;
  /** The source's credits: whoever keeps a batch after `next` has returned takes one, and gives it back when done. */
  readonly credits?: Credits;
  /** The columns of the batches to come, where they are known before the first. */
  readonly schema?: Schema;
  /** What stands before this place, from the source on. */
  readonly steps?: readonly Step[];
  /** States to go on from, by place. */
  readonly restored?: SavedPlaces;
}

/** The watermark is at least this time, in microseconds; from a source that knows more than its rows say. */
export interface Watermark {
  readonly kind: "watermark";
  readonly timeUs: number;
}

/**
 * The source has nothing before this event time, in microseconds, and may be silent for long: other inputs do not wait for it until
 * then. It moves no watermark of its own. It is part of the input like a row, recorded and replayed at its place, and never made by a
 * clock here.
 */
export interface Idle {
  readonly kind: "idle";
  readonly untilUs: number;
}

/** End of input: the watermark is +∞. A stream that completes without it has ended as well. */
export interface End {
  readonly kind: "end";
}

/** An item that is not data. */
export type Control = Header | Watermark | Idle | Barrier | End;

/** One item of a stream: rows, or a control item between them. `C` and `K` are its columns and key, known to the compiler alone. */
export type Flow<C = Untyped, K extends string = string> =
  | (Batch & { readonly [known]?: { readonly columns: C; readonly keys: K } })
  | Control;

/** True for data. */
export function isBatch(item: Flow): item is Batch {
  return item instanceof Batch;
}

/** What an operator does with the items of one subscription. A thrown error becomes the stream's error. */
export interface Stage {
  /** It may make many batches of an item, and gives them to {@link Emitter.all}: those behind it see how many are under way. */
  readonly makesMany?: true;
  header?(header: Header): Header;
  batch(batch: Batch): void;
  watermark?(watermark: Watermark): void;
  idle?(idle: Idle): void;
  /** Adds the operator's state to a barrier, which then passes. */
  barrier?(barrier: Barrier): void;
  /** Called once, at the `end` item or on completion without one; `end` follows it. */
  end?(): void;
  /** Called once with the stream's error, before the subscriber sees it. */
  error?(error: unknown): void;
}

/** What an operator is called, and what it was told, for people: `explain`, errors, counters. */
export interface OperatorText {
  readonly name: string;
  readonly detail?: string;
}

/**
 * An operator over flows from a synchronous stage. A stream without a header gets an empty one first; items that the
 * stage has no method for pass; after the end nothing passes. With a text it is a step of the pipeline: it counts its rows, and its
 * errors say where they happened.
 */
export function operator<From extends Flow, To extends Flow>(
  stage: (out: Emitter, step: () => Step | undefined) => Stage,
  text?: OperatorText,
): OperatorFunction<From, To> {
  return (input) =>
    new Observable<Flow>((out) => {
      const run = new Running(out, stage, text);
      out.add(() => run.close());
      return input.subscribe({
        next: (item) => run.guarded(() => run.take(item)),
        error: (error: unknown) => run.fail(error),
        complete: () => run.guarded(() => run.complete()),
      });
    }) as unknown as Observable<To>; // what the compiler knows of columns exists for it alone
}

/** Where a stage puts what it makes. */
export interface Emitter {
  next(item: Flow): void;
  /**
   * Hands on what is made lazily, as there is room for it, from when the stage returns; items that come before the end of it wait. For stages
   * that make many batches of an item, once an item.
   */
  all(pieces: Pieces): void;
}

/** One subscription of an operator. */
class Running {
  private readonly out: Subscriber<Flow>;
  private readonly does: Stage;
  private readonly text: OperatorText | undefined;
  private step: Step | undefined;
  /** Of a stage that makes many batches of an item. */
  private backlog: Backlog | undefined;
  private begun = false;
  private ended = false;
  /** Follows what the end comes to. */
  private last: Flow | undefined;
  private completed = false;

  constructor(
    out: Subscriber<Flow>,
    stage: (out: Emitter, step: () => Step | undefined) => Stage,
    text: OperatorText | undefined,
  ) {
    this.out = out;
    this.text = text;
    const emitter: Emitter = { next: (item) => this.put(item), all: (pieces) => this.backlog?.begin(pieces) };
    this.does = stage(emitter, () => this.step);
  }

  take(item: Flow): void {
    if (this.waits()) return this.backlog?.add(item);
    this.work(item);
    if (this.last !== undefined || this.waits()) this.goOn();
  }

  complete(): void {
    this.completed = true;
    this.take({ kind: "end" });
    if (!this.waits()) this.out.complete();
  }

  guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.fail(this.step === undefined ? error : within(this.step.place, error));
    }
  }

  fail(error: unknown): void {
    if (!this.out.closed) this.does.error?.(error);
    this.close();
    this.out.error(error);
  }

  /** Gives all credits back. */
  close(): void {
    this.backlog?.close();
  }

  private work(item: Flow): void {
    if (this.ended) return;
    const { does, out } = this;
    if (isBatch(item)) {
      if (!this.begun) this.begin({ kind: "header" });
      if (this.step !== undefined) this.step.counters.rowsIn += item.rows;
      return does.batch(item);
    }
    switch (item.kind) {
      case "header":
        return this.begin(item);
      case "end":
        return this.end(item);
      case "watermark":
        return does.watermark === undefined ? out.next(item) : does.watermark(item);
      case "idle":
        return does.idle === undefined ? out.next(item) : does.idle(item);
      case "barrier":
        does.barrier?.(item);
        return out.next(item);
    }
  }

  /** Hands on what the item at hand comes to, then works on those that wait, as far as there is room. */
  private goOn(): void {
    const { backlog, out } = this;
    while (backlog === undefined || backlog.pump()) {
      const { last } = this;
      this.last = undefined;
      if (last !== undefined) out.next(last);
      const item = backlog?.next();
      if (item === undefined) return;
      this.work(item);
    }
  }

  private resume(): void {
    if (this.out.closed) return;
    this.goOn();
    if (this.completed && !this.waits()) this.out.complete();
  }

  /** Whether an item that comes has to wait. */
  private waits(): boolean {
    return this.backlog?.isBusy === true;
  }

  private put(item: Flow): void {
    if (this.step !== undefined && isBatch(item)) this.step.counters.rowsOut += item.rows;
    this.out.next(item);
  }

  private end(item: Flow): void {
    if (!this.begun) this.begin({ kind: "header" });
    this.ended = true;
    this.last = item;
    this.does.end?.();
  }

  private begin(header: Header): void {
    this.begun = true;
    const { text, does } = this;
    let here = header;
    if (text !== undefined) {
      this.step = stepAfter(header.steps, text.name, text.detail);
      here = { ...header, steps: [...(header.steps ?? []), this.step] };
    }
    if (does.makesMany === true) {
      const resume = (): void => this.guarded(() => this.resume());
      this.backlog = new Backlog(header.credits, (batch) => this.put(batch), resume);
      here = { ...here, credits: this.backlog.outlet };
    }
    this.out.next(does.header === undefined ? here : does.header(here));
  }
}
