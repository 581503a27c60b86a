import type { Observable } from "rxjs";
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
import { durationOf, oneOf, onlyKeys } from "./given.ts";
import { markedInputs } from "./marked.ts";

/** Two inputs by name, the left first. */
type Two = Readonly<Record<string, Observable<Flow>>>;
type ColumnsIn<O> = O extends Observable<Flow<infer C>> ? C : never;
type Both<U> = (U extends unknown ? (each: U) => void : never) extends (all: infer I) => void ? I : never;
/**
 * Columns of a join as the compiler knows them: those of both inputs. What it does not know: columns of a side that may miss can be null, of
 * a name that both have the right's is `name_column`, and the right's keys are the left's.
 */
export type Joined<I extends Two> = Both<{ [P in keyof I]: ColumnsIn<I[P]> }[keyof I]>;

/**
 * Pairs rows of a key by their event times: a left row at `l` with right rows at `[l - before, l + after]`. `intervalJoin({ bids, sales }, { after:
 * '10m' })`. Both inputs say event time and key before. Out come pairs as the later row comes; rows without a partner, where `kind`
 * asks for them, once none can come any more. Throws `JOIN_KEYS`, `JOIN_SCHEMA`, `WINDOW_UNDESCRIBED`, `STREAM_STATE_FULL` as the stream's error.
 */
export function intervalJoin<const I extends Two>(
  inputs: I,
  { before = "0s", after = "0s", ...options }: JoinOptions & { readonly before?: string; readonly after?: string } = {},
): Observable<Flow<Joined<I>>> {
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
 * time, and has none that is further away; without one rows wait until the end of input, up to 2^24 of them.
 */
export function join<const I extends Two>(
  inputs: I,
  { ttl, ...options }: JoinOptions & { readonly ttl?: string } = {},
): Observable<Flow<Joined<I>>> {
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
export function temporalJoin<const I extends Two>(
  inputs: I,
  options: Omit<JoinOptions, "kind"> & { readonly kind?: "inner" | "left" } = {},
): Observable<Flow<Joined<I>>> {
  return joining("temporalJoin", "", inputs, options, (core) => new TemporalRule(core));
}

/**
 * Pairs the rows of a key in the same window, when it closes. The windows are those that `tumble` or `hop` said of the left input
 * before. Pairs come by the window's end, key, left row, right row.
 */
export function windowJoin<const I extends Two>(inputs: I, options: JoinOptions = {}): Observable<Flow<Joined<I>>> {
  return joining("windowJoin", "", inputs, options, (core, [left]) => {
    const { window } = left;
    if (window?.shape !== "tumble" && window?.shape !== "hop")
      throw undescribed("windowJoin", "windows of fixed size on its left", "tumble(size) or hop(size, every)");
    const { late: _late, ...shape } = window;
    return new WindowRule(
      core,
      windowTimes({ ...shape, time: "", outOfOrderUs: core.outOfOrder, keys: [], aggregates: [] }),
    );
  });
}

const JOIN_KINDS: readonly JoinKind[] = ["inner", "left", "right", "full"];

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
      hint: "name them, the left first: { bids, auctions }",
    });
  }
  const text = [options.kind ?? "inner", detail].filter((part) => part !== "").join(", ");
  const make: MakeStage = (headers, given) =>
    new JoinStage({ ...given, name, names, headers: headers as readonly [Header, Header], rule }, options);
  return merging(markedInputs(inputs), { name, detail: text }, make);
}
