import type { CID } from "multiformats/cid";
import type { Prover } from "../../proofs/groth16/prover.ts";
import type { WindowKeys } from "../../proofs/groth16/window-keys.ts";
import type { Batch } from "../../src/batch/batch.ts";
import type { Membership } from "../../src/consensus/membership.ts";
import type { ModuleEntry } from "../../src/consensus/module-entry.ts";
import type { Hash, Log, Signer, Verify } from "../../src/core/ports.ts";
import type { Block } from "../../src/dag/block.ts";
import type { Store } from "../../src/journal/port.ts";
import type { Timers } from "../../src/network/deadline.ts";
import type { Network } from "../../src/network/port.ts";
import type { InputPlan, OutputPlan, RunPlan } from "../../src/runtime/plan.ts";
import type { LoadedModule } from "../../src/runtime/stage/runner.ts";
import type { ReadSource } from "./input.ts";

/** What a node is told of what happens in its run, for progress lines and reports. It decides nothing. */
export interface NodeObserver {
  /** A task executed a slot. */
  executed?(task: string, rows: number): void;
  /** A statement was certified. */
  certified?(task: string, seq: number): void;
  /** A member did what it should not have; `voter` is its key. */
  evidence?(kind: string, voter: Uint8Array, task: string, seq: number): void;
  /** A newer version of a live task's module runs from a slot on (its first row), or cannot (`fault`). */
  newVersion?(task: string, entry: ModuleEntry, from: number, fault: string | undefined): void;
  /** Proofs were made or checked. */
  proved?(task: string, proofs: number): void;
}

/** Writes a finished table where the user wants it, from its batches in order. Returns the rows written. */
export type WriteOutput = (output: OutputPlan, batches: AsyncIterable<Batch>, signal: AbortSignal) => Promise<number>;

/** A module of a catalogue, as a node comes by it. */
export interface NewerModule {
  readonly entry: ModuleEntry;
  readonly entryBlock: Block;
  readonly moduleBlock: Block;
}

/** What a node needs for tasks whose module changes on the way. */
export interface LivePorts {
  /** Checks a module against its entry and loads it for a task. Throws what the check and the lane throw. */
  load(task: string, entry: ModuleEntry, bytes: Uint8Array): Promise<LoadedModule>;
  /** The newest version that there is for a task by now; `undefined` where that cannot be told. Present where the node submits. */
  newest?(task: string, signal: AbortSignal): Promise<NewerModule | undefined>;
}

/** What an input that grew came to hold. */
export type ClosedInput = Pick<InputPlan, "anchor" | "anchorBlock" | "parts" | "headers" | "trusted">;

/** Everything a node needs for one run. */
export interface NodePorts {
  readonly name: string;
  readonly store: Store;
  /** Absent where the node is its domain's only member. */
  readonly network: Network | undefined;
  readonly signer: Signer;
  readonly hash: Hash;
  readonly verify: Verify;
  readonly log: Log;
  readonly membership: Membership;
  readonly membershipCid: CID;
  readonly plan: RunPlan;
  readonly modules: ReadonlyMap<string, LoadedModule>;
  /** Absent where no task is live. */
  readonly live?: LivePorts;
  /** Absent where this node does not have the sources: it takes batches from the submitter by their CIDs. */
  readonly readSource: ReadSource | undefined;
  readonly prover: Prover;
  /** The keys that window proofs are checked by. */
  readonly keys: WindowKeys;
  readonly writeOutput: WriteOutput | undefined;
  /** The content of an input that grew until now and has so many rows. */
  readonly closeInput?: ((input: string, rows: number) => ClosedInput) | undefined;
  /** What was executed once is not executed again in a later epoch of the same store. */
  readonly remembers?: boolean | undefined;
  readonly observer: NodeObserver;
  /** What waits for silent peers go by; the wall clock's when absent. */
  readonly timers?: Timers;
  /** For tests of the protocol: changes what this node claims. */
  readonly tamper?: (task: string, seq: number, statement: Block) => Block;
}
