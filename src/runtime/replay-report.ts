import type { CID } from "multiformats/cid";
import type { Hash } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { ActorState, MachineIdentity } from "../journal/checkpoint.ts";
import type { MachineSpec } from "./machine.ts";

/** A journal to replay, from blocks that anyone may have given: everything is checked. */
export interface JournalReplay {
  /** Newest entry of the journal. */
  readonly head: CID;
  /** Bytes of a block; `undefined` where it is not there. A `Map` from CID text: `(cid) => map.get(cid.toString())`. */
  readonly block: (cid: CID) => Uint8Array | undefined;
  readonly hash: Hash;
  /** The machines that may have written it; the journal names which one did. */
  readonly machines: readonly MachineSpec[];
  /** When given, the actor and the input that the journal must have. */
  readonly actor?: string;
  readonly input?: Ipld;
  /** The number of the event to stop after; the report then holds the state at that event. */
  readonly at?: number;
  /** The checkpoint to begin at instead of event 1: it is believed, what comes after it is redone. */
  readonly from?: CID;
}

/** One thing that is not as the journal says. `expected` is what is recorded, `found` what is there or was computed. */
export interface ReplayMismatch {
  /**
   * `NEEDS_DATA` (a block is missing), `JOURNAL_CORRUPT` (bytes, links, numbers), `NON_DETERMINISM` (requests), `STATE_MISMATCH`
   * (a checkpoint), `INPUT_MISMATCH`, `MACHINE_VERSION_MISSING`.
   */
  readonly code: string;
  /** Number of the event, 0 where none is meant. */
  readonly seq: number;
  readonly message: string;
  readonly expected: unknown;
  readonly found: unknown;
}

/** What a replay found. It is clean when `mismatches` is empty; it stops at the first mismatch that leaves no state to go on from. */
export interface JournalReplayReport {
  readonly actor: string | undefined;
  readonly machine: MachineIdentity | undefined;
  readonly entries: number;
  /** Transitions redone: one for each event that the machine saw, the initial one included. */
  readonly transitions: number;
  /** States compared with a checkpoint. */
  readonly states: number;
  /** State after the last replayed event. */
  readonly final: { readonly seq: number; readonly state: CID } | undefined;
  /** That state itself, where `at` was given. */
  readonly state?: ActorState;
  readonly mismatches: readonly ReplayMismatch[];
}
