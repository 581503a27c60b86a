import type { CID } from "multiformats/cid";

/** What a domain actor is created with. */
export interface DomainInput {
  readonly domain: string;
  readonly epoch: number;
  readonly membership: CID;
  /** Names of the tasks that have to complete before the run is sealed. */
  readonly tasks: readonly string[];
}

/** A statement claimed for a slot, and this node's vote on it once it has one. */
export interface Ballot {
  readonly task: string;
  readonly seq: number;
  readonly slot: CID;
  readonly statement: CID;
  /** False where the node took the statement over without executing the slot (policy `sample`). */
  readonly executed: boolean;
  /** The slot is the last of its task: its statement closes tables, and windows are drawn for it. */
  readonly end: boolean;
  readonly vote: CID | null;
}

/** A task, or the sealing of the run, came to a statement. */
export interface ClaimedEvent extends Omit<Ballot, "vote"> {
  readonly type: "claimed";
  readonly request?: string;
}

/** The node's vote is fixed: journalled before anyone hears of it. */
export interface BallotedEvent {
  readonly type: "balloted";
  readonly request: string;
  readonly task: string;
  readonly seq: number;
  readonly vote: CID;
}

/** A quorum of matching votes was collected. */
export interface CertifiedEvent {
  readonly type: "certified";
  readonly request: string;
  readonly task: string;
  readonly seq: number;
  readonly certificate: CID;
}

/** All slots of a task are certified and recorded. */
export interface CompletedEvent {
  readonly type: "completed";
  readonly task: string;
  readonly head: CID;
  readonly count: number;
}

/** Evidence against a member: another statement than the certified one, two votes for one slot, or two slots for one place. */
export interface ObservedEvent {
  readonly type: "observed";
  readonly kind: "divergent" | "equivocation" | "forked";
  readonly voter: Uint8Array;
  readonly task: string;
  readonly seq: number;
  /** The statement voted for; for `forked`, the second slot. The CID as text, no link: whoever claimed it may have made it up. */
  readonly statement: string;
}

/** Everything that can happen to a domain. */
export type DomainEvent = ClaimedEvent | BallotedEvent | CertifiedEvent | CompletedEvent | ObservedEvent;
