import type { CID } from "multiformats/cid";

/** What a lake actor is created with. */
export interface LakeInput {
  readonly lake: string;
  /** Names of the outputs to write when the run is sealed; none on nodes that only vote. */
  readonly outputs: readonly string[];
}

/** A statement was certified; its output batches are to be kept. */
export interface CommittedEvent {
  readonly type: "committed";
  readonly task: string;
  readonly seq: number;
  readonly statement: CID;
}

/** The batches of a statement are stored and served. */
export interface KeptEvent {
  readonly type: "kept";
  readonly request: string;
  readonly batches: number;
  readonly rows: number;
}

/** The run is sealed; its outputs may leave. */
export interface SealedEvent {
  readonly type: "sealed";
  readonly statement: CID;
}

/** An output was written where the user wants it. */
export interface WrittenEvent {
  readonly type: "written";
  readonly request: string;
  readonly output: string;
  readonly rows: number;
}

/** Asks for an output once more: its file is gone, or wanted elsewhere. */
export interface WantedEvent {
  readonly type: "wanted";
  readonly output: string;
}

/** Everything that can happen to a lake. */
export type LakeEvent = CommittedEvent | KeptEvent | SealedEvent | WrittenEvent | WantedEvent;
