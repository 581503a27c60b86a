import type { Observer } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Header } from "../flow.ts";
import { type EventTime, timeOf } from "../operators/event-time.ts";
import { areMarked } from "../operators/marked.ts";
import { JoinCore } from "./join-core.ts";
import { type JoinInput, type JoinKind, joinPlan } from "./join-plan.ts";
import type { JoinRule, SideIndex } from "./join-rule.ts";
import { NEVER_QUIET, type Quiet } from "./merge-sink.ts";
import type { MergeStage, StageSetting } from "./merge-stage.ts";
import type { RowsState } from "./rows-state.ts";

/** Options of every join. */
export interface JoinOptions {
  /** Which rows without a partner come out besides the pairs; default `inner`: none. */
  readonly kind?: JoinKind;
  /** Late rows of both inputs, each with its input's schema. */
  readonly late?: Partial<Observer<Batch>>;
  /** Late rows of the right input, apart; `late` has those of the left then. */
  readonly lateRight?: Partial<Observer<Batch>>;
}

/** Makes the rule of a join, which may ask what was said of the inputs. */
export type MakeRule = (core: JoinCore, headers: readonly [Header, Header]) => JoinRule;

interface JoinSetting extends StageSetting {
  readonly name: string;
  readonly names: readonly string[];
  readonly headers: readonly [Header, Header];
  readonly rule: MakeRule;
}

/** A join between its merged input and what comes out. */
export class JoinStage implements MergeStage {
  readonly header = {};
  isBlocked = false;
  private readonly setting: JoinSetting;
  private readonly kind: JoinKind;
  private readonly late: readonly (Partial<Observer<Batch>> | undefined)[];
  private readonly times: readonly [EventTime, EventTime];
  private readonly outOfOrder: number;
  private open: { readonly core: JoinCore; readonly rule: JoinRule } | undefined;
  /** What marks have moved the newest time to before the first row. */
  private early = Number.NEGATIVE_INFINITY;

  constructor(setting: JoinSetting, { kind = "inner", late, lateRight = late }: JoinOptions) {
    const [left, right] = setting.headers;
    this.setting = setting;
    this.kind = kind;
    this.late = [late, lateRight];
    this.times = [timeOf(left, setting.name), timeOf(right, setting.name)];
    this.outOfOrder = Math.max(this.times[0].outOfOrderUs, this.times[1].outOfOrderUs);
  }

  get quiet(): Quiet {
    return this.open?.rule.quiet ?? NEVER_QUIET;
  }

  quietRows(input: number, batch: Batch, from: number, to: number, times: Float64Array): void {
    if (this.open === undefined) return;
    this.open.core.quietRows(this.open.rule, input === 0 ? 0 : 1, batch, from, to, times);
  }

  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): number {
    if (this.open === undefined && this.waitsForColumns()) {
      this.isBlocked = true;
      return from;
    }
    const here = this.opened();
    if (here === undefined) return to;
    const { core, rule } = here;
    let at = from;
    while (at < to && this.settle()) {
      at = core.rows(rule, input === 0 ? 0 : 1, batch, at, to, times);
      this.tellLate(input, batch, core);
    }
    this.settle();
    return at;
  }

  resume(): void {
    this.isBlocked = !this.setting.isFree();
    this.settle();
  }

  pause(): void {
    if (this.open !== undefined) this.flush(this.open.core);
  }

  watermark(timeUs: number): void {
    if (this.open === undefined) this.early = Math.max(this.early, timeUs + this.outOfOrder);
    else this.advance(timeUs + this.outOfOrder);
  }

  end(): void {
    this.advance(Number.POSITIVE_INFINITY);
    for (const late of new Set(this.late)) late?.complete?.();
  }

  save(): RowsState {
    if (this.open === undefined) return { lists: [], about: Number.isFinite(this.early) ? this.early : null };
    return this.open.core.state(this.open.rule);
  }

  restore(state: RowsState): void {
    if (typeof state.about === "number") this.early = state.about;
    const here = state.lists.length === 0 ? undefined : this.opened();
    here?.core.restore(state, here.rule, (side, batch) => {
      const words = wordsOf(batch.column(this.times[side].column));
      return Float64Array.from({ length: batch.rows }, (_, row) => wordsToNumber(words, row));
    });
  }

  private advance(newest: number): void {
    if (this.open === undefined) return;
    this.open.core.advance(this.open.rule, newest);
    this.settle();
  }

  /** Hands on full batches of pairs, and makes those that had no room, as far as there is room behind; whether that was all. */
  private settle(): boolean {
    if (this.open === undefined) return true;
    const { core, rule } = this.open;
    while (!this.isBlocked && (core.pairs.isFull || core.isBusy(rule))) {
      if (core.pairs.isFull) this.flush(core);
      if (!this.isBlocked) core.proceed(rule);
    }
    return !this.isBlocked;
  }

  private tellLate(input: number, batch: Batch, { late, lateCount }: JoinCore): void {
    if (lateCount === 0) return;
    this.setting.step.counters.late += lateCount;
    this.late[input]?.next?.(gatherRows(batch, late, lateCount));
  }

  /** Whether the columns of an input are not known that may still have rows. */
  private waitsForColumns(): boolean {
    const { schemas, hasEnded } = this.setting;
    return [0, 1].some((input) => schemas(input) === undefined && !hasEnded(input));
  }

  /** The join once the columns of both sides are known; undefined where an inner join has no pairs, since a side has no rows. Throws `JOIN_SCHEMA`. */
  private opened(): { readonly core: JoinCore; readonly rule: JoinRule } | undefined {
    if (this.open !== undefined) return this.open;
    const { schemas, names, headers, rule } = this.setting;
    const [left, right] = [schemas(0), schemas(1)];
    if (left === undefined || right === undefined) {
      if (this.kind === "inner") return undefined;
      throw unknownColumns(names[left === undefined ? 0 : 1] ?? "");
    }
    const inputs = [this.input(0, left), this.input(1, right)] as const;
    const core = new JoinCore(joinPlan(this.kind, ...inputs), inputs, this.outOfOrder);
    core.isMarked = areMarked(this.times, this.setting.name);
    this.open = { core, rule: rule(core, headers) };
    core.advance(this.open.rule, this.early);
    return this.open;
  }

  private input(side: SideIndex, schema: Schema): JoinInput {
    const { names, headers } = this.setting;
    const time = this.times[side].column;
    return { name: names[side] as string, schema, time, keys: headers[side].keys ?? [] };
  }

  private flush(core: JoinCore): void {
    const { out, isFree, step } = this.setting;
    const batch = core.pairs.take();
    if (batch !== undefined) {
      out(batch);
      this.isBlocked = !isFree();
    }
    step.counters.watermarkUs = core.watermark;
    const isOver = core.newest === Number.POSITIVE_INFINITY;
    step.counters.watermarkLagUs = core.isMarked && !isOver ? undefined : isOver ? 0 : core.outOfOrder;
    step.counters.stateBytes = ENTRY_BYTES * (this.open?.rule.living ?? 0);
  }
}

/** What a row kept counts beside its batch; one in several windows takes eight more for each. */
const ENTRY_BYTES = 32;

function unknownColumns(name: string): IpdmError {
  return new IpdmError("JOIN_SCHEMA", `nothing is known of the columns of ${name}, which has no rows`, {
    kind: "config",
    hint: "give its source the columns: source(batches, { schema: columns({ … }) })",
    facts: { input: name },
  });
}
