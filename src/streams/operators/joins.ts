import type { Observable, Observer } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import type { Schema } from "../../batch/schema.ts";
import { parseDuration } from "../../core/duration.ts";
import { IpdmError } from "../../core/errors.ts";
import type { ColumnSpec, Columns, Untyped } from "../columns.ts";
import type { Flow, Header } from "../flow.ts";
import { IntervalRule } from "../join/interval-rule.ts";
import { JoinCore, type JoinRule, type SideIndex } from "../join/join-core.ts";
import { type JoinInput, type JoinKind, joinPlan } from "../join/join-plan.ts";
import { type MakeStage, merging } from "../join/merging.ts";
import { TemporalRule } from "../join/temporal-rule.ts";
import { WindowRule } from "../join/window-rule.ts";
import type { Step } from "../step.ts";
import { windowTimes } from "../window/plan.ts";
import { timeOf, undescribed } from "./event-time.ts";

/** Options of every join. */
export interface JoinOptions {
  /** Which rows without a partner come out besides the pairs; default `inner`: none. */
  readonly kind?: JoinKind;
  /** Late rows of both inputs, each with its input's schema. */
  readonly late?: Partial<Observer<Batch>>;
}

/** Two inputs by name, the left first. */
type Two<L, R, K extends string, M extends string> = Readonly<
  Record<string, Observable<Flow<L, K>> | Observable<Flow<R, M>>>
>;
type MayMiss<S> = S extends `${string}?` ? S : S extends ColumnSpec ? `${S}?` & ColumnSpec : S;
/** Columns of a join: keys and columns of the left, other columns of the right; those of the right may miss, and clash as `name_column`. */
export type Joined<L, R> = unknown extends L
  ? Untyped
  : L & { readonly [P in Exclude<keyof R, keyof L>]: MayMiss<R[P]> } & Columns;

/**
 * Pairs rows of a key by their event times: a left row at `l` with right rows at `[l - before, l + after]`. `intervalJoin({ bids, sales }, { after:
 * '10m' })`. Both inputs say event time and key before. Out come pairs as the later row comes; rows without a partner, where `kind`
 * asks for them, once none can come any more. Throws `JOIN_KEYS`, `JOIN_SCHEMA`, `WINDOW_UNDESCRIBED`, `STREAM_STATE_FULL` as the stream's error.
 */
export function intervalJoin<L, R, K extends string, M extends string>(
  inputs: Two<L, R, K, M>,
  { before = "0s", after = "0s", ...options }: JoinOptions & { readonly before?: string; readonly after?: string },
): Observable<Flow<Joined<L, R>>> {
  const [lower, upper] = [-parseDuration(before), parseDuration(after)];
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
export function join<L, R, K extends string, M extends string>(
  inputs: Two<L, R, K, M>,
  { ttl, ...options }: JoinOptions & { readonly ttl?: string } = {},
): Observable<Flow<Joined<L, R>>> {
  const span = ttl === undefined ? Number.POSITIVE_INFINITY : parseDuration(ttl);
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
export function temporalJoin<L, R, K extends string, M extends string>(
  inputs: Two<L, R, K, M>,
  options: Omit<JoinOptions, "kind"> & { readonly kind?: "inner" | "left" } = {},
): Observable<Flow<Joined<L, R>>> {
  return joining("temporalJoin", "", inputs, options, (core) => new TemporalRule(core));
}

/**
 * Pairs the rows of a key in the same window, when it closes. The windows are those that `tumble` or `hop` said of the left input
 * before. Pairs come by the window's end, key, left row, right row.
 */
export function windowJoin<L, R, K extends string, M extends string>(
  inputs: Two<L, R, K, M>,
  options: JoinOptions = {},
): Observable<Flow<Joined<L, R>>> {
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

type MakeRule = (core: JoinCore, headers: readonly [Header, Header]) => JoinRule;

function joining(
  name: string,
  detail: string,
  inputs: Readonly<Record<string, Observable<Flow>>>,
  { kind = "inner", late }: JoinOptions,
  rule: MakeRule,
): Observable<Flow> {
  const names = Object.keys(inputs);
  if (names.length !== 2) {
    throw new IpdmError("JOIN_KEYS", `a join has two inputs, not ${names.length}`, {
      kind: "config",
      hint: "name them, the left first: { bids, auctions }",
    });
  }
  const make: MakeStage = (headers, schemas, out, step) => {
    const [left, right] = headers as readonly [Header, Header];
    const times = [timeOf(left, name), timeOf(right, name)] as const;
    const outOfOrder = Math.max(times[0].outOfOrderUs, times[1].outOfOrderUs);
    let open: { readonly core: JoinCore; readonly rule: JoinRule } | undefined;
    const opened = (): typeof open => {
      if (open !== undefined) return open;
      const [a, b] = [schemas(0), schemas(1)];
      if (a === undefined || b === undefined) {
        if (kind === "inner") return undefined;
        throw unknownColumns(names[a === undefined ? 0 : 1] ?? "");
      }
      const input = (side: SideIndex, schema: Schema): JoinInput => ({
        name: names[side] as string,
        schema,
        time: times[side].column,
        keys: headers[side]?.keys ?? [],
      });
      const two = [input(0, a), input(1, b)] as const;
      const core = new JoinCore(joinPlan(kind, ...two), two, outOfOrder);
      open = { core, rule: rule(core, [left, right]) };
      return open;
    };
    const flush = (core: JoinCore): void => {
      for (const batch of core.pairs.take()) out(batch);
      tell(step, core);
    };
    return {
      header: {},
      rows(index, batch, from, to, rowTimes) {
        const here = opened();
        if (here === undefined) return;
        const tooLate: number[] = [];
        here.core.rows(here.rule, index === 0 ? 0 : 1, batch, { from, to, times: rowTimes }, (row) =>
          tooLate.push(row),
        );
        if (tooLate.length > 0) {
          step.counters.late += tooLate.length;
          late?.next?.(gatherRows(batch, Int32Array.from(tooLate), tooLate.length));
        }
        flush(here.core);
      },
      watermark(timeUs) {
        const here = opened();
        if (here === undefined || timeUs + outOfOrder <= here.core.newest) return;
        here.core.newest = timeUs + outOfOrder;
        here.rule.advance();
        flush(here.core);
      },
      end() {
        const here = schemas(0) === undefined && schemas(1) === undefined ? undefined : opened();
        if (here !== undefined) {
          here.core.newest = Number.POSITIVE_INFINITY;
          here.rule.advance();
          flush(here.core);
        }
        late?.complete?.();
      },
      save() {
        open?.rule.sweep();
        return open?.core.state({}) ?? { lists: [], about: null };
      },
      restore(state) {
        const here = state.lists.length === 0 ? undefined : opened();
        here?.core.restore(state, here.rule, (side, batch) => {
          const words = wordsOf(batch.column(times[side].column));
          return Float64Array.from({ length: batch.rows }, (_, row) => wordsToNumber(words, row));
        });
      },
    };
  };
  return merging(inputs, { name, detail: [kind, detail].filter((part) => part !== "").join(", ") }, make);
}

function tell({ counters }: Step, core: JoinCore): void {
  counters.watermarkUs = core.watermark;
  counters.watermarkLagUs = core.outOfOrder;
  counters.stateBytes = 32 * core.living;
}

function unknownColumns(name: string): IpdmError {
  return new IpdmError("JOIN_SCHEMA", `nothing is known of the columns of ${name}, which has no rows`, {
    kind: "config",
    hint: "give its source the columns: source(batches, { schema: columns({ … }) })",
    facts: { input: name },
  });
}
