import type { Batch } from "../../batch/batch.ts";
import type { Ipld } from "../../dag/block.ts";

/** Batches by output port, in order. */
export type PortBatches = Readonly<Record<string, readonly Batch[]>>;

/** What a task does to its input, between two snapshots. What it gives depends on the rows alone, never on how they are cut. */
export interface StageOperator {
  /** Takes the next rows of the input. `firstRow` is the number of the first, counted over the whole input. */
  push(batches: readonly Batch[], firstRow: number, signal: AbortSignal): Promise<PortBatches>;
  /** The input has ended: the watermark moves to +infinity. */
  end(signal: AbortSignal): Promise<PortBatches>;
  /** Fuel that modules took since the last time this was asked; null where none runs. */
  takeFuel(): number | null;
  /** Plain data to go on from, or null where there is none. */
  snapshot(): Ipld | null;
}
