import type { CID } from "multiformats/cid";
import type { Membership } from "../../src/consensus/membership.ts";
import type { Place } from "../../src/consensus/slot.ts";
import type { Hash, Log, Signer, Verify } from "../../src/core/ports.ts";
import type { Timers } from "../../src/network/deadline.ts";
import type { Network } from "../../src/network/port.ts";
import type { KnownSlot } from "./slot-book.ts";
import type { Recall } from "./sync-answer.ts";

/**
 * Something a member did that it should not have: `divergent`, a vote for another statement than the certified one;
 * `equivocation`, a second vote for one slot; `forked`, a second slot for one place (`statement` is then that slot).
 */
export interface Evidence {
  readonly kind: "divergent" | "equivocation" | "forked";
  readonly voter: Uint8Array;
  readonly slot: KnownSlot;
  readonly statement: CID;
}

/** A slot, and the statement of it that something is drawn for. */
export interface DrawSubject {
  readonly slot: CID;
  readonly statement: CID;
}

/** What a committee works with. `network` is absent where the node is its domain's only member. */
export interface CommitteePorts {
  readonly network: Network | undefined;
  readonly membership: Membership;
  readonly membershipCid: CID;
  /** Key of the run: its members talk among themselves, whatever else they run. */
  readonly run: CID;
  readonly signer: Signer;
  readonly hash: Hash;
  readonly verify: Verify;
  readonly log: Log;
  readonly timers?: Timers | undefined;
  readonly onEvidence: (evidence: Evidence) => void;
  /** The place that this node wants next of each task that has not ended. */
  readonly wanted: () => readonly Place[];
  readonly recall: Recall;
}
