import type { Observable } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { isNull, wordsOf, wordsToNumber } from "../../batch/column.ts";
import { rangeOf } from "../../batch/gather.ts";
import { IpdmError } from "../../core/errors.ts";
import { type Flow, type Header, operator } from "../flow.ts";
import { timeField } from "../window/plan.ts";
import type { EventTime } from "./event-time.ts";
import { invalid } from "./given.ts";

/**
 * Inputs that are to be brought together, with the punctuation in their rows as marks between them: the watermark of several inputs is the
 * least of theirs. Others pass as they are. Throws `OPTION_INVALID`.
 */
export function markedInputs<C, K extends string>(
  inputs: Readonly<Record<string, Observable<Flow<C, K>>>>,
): Readonly<Record<string, Observable<Flow<C, K>>>> {
  // Names that are whole numbers stand first in any object, in their own order: the input named first would be another.
  const number = Object.keys(inputs).find((name) => /^\d+$/.test(name));
  if (number !== undefined)
    throw invalid("inputs", `none can be named ${number}`, "name them by words: { north, south }");
  return Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, marked(input)]));
}

/**
 * True where marks alone move the watermark of all, false where rows do. Throws `WINDOW_UNDESCRIBED` where some inputs are punctuated and
 * others are not.
 */
export function areMarked(times: readonly EventTime[], who: string): boolean {
  const count = times.filter(({ punctuated }) => punctuated !== undefined).length;
  if (count === 0 || count === times.length) return count > 0;
  throw new IpdmError("WINDOW_UNDESCRIBED", `${who} has punctuated inputs and others`, {
    kind: "config",
    hint: "let eventTime say the same way for all of its inputs",
  });
}

/** Rows up to each punctuation, and behind them a watermark. */
function marked<C, K extends string>(input: Observable<Flow<C, K>>): Observable<Flow<C, K>> {
  return input.pipe(
    operator((out) => {
      let column: string | undefined;
      let newest = Number.NEGATIVE_INFINITY;
      function* cut(batch: Batch, name: string): Generator<Flow, Flow | undefined> {
        timeField(batch.schema, name);
        const marks = batch.column(name);
        const words = wordsOf(marks);
        let from = 0;
        for (let row = 0; row < batch.rows; row++) {
          const mark = isNull(marks, row) ? Number.NEGATIVE_INFINITY : wordsToNumber(words, row);
          if (mark <= newest) continue;
          newest = mark;
          yield rangeOf(batch, from, row + 1);
          yield { kind: "watermark", timeUs: mark };
          from = row + 1;
        }
        return from < batch.rows ? rangeOf(batch, from, batch.rows) : undefined;
      }
      return {
        makesMany: true,
        header(header): Header {
          const { time } = header;
          if (typeof time?.punctuated !== "string") return header;
          column = time.punctuated;
          return { ...header, time: { ...time, punctuated: true } };
        },
        batch(batch) {
          if (column === undefined) out.next(batch);
          else out.all(cut(batch, column));
        },
      };
    }),
  );
}
