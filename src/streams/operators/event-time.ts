import type { Observable, OperatorFunction } from "rxjs";
import { durationText } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import type { KeySpec, TimeSpec, Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { operator } from "../flow.ts";
import { durationOf, invalid, onlyKeys } from "./given.ts";

/** Which column holds the event time, and what moves the watermark. */
export interface EventTime {
  readonly column: string;
  /** How far behind its newest value the watermark stays, in microseconds. */
  readonly outOfOrderUs: number;
  /**
   * Column of timestamps that are the watermark after their row, where they are not null; nothing else moves it then. True where marks
   * between rows do, as behind a union of punctuated inputs.
   */
  readonly punctuated?: string | true | undefined;
}

/** Options of {@link eventTime}: one of them. */
export type EventTimeOptions<P extends string = string> =
  | { readonly outOfOrder: string }
  | { readonly monotonic: true }
  | { readonly punctuated: P };

/**
 * Says which timestamp column is the event time, and what moves the watermark, the time before which nothing is expected any more:
 * - `outOfOrder: '2s'`: it stays so far behind the newest event time. There is no default; `'0s'` is for sorted input.
 * - `monotonic: true`: times never go back; the same as `'0s'`.
 * - `punctuated: 'column'`: only rows with a value in that timestamp column move it, to that value.
 *
 * Watermarks are decided row by row by whoever needs them behind, from the rows that arrive there. Throws `DURATION_INVALID` and `OPTION_INVALID`.
 */
export function eventTime<const N extends string, const P extends string = never>(
  column: N,
  options: EventTimeOptions<P>,
): <C extends Record<N, TimeSpec> & Record<P, TimeSpec> = Untyped, K extends string = string>(
  input: Observable<Flow<C, K>>,
) => Observable<Flow<C, K>> {
  const time = timeGiven(column, options);
  const how =
    "punctuated" in options ? `punctuated by ${options.punctuated}` : `${durationText(time.outOfOrderUs)} out of order`;
  return described("eventTime", `${column}, ${how}`, (header) => ({ ...header, time }));
}

function timeGiven(column: string, options: EventTimeOptions): EventTime {
  const given = Object.keys(options ?? {});
  onlyKeys("eventTime", options ?? {}, WAYS);
  if (given.length !== 1)
    throw invalid(
      "eventTime",
      `${given.length} ways to move the watermark`,
      "give { outOfOrder: '2s' }, { monotonic: true } or { punctuated: column }",
    );
  if ("punctuated" in options) return { column, outOfOrderUs: 0, punctuated: options.punctuated };
  if ("outOfOrder" in options)
    return { column, outOfOrderUs: durationOf("eventTime", "outOfOrder", options.outOfOrder) };
  if (options.monotonic) return { column, outOfOrderUs: 0 };
  throw invalid("eventTime", "monotonic is true or left out", "give { outOfOrder: '2s' }");
}

/** What moves a watermark. */
const WAYS = ["outOfOrder", "monotonic", "punctuated"] as const;

/** Says which columns make the key, in this order. Without it all rows have one key. Floats cannot be keys. */
export function keyBy<const N extends string>(
  ...names: readonly N[]
): <C extends Record<N, KeySpec> = Untyped>(input: Observable<Flow<C>>) => Observable<Flow<C, N>> {
  return described("keyBy", names.join(", "), (header) => ({ ...header, keys: names }));
}

/** An operator that changes what is said about a stream, not the stream. */
export function described<From extends Flow, To extends Flow>(
  name: string,
  detail: string,
  describe: (header: Header) => Header,
): OperatorFunction<From, To> {
  return operator((out) => ({ header: describe, batch: (batch) => out.next(batch) }), { name, detail });
}

/** The header of a computed stream: what was said of rows that are no more is gone. */
export function anew({ kind, credits, steps, restored }: Header): Header {
  return {
    kind,
    ...(credits === undefined ? {} : { credits }),
    ...(steps === undefined ? {} : { steps }),
    ...(restored === undefined ? {} : { restored }),
  };
}

/** The event time that was said before. Throws `WINDOW_UNDESCRIBED`. */
export function timeOf({ time }: Header, who: string): EventTime {
  if (time !== undefined) return time;
  throw undescribed(who, "an event time", "eventTime(column, { outOfOrder })");
}

/** The error of an operator that misses what another should have said before it. */
export function undescribed(who: string, what: string, remedy: string): IpdmError {
  return new IpdmError("WINDOW_UNDESCRIBED", `${who} needs ${what}`, {
    kind: "config",
    hint: `put ${remedy} before ${who} in the pipe`,
  });
}
