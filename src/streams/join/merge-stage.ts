import type { Batch } from "../../batch/batch.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Flow, Header } from "../flow.ts";
import type { Step } from "../step.ts";
import type { Quiet } from "./merge-sink.ts";
import type { RowsState } from "./rows-state.ts";

/** What an operator of several inputs does, once it has their headers. */
export interface MergeStage {
  /** The header of what comes out, without credits and steps. */
  readonly header: Omit<Header, "kind">;
  /** Whether it has more to put out than may come out now: nothing more is handed to it until it was told to {@link resume} and could. */
  readonly isBlocked: boolean;
  /** See `MergeSink`. */
  readonly quiet?: Quiet;
  quietRows?(input: number, batch: Batch, from: number, to: number, times: Float64Array): void;
  /** Takes rows as far as it can; returns the one behind them, before `to` only where it is blocked then. */
  rows(input: number, batch: Batch, from: number, to: number, times: Float64Array): number;
  watermark(timeUs: number): void;
  /** Goes on where it was blocked. */
  resume(): void;
  /** Called when no more rows can come for now, and after the end: what was collected comes out, or it is blocked. */
  pause(): void;
  end(): void;
  /** Its own state, and going on from it. */
  save?(): RowsState;
  restore?(state: RowsState): void;
}

/** What a stage is given. */
export interface StageSetting {
  /** The columns of each input as far as they are known. */
  readonly schemas: (input: number) => Schema | undefined;
  /** Whether nothing more comes of an input than what waits. */
  readonly hasEnded: (input: number) => boolean;
  readonly out: (item: Flow) => void;
  /** Whether another batch may come out. */
  readonly isFree: () => boolean;
  readonly step: Step;
}

/** Makes a stage. */
export type MakeStage = (headers: readonly Header[], setting: StageSetting) => MergeStage;
