import type { OperatorFunction, Subscriber } from "rxjs";
import { Observable } from "rxjs";
import { Batch } from "../batch/batch.ts";
import type { CreditPool } from "./credits.ts";
import type { EventTime, Tumble } from "./operators/window.ts";

/**
 * What the operators before have said about a stream. It travels as the stream's first item and is replaced as it
 * passes `eventTime`, `keyBy`, `tumble`; `aggregate` reads it.
 */
export interface Header {
  readonly kind: "header";
  readonly time?: EventTime;
  readonly keys?: readonly string[];
  readonly window?: Tumble;
  /** The source's credits: whoever keeps a batch after `next` has returned takes one, and gives it back when done. */
  readonly credits?: CreditPool;
}

/** The watermark is at least this time, in microseconds; from a source that knows more than its rows say. */
export interface Watermark {
  readonly kind: "watermark";
  readonly timeUs: number;
}

/** End of input: the watermark is +∞. A stream that completes without it has ended as well. */
export interface End {
  readonly kind: "end";
}

/** An item that is not data. */
export type Control = Header | Watermark | End;

/** One item of a stream: rows, or a control item between them. */
export type Flow = Batch | Control;

/** True for data. */
export function isBatch(item: Flow): item is Batch {
  return item instanceof Batch;
}

/** What an operator does with the items of one subscription. A thrown error becomes the stream's error. */
export interface Stage {
  header?(header: Header): Header;
  batch(batch: Batch): void;
  watermark?(watermark: Watermark): void;
  /** Called once, at the `end` item or on completion without one; `end` follows it. */
  end?(): void;
  /** Called once with the stream's error, before the subscriber sees it. */
  error?(error: unknown): void;
}

/**
 * An operator over flows from a synchronous stage. A stream without a header gets an empty one first; items that the
 * stage has no method for pass; after the end nothing passes.
 */
export function operator(stage: (out: Subscriber<Flow>) => Stage): OperatorFunction<Flow, Flow> {
  return (input) =>
    new Observable<Flow>((out) => {
      const does = stage(out);
      let begun = false;
      let ended = false;
      const begin = (header: Header): void => {
        begun = true;
        out.next(does.header === undefined ? header : does.header(header));
      };
      const end = (item: End): void => {
        if (ended) return;
        if (!begun) begin({ kind: "header" });
        ended = true;
        does.end?.();
        out.next(item);
      };
      const take = (item: Flow): void => {
        if (ended) return;
        if (isBatch(item)) {
          if (!begun) begin({ kind: "header" });
          does.batch(item);
        } else if (item.kind === "header") {
          begin(item);
        } else if (item.kind === "end") {
          end(item);
        } else if (does.watermark === undefined) {
          out.next(item);
        } else {
          does.watermark(item);
        }
      };
      const fail = (error: unknown): void => {
        if (!out.closed) does.error?.(error);
        out.error(error);
      };
      const guarded = (step: () => void): void => {
        try {
          step();
        } catch (error) {
          fail(error);
        }
      };
      return input.subscribe({
        next: (item) => guarded(() => take(item)),
        error: fail,
        complete: () => {
          guarded(() => end({ kind: "end" }));
          out.complete();
        },
      });
    });
}
