import { isObservable, type Observable } from "rxjs";
import { IpdmError } from "../../core/errors.ts";
import type { Flow, Header } from "../flow.ts";
import { IntervalRule } from "../join/interval-rule.ts";
import type { JoinKind } from "../join/join-plan.ts";
import { type JoinOptions, JoinStage, type MakeRule } from "../join/join-stage.ts";
import type { MakeStage } from "../join/merge-stage.ts";
import { merging } from "../join/merging.ts";
import { TemporalRule } from "../join/temporal-rule.ts";
import { WindowRule } from "../join/window-rule.ts";
import { windowTimes } from "../window/plan.ts";
import { undescribed } from "./event-time.ts";
import { durationOf, invalid, oneOf, onlyKeys } from "./given.ts";
import type { Fit, One, Pair, Pairs } from "./join-types.ts";
import { markedInputs } from "./marked.ts";

/** Two inputs by name, the left first. */
type Two = Readonly<Record<string, Observable<Flow>>>;
type ColumnsIn<O> = O extends Observable<Flow<infer C>> ? C : never;
type Both<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
/** Options of `intervalJoin`: how much earlier and later than the left row the right one may be; default `'0s'`. */
export type IntervalOptions = JoinOptions & { readonly before?: string; readonly after?: string };
/** Options of `join`: how far apart in event time rows of a key may be; without it as far as they are. */
export type RegularOptions = JoinOptions & { readonly ttl?: string };
/** Options of `temporalJoin`. */
export type TemporalOptions = Omit<JoinOptions, "kind"> & { readonly kind?: "inner" | "left" };
/**
 * Columns of a join of `{ left, right }` as the compiler knows them, which cannot tell which is the left: those of both inputs. What it does
 * not know: columns of a side that may miss can be null, of a name that both have the right's is `name_column`, and the right's keys are
 * the left's. It knows all of it of `({ left }, { right })`.
 */
export type Joined<I extends Two> = Both<{ [P in keyof I]: ColumnsIn<I[P]> }[keyof I]>;

/**
 * Pairs rows of a key by their event times: a left row at `l` with right rows at `[l - before, l + after]`. `intervalJoin({ bids }, { sales }, { after:
 * '10m' })`. Both inputs say event time and key before. Out come pairs as the later row comes; rows without a partner, where `kind`
 * asks for them, once none can come any more. Throws `JOIN_KEYS`, `JOIN_SCHEMA`, `WINDOW_UNDESCRIBED`, `STREAM_STATE_FULL` as the stream's error.
 */
export function intervalJoin<const L extends One, const R extends One, const J extends JoinKind = "inner">(
  left: L,
  right: R & Fit<L, R>,
  options?: IntervalOptions & { readonly kind?: J },
): Observable<Flow<Pairs<L, R, J>, never>>;
export function intervalJoin<const I extends Two>(
  inputs: I & Pair<I>,
  options?: IntervalOptions,
): Observable<Flow<Joined<I>, never>>;
export function intervalJoin(
  first: Two,
  second: One | IntervalOptions = {},
  third: IntervalOptions = {},
): Observable<Flow> {
  const [inputs, { before = "0s", after = "0s", ...options }] = givenTo("intervalJoin", first, second, third);
  const [lower, upper] = [-durationOf("intervalJoin", "before", before), durationOf("intervalJoin", "after", after)];
  return joining(
    "intervalJoin",
    `${before} before to ${after} after`,
    inputs,
    options,
    (core) => new IntervalRule(core, lower, upper),
  );
}

/**
 * Pairs rows of equal keys. A row waits for partners as long as the watermark is not further ahead of it than `ttl`, its time-to-live in event
 * time, and has none that is further away; without one rows wait until the end of input, up to 2^24 of them, and none is late.
 */
export function join<const L extends One, const R extends One, const J extends JoinKind = "inner">(
  left: L,
  right: R & Fit<L, R>,
  options?: RegularOptions & { readonly kind?: J },
): Observable<Flow<Pairs<L, R, J>, never>>;
export function join<const I extends Two>(
  inputs: I & Pair<I>,
  options?: RegularOptions,
): Observable<Flow<Joined<I>, never>>;
export function join(first: Two, second: One | RegularOptions = {}, third: RegularOptions = {}): Observable<Flow> {
  const [inputs, { ttl, ...options }] = givenTo("join", first, second, third);
  const span = ttl === undefined ? Number.POSITIVE_INFINITY : durationOf("join", "ttl", ttl);
  return joining(
    "join",
    ttl === undefined ? "" : `ttl ${ttl}`,
    inputs,
    options,
    (core) => new IntervalRule(core, -span, span),
  );
}

