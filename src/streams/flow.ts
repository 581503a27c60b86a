import type { OperatorFunction, Subscriber } from "rxjs";
import { Observable } from "rxjs";
import { Batch } from "../batch/batch.ts";
import type { Schema } from "../batch/schema.ts";
import { within } from "../core/errors.ts";
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
      return input.subscribe({
        next: (item) => run.guarded(() => run.take(item)),
        error: (error: unknown) => run.fail(error),
        complete: () => {
          run.guarded(() => run.end({ kind: "end" }));
          out.complete();
        },
      });
    }) as unknown as Observable<To>; // what the compiler knows of columns exists for it alone
}

/** Where a stage puts what it makes. */
export interface Emitter {
  readonly closed: boolean;
  next(item: Flow): void;
}

/** One subscription of an operator. */
class Running {
  private readonly out: Subscriber<Flow>;
  private readonly does: Stage;
  private readonly text: OperatorText | undefined;
  private step: Step | undefined;
  private begun = false;
  private ended = false;

  constructor(
    out: Subscriber<Flow>,
    stage: (out: Emitter, step: () => Step | undefined) => Stage,
    text: OperatorText | undefined,
  ) {
    this.out = out;
    this.text = text;
    const counted: Emitter = {
      get closed() {
        return out.closed;
      },
      next: (item) => {
        if (this.step !== undefined && isBatch(item)) this.step.counters.rowsOut += item.rows;
        out.next(item);
      },
    };
    this.does = stage(text === undefined ? out : counted, () => this.step);
  }

  take(item: Flow): void {
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

  end(item: { readonly kind: "end" }): void {
    if (this.ended) return;
    if (!this.begun) this.begin({ kind: "header" });
    this.ended = true;
    this.does.end?.();
    this.out.next(item);
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
    this.out.error(error);
  }

  private begin(header: Header): void {
    this.begun = true;
    const { text } = this;
    let here = header;
    if (text !== undefined) {
      this.step = stepAfter(header.steps, text.name, text.detail);
      here = { ...header, steps: [...(header.steps ?? []), this.step] };
    }
    this.out.next(this.does.header === undefined ? here : this.does.header(here));
  }
}
