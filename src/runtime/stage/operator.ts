import type { Batch } from "../../batch/batch.ts";
import type { Hash } from "../../core/ports.ts";
import type { SavedState } from "../../streams/window/state-tree.ts";

/** Batches by output port, in order. */
export type PortBatches = Readonly<Record<string, readonly Batch[]>>;

/** What a task does to its input, between two saved states. What it gives depends on the rows alone, never on how they are cut. */
export interface StageOperator {
  /** Takes the next rows of the input. `firstRow` is the number of the first, counted over the whole input. */
  push(batches: readonly Batch[], firstRow: number, signal: AbortSignal): Promise<PortBatches>;
  /** The input has ended: the watermark moves to +infinity. */
  end(): PortBatches;
  /** Blocks to go on from, those of the state saved before left out; null where there is none. */
  save(hash: Hash): SavedState | null;
}
