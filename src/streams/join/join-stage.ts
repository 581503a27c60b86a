import type { Observer } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import { wordsOf, wordsToNumber } from "../../batch/column.ts";
import { gatherRows } from "../../batch/gather.ts";
import type { Schema } from "../../batch/schema.ts";
import { IpdmError } from "../../core/errors.ts";
import type { Flow, Header } from "../flow.ts";
import { type EventTime, timeOf } from "../operators/event-time.ts";
import { areMarked } from "../operators/marked.ts";
import type { Step } from "../step.ts";
import { JoinCore, type JoinRule, type SideIndex } from "./join-core.ts";
import { type JoinInput, type JoinKind, joinPlan } from "./join-plan.ts";
import type { MergeStage } from "./merging.ts";
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

interface JoinSetting {
  readonly name: string;
  readonly names: readonly string[];
  readonly headers: readonly [Header, Header];
  readonly schemas: (input: number) => Schema | undefined;
  readonly out: (item: Flow) => void;
  readonly step: Step;
  readonly rule: MakeRule;
}

/** A join between its merged input and what comes out. */
export class JoinStage implements MergeStage {
  readonly header = {};
  private readonly setting: JoinSetting;
  private readonly kind: JoinKind;
  private readonly late: readonly (Partial<Observer<Batch>> | undefined)[];
  private readonly times: readonly [EventTime, EventTime];
  private readonly outOfOrder: number;
  private open: { readonly core: JoinCore; readonly rule: JoinRule } | undefined;

  constructor(setting: JoinSetting, { kind = "inner", late, lateRight = late }: JoinOptions) {
    const [left, right] = setting.headers;
    this.setting = setting;
    this.kind = kind;
    this.late = [late, lateRight];
    this.times = [timeOf(left, setting.name), timeOf(right, setting.name)];
    this.outOfOrder = Math.max(this.times[0].outOfOrderUs, this.times[1].outOfOrderUs);
  }

  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): void {
    const here = this.opened();
    if (here === undefined) return;
    const { core, rule } = here;
    const late = core.rows(rule, input === 0 ? 0 : 1, batch, from, to, times);
    if (late > 0) {
      this.setting.step.counters.late += late;
      this.late[input]?.next?.(gatherRows(batch, core.late, late));
    }
    // Runs of rows are short where inputs take turns: pairs are gathered over many of them.
    if (core.pairs.isFull) this.flush(core);
  }

  pause(): void {
    if (this.open !== undefined) this.flush(this.open.core);
  }

  watermark(timeUs: number): void {
    const here = this.opened();
    if (here === undefined || timeUs + this.outOfOrder <= here.core.newest) return;
    this.advance(here, timeUs + this.outOfOrder);
  }

  end(): void {
    const { schemas } = this.setting;
    const here = schemas(0) === undefined && schemas(1) === undefined ? undefined : this.opened();
    if (here !== undefined) this.advance(here, Number.POSITIVE_INFINITY);
    for (const late of new Set(this.late)) late?.complete?.();
  }

  save(): RowsState {
    this.open?.rule.sweep();
    return this.open?.core.state({}) ?? { lists: [], about: null };
  }

  restore(state: RowsState): void {
    const here = state.lists.length === 0 ? undefined : this.opened();
    here?.core.restore(state, here.rule, (side, batch) => {
      const words = wordsOf(batch.column(this.times[side].column));
      return Float64Array.from({ length: batch.rows }, (_, row) => wordsToNumber(words, row));
    });
  }

  private advance({ core, rule }: { readonly core: JoinCore; readonly rule: JoinRule }, newest: number): void {
    core.newest = newest;
    rule.advance();
    this.flush(core);
  }

  /** The join once the columns of both sides are known; undefined where an inner join can have no pairs. Throws `JOIN_SCHEMA`. */
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
    return this.open;
  }

  private input(side: SideIndex, schema: Schema): JoinInput {
    const { names, headers } = this.setting;
    const time = this.times[side].column;
    return { name: names[side] as string, schema, time, keys: headers[side].keys ?? [] };
  }

  private flush(core: JoinCore): void {
    const { out, step } = this.setting;
    for (const batch of core.pairs.take()) out(batch);
    step.counters.watermarkUs = core.watermark;
    step.counters.watermarkLagUs = core.outOfOrder;
    step.counters.stateBytes = ENTRY_BYTES * core.living;
  }
}

/** What an entry takes beside the batches that it points into. */
const ENTRY_BYTES = 32;

function unknownColumns(name: string): IpdmError {
  return new IpdmError("JOIN_SCHEMA", `nothing is known of the columns of ${name}, which has no rows`, {
    kind: "config",
    hint: "give its source the columns: source(batches, { schema: columns({ … }) })",
    facts: { input: name },
  });
}
