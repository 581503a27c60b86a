import { Subject } from "rxjs";
import type { Batch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Operator } from "../../consensus/result.ts";
import type { Hash } from "../../core/ports.ts";
import { type Flow, isBatch } from "../../streams/flow.ts";
import { windowed } from "../../streams/operators/aggregate.ts";
import type { WindowPlan } from "../../streams/window/plan.ts";
import type { SavedState, StateSource } from "../../streams/window/state-tree.ts";
import { WindowAggregate } from "../../streams/window/window-aggregate.ts";
import { LATE, MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

type WindowForm = Extract<Operator, { kind: "window" }>;

/** Batches between two returns to the event loop: windows are computed on the thread that also serves the network. */
const BATCHES_A_TURN = 32;

/** Runs a keyed tumbling window as an RxJS stream that lasts from the task's first slot to its last. */
export class WindowOperator implements StageOperator {
  private readonly state: WindowAggregate;
  private readonly input = new Subject<Flow>();
  private rows: Batch[] = [];
  private late: Batch[] = [];
  private failure: { readonly error: unknown } | undefined;

  private constructor(state: WindowAggregate) {
    this.state = state;
    this.input.pipe(windowed(this.state, { next: (batch) => this.late.push(batch) })).subscribe({
      next: (item) => {
        if (isBatch(item)) this.rows.push(item);
      },
      error: (error: unknown) => {
        this.failure = { error };
      },
    });
  }

  /** An operator at the beginning of its input, or where a saved state was. Throws what restoring throws. */
  static async open(form: WindowForm, schema: Schema, saved: StateSource | null): Promise<WindowOperator> {
    const plan = windowPlan(form);
    return new WindowOperator(
      saved === null ? new WindowAggregate(plan, schema) : await WindowAggregate.restore(plan, schema, saved),
    );
  }

  async push(batches: readonly Batch[], _firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    for (const [i, batch] of batches.entries()) {
      this.next(batch);
      if (i % BATCHES_A_TURN === BATCHES_A_TURN - 1) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    }
    return this.take();
  }

  async end(): Promise<PortBatches> {
    this.next({ kind: "end" });
    return this.take();
  }

  takeFuel(): null {
    return null;
  }

  close(): void {}

  async save(hash: Hash): Promise<SavedState> {
    return this.state.save(hash);
  }

  // RxJS hands an operator's error to the subscriber; the slot that caused it must fail with it.
  private next(item: Flow): void {
    this.input.next(item);
    if (this.failure !== undefined) throw this.failure.error;
  }

  private take(): PortBatches {
    const taken = { [MAIN]: this.rows, [LATE]: this.late };
    this.rows = [];
    this.late = [];
    return taken;
  }
}

/** A window in normal form as the stream operators take it. */
export function windowPlan(form: WindowForm): WindowPlan {
  const { time, outOfOrderUs, punctuated, sizeUs, offsetUs, latenessUs, keys } = form;
  const aggregates = form.aggregates.map(({ name, kind, column }) =>
    column === null ? { name, kind } : { name, kind, column },
  );
  const marks = punctuated === undefined ? {} : { punctuated };
  return { time, outOfOrderUs, ...marks, sizeUs, offsetUs, latenessUs, keys, aggregates };
}
