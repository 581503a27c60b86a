import type { CID } from "multiformats/cid";

/** What a task actor is created with. */
export interface TaskInput {
  readonly task: string;
  /** The submitter cuts its input into slots; a voter is offered them. */
  readonly role: "submitter" | "voter";
  /** Slots that may be open (not yet recorded) at once. */
  readonly openMax: number;
}

/** A slot as the task keeps it until its certificate is recorded. */
export interface OpenSlot {
  readonly seq: number;
  readonly slot: CID;
  readonly rows: number;
  readonly end: boolean;
  readonly statement: CID | null;
  readonly executed: boolean;
  readonly certificate: CID | null;
}

/** The submitter's input was cut into its next slot, and the slot's batches are stored: "received". */
export interface PulledEvent {
  readonly type: "pulled";
  readonly request: string;
  readonly seq: number;
  readonly slot: CID;
  readonly rows: number;
  readonly end: boolean;
}

/** A voter was offered a signed slot. */
export interface OfferedEvent {
  readonly type: "offered";
  readonly seq: number;
  readonly slot: CID;
  readonly rows: number;
  readonly end: boolean;
}

/** A slot was executed (or, under `sample`, adopted unexecuted): its statement and the state after it. */
export interface ExecutedEvent {
  readonly type: "executed";
  readonly request: string;
  readonly seq: number;
  readonly statement: CID;
  readonly state: CID;
  readonly executed: boolean;
}

/** A quorum certified the statement of a slot. */
export interface CertifiedEvent {
  readonly type: "certified";
  readonly seq: number;
  readonly certificate: CID;
}

/** A certified slot was added to the task's chain of records. */
export interface RecordedEvent {
  readonly type: "recorded";
  readonly request: string;
  readonly seq: number;
  readonly record: CID;
}

/** Everything that can happen to a task. */
export type TaskEvent =
  | { readonly type: "start" }
  | PulledEvent
  | OfferedEvent
  | ExecutedEvent
  | CertifiedEvent
  | RecordedEvent;