/**
 * Pairs each left row with what the right said of its key at that time: the newest right row that is not later. `kind` is `inner` or
 * `left`. Left rows come out by event time, once the watermark has passed them.
 */
export function temporalJoin<const L extends One, const R extends One, const J extends "inner" | "left" = "inner">(
  left: L,
  right: R & Fit<L, R>,
  options?: TemporalOptions & { readonly kind?: J },
): Observable<Flow<Pairs<L, R, J>, never>>;
export function temporalJoin<const I extends Two>(
  inputs: I & Pair<I>,
  options?: TemporalOptions,
): Observable<Flow<Joined<I>, never>>;
export function temporalJoin(
  first: Two,
  second: One | TemporalOptions = {},
  third: TemporalOptions = {},
): Observable<Flow> {
  const [inputs, options] = givenTo("temporalJoin", first, second, third);
  return joining("temporalJoin", "", inputs, options, (core) => new TemporalRule(core));
}

/**
 * Pairs the rows of a key in the same window, when it closes. The windows are those that `tumble` or `hop` said of the left input
 * before, with their offset and lateness. Pairs come by the window's end, key, left row, right row. Throws as `intervalJoin`, and
 * `OPTION_INVALID` of windows that emit more than once.
 */
export function windowJoin<const L extends One, const R extends One, const J extends JoinKind = "inner">(
  left: L,
  right: R & Fit<L, R>,
  options?: JoinOptions & { readonly kind?: J },
): Observable<Flow<Pairs<L, R, J>, never>>;
export function windowJoin<const I extends Two>(
  inputs: I & Pair<I>,
  options?: JoinOptions,
): Observable<Flow<Joined<I>, never>>;
export function windowJoin(first: Two, second: One | JoinOptions = {}, third: JoinOptions = {}): Observable<Flow> {
  const [inputs, options] = givenTo("windowJoin", first, second, third);
  return joining("windowJoin", "", inputs, options, (core, [left]) => {
    const { window } = left;
    if (window?.shape !== "tumble" && window?.shape !== "hop")
      throw undescribed("windowJoin", "windows of fixed size on its left", "tumble(size) or hop(size, every)");
    const { late, ...shape } = window;
    const { emit = "final", trigger } = shape;
    if (late !== undefined || trigger !== undefined || emit !== "final")
      throw invalid("windowJoin", "its windows come out once", "remove emit and triggers; give late to windowJoin");
    return new WindowRule(
      core,
      windowTimes({ ...shape, time: "", outOfOrderUs: core.outOfOrder, keys: [], aggregates: [] }),
    );
  });
}

const JOIN_KINDS: readonly JoinKind[] = ["inner", "left", "right", "full"];

/** The inputs, the left first, and the options. Throws `JOIN_KEYS`. */
function givenTo<O extends object>(name: string, first: Two, second: One | O, third: O): readonly [Two, O] {
  const [stream] = Object.values(second) as unknown[];
  if (!isObservable(stream)) return [first, second as O];
  const names = [...Object.keys(first), ...Object.keys(second)];
  const inputs = { ...first, ...(second as One) };
  // Names that are whole numbers come first in any object.
  if (names.length === 2 && Object.keys(inputs).join() === names.join()) return [inputs, third];
  throw new IpdmError("JOIN_KEYS", `${name} of ${names.join(", ")}: two inputs of different names are needed`, {
    kind: "config",
    hint: "name one input each, and not by a number: ({ bids }, { auctions })",
  });
}

function joining(
  name: string,
  detail: string,
  inputs: Readonly<Record<string, Observable<Flow>>>,
  options: JoinOptions,
  rule: MakeRule,
): Observable<Flow> {
  onlyKeys(name, options, ["kind", "late", "lateRight"]);
  oneOf(name, "kind", options.kind ?? "inner", name === "temporalJoin" ? ["inner", "left"] : JOIN_KINDS);
  const names = Object.keys(inputs);
  if (names.length !== 2) {
    throw new IpdmError("JOIN_KEYS", `a join has two inputs, not ${names.length}`, {
      kind: "config",
      hint: "name them, the left first: ({ bids }, { auctions })",
    });
  }
  const text = [options.kind ?? "inner", detail].filter((part) => part !== "").join(", ");
  const make: MakeStage = (headers, given) =>
    new JoinStage({ ...given, name, names, headers: headers as readonly [Header, Header], rule }, options);
  return merging(markedInputs(inputs), { name, detail: text }, make);
}
