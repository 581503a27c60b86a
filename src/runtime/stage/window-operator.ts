import type { Batch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Operator } from "../../consensus/result.ts";
import type { Ipld } from "../../dag/block.ts";
import type { WindowPlan } from "../../streams/window/plan.ts";
import { TumblingAggregate } from "../../streams/window/tumbling.ts";
import { LATE, MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

type WindowForm = Extract<Operator, { kind: "window" }>;

/** Batches between two returns to the event loop: windows are computed on the thread that also serves the network. */
const BATCHES_A_TURN = 32;

/** Runs a keyed tumbling window. */
export class WindowOperator implements StageOperator {
  private readonly aggregate: TumblingAggregate;

  constructor(form: WindowForm, schema: Schema, snapshot: Ipld | null) {
    const plan = windowPlan(form);
    this.aggregate = snapshot === null ? new TumblingAggregate(plan, schema) : TumblingAggregate.restore(plan, schema, snapshot);
  }

  async push(batches: readonly Batch[], _firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    const rows: Batch[] = [];
    const late: Batch[] = [];
    for (const [i, batch] of batches.entries()) {
      const fired = this.aggregate.push(batch);
      rows.push(...fired.rows);
      late.push(...fired.late);
      if (i % BATCHES_A_TURN === BATCHES_A_TURN - 1) {
        await new Promise<void>((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
      }
    }
    return { [MAIN]: rows, [LATE]: late };
  }

  end(): PortBatches {
    const fired = this.aggregate.end();
    return { [MAIN]: fired.rows, [LATE]: fired.late };
  }

  snapshot(): Ipld {
    return this.aggregate.snapshot();
  }
}

/** A window in normal form as the stream operators take it. */
export function windowPlan(form: WindowForm): WindowPlan {
  const { time, outOfOrderUs, sizeUs, offsetUs, latenessUs, keys } = form;
  const aggregates = form.aggregates.map(({ name, kind, column }) => (column === null ? { name, kind } : { name, kind, column }));
  return { time, outOfOrderUs, sizeUs, offsetUs, latenessUs, keys, aggregates };
}
