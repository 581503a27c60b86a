import type { Batch } from "../../batch/batch.ts";
import type { Hash } from "../../core/ports.ts";
import type { SavedState } from "../../streams/window/state-tree.ts";

/** Batches by output port, in order. */
export type PortBatches = Readonly<Record<string, readonly Batch[]>>;

/** Which input of several the rows are of, by its place; `end`: it has no more. */
export interface InputPart {
  readonly input: number;
  readonly end: boolean;
}

/** What a task does to its input, between two saved states. What it gives depends on the rows alone, never on how they are cut. */
export interface StageOperator {
  /**
   * Takes the next rows of the input. `firstRow` is the number of the first, counted over the whole input; `part` says which input of
   * several it is.
   */
  push(batches: readonly Batch[], firstRow: number, signal: AbortSignal, part?: InputPart): Promise<PortBatches>;
  /**
   * Begins with rows that a later {@link push} of these batches brings, where what becomes of them does not depend on the rows before. Where it
   * does, nothing happens. A failure is that push's.
   */
  prepare?(batches: readonly Batch[], firstRow: number, signal: AbortSignal): void;
  /** The input has ended: the watermark moves to +infinity. */
  end(signal: AbortSignal): Promise<PortBatches>;
  /** Fuel that modules took since the last time this was asked; null where none runs. */
  takeFuel(): number | null;
  /** Blocks to go on from, those of the state saved before left out; null where there is none. */
  save(hash: Hash, signal: AbortSignal): Promise<SavedState | null>;
  /** Lets go of what it holds outside of itself. It is called once, and nothing after it. */
  close(): void;
}
