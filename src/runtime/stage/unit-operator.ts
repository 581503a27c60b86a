import type { Batch } from "../../batch/batch.ts";
import { decodeBatch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import { BatchWriter } from "../../batch/writer.ts";
import type { Ipld } from "../../dag/block.ts";
import type { Call, ModuleHandle } from "../../sandbox/port.ts";
import { MAIN } from "../plan.ts";
import type { PortBatches, StageOperator } from "./operator.ts";

/** What a unit operator works with. */
export interface UnitOperatorParts {
  readonly module: ModuleHandle;
  readonly seed: Uint8Array;
  /** Rows of a unit; the last of an input may have fewer. */
  readonly unit: number;
  readonly input: Schema;
}

/**
 * Runs a `batch` module: on units of a fixed number of rows, counted from the first row of its input, whatever batches they come
 * in. Rows of a unit that is not full yet wait, and are part of the state.
 */
export class UnitOperator implements StageOperator {
  private readonly parts: UnitOperatorParts;
  private readonly waiting: BatchWriter;
  private nextRow: number;
  private fuel = 0;

  constructor(parts: UnitOperatorParts, snapshot: Ipld | null) {
    this.parts = parts;
    this.waiting = new BatchWriter(parts.input);
    const kept = snapshot as { readonly nextRow: number; readonly rows: Uint8Array } | null; // written by `snapshot`
    this.nextRow = kept?.nextRow ?? 0;
    if (kept !== null) this.waiting.append(decodeBatch(kept.rows));
  }

  push(batches: readonly Batch[], _firstRow: number, signal: AbortSignal): Promise<PortBatches> {
    return this.process(this.fullUnits(batches), signal);
  }

  end(signal: AbortSignal): Promise<PortBatches> {
    return this.process(this.waiting.rows > 0 ? [this.take()] : [], signal);
  }

  takeFuel(): number {
    const { fuel } = this;
    this.fuel = 0;
    return fuel;
  }

  snapshot(): Ipld {
    const kept = new BatchWriter(this.parts.input);
    const rows = this.waiting.take();
    kept.append(rows);
    this.waiting.append(rows);
    return { nextRow: this.nextRow, rows: kept.take().bytes };
  }

  private async process(calls: Iterable<Call>, signal: AbortSignal): Promise<PortBatches> {
    const outputs: Batch[] = [];
    for await (const { batch, fuel } of this.parts.module.processAll(calls, { signal })) {
      this.fuel += fuel;
      if (batch.rows > 0) outputs.push(batch);
    }
    return { [MAIN]: outputs };
  }

  private *fullUnits(batches: readonly Batch[]): Generator<Call> {
    for (const batch of batches) {
      for (let from = 0; from < batch.rows; ) {
        const to = Math.min(batch.rows, from + this.parts.unit - this.waiting.rows);
        this.waiting.append(batch, from, to);
        from = to;
        if (this.waiting.rows === this.parts.unit) yield this.take();
      }
    }
  }

  private take(): Call {
    const batch = this.waiting.take();
    const firstRow = this.nextRow;
    this.nextRow += batch.rows;
    return { batch, context: { firstRow, seed: this.parts.seed } };
  }
}
