import type { Batch } from "../../batch/batch.ts";
import type { Barrier } from "../barrier.ts";
import type { Header } from "../flow.ts";

/** Times from one to before another. */
export interface Quiet {
  readonly from: number;
  readonly until: number;
}

/** No times at all. */
export const NEVER_QUIET: Quiet = { from: Number.POSITIVE_INFINITY, until: Number.NEGATIVE_INFINITY };

/** What a merge hands on, in one order that the inputs' rows alone decide. */
export interface MergeSink {
  /** It can take nothing for now: nothing is handed on until {@link InputMerge.resume}. */
  readonly isBlocked: boolean;
  /** Rows of these times may be handed on by {@link quietRows}, out of their order among the inputs: it does not matter for them. */
  readonly quiet: Quiet;
  /** Goes on where it was blocked, as far as it can. */
  resume(): void;
  /** Called once, when every input has said what it is. */
  begin(headers: readonly Header[]): void;
  /**
   * Rows `from` to `to` of a batch of that input, with the event times of the whole batch. Returns the row behind those that it took; less
   * than `to` where it is blocked now.
   */
  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): number;
  quietRows(input: number, batch: Batch, from: number, to: number, times: Float64Array): void;
  /** No input has anything before this time any more. */
  watermark(timeUs: number): void;
  barrier(barrier: Barrier): void;
  /** Nothing more can be handed on for now: what was collected is to come out. */
  pause(): void;
  /** All inputs have ended. */
  end(): void;
  /** It has ended, and is not blocked. */
  finished(): void;
}
