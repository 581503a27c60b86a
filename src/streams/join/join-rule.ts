import type { Batch } from "../../batch/batch.ts";
import type { KeptRows } from "./kept-rows.ts";
import type { Quiet } from "./merge-sink.ts";

/** The left is 0, the right 1. */
export type SideIndex = 0 | 1;

/** Rows kept of both sides. */
export type Kept = readonly [KeptRows, KeptRows];

/**
 * How a kind of join treats rows, which come in the order of their merge. It puts pairs until they are full: what it could not put then is
 * what {@link work} goes on with, before anything else is asked of it.
 */
export interface JoinRule {
  /** Whether pairs are to be made that had no room. */
  readonly isBusy: boolean;
  /** Rows kept. */
  readonly living: number;
  /** Times of rows whose order among the inputs does not matter, as long as no other comes between: none is late or makes pairs. */
  readonly quiet: Quiet;
  /** Of a rule that keeps rows itself: whether more is held than they are worth. */
  readonly isSparse?: boolean;
  /** A row whose key has the id given; -1 where part of its key is null. False when it is late. */
  row(side: SideIndex, batch: Batch, row: number, time: number, id: number): boolean;
  /** The watermark has moved: what can have no partner any more goes. */
  advance(): void;
  /** Goes on; false when the pairs are full again. */
  work(): boolean;
  /** The rows of both sides that are needed to go on, and no others. */
  collect(): Kept;
  /** The kept rows of the core are these rows, with new numbers and key ids. */
  rebuilt(): void;
}
