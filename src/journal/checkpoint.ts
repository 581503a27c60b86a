import { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, CODEC, cborBlock, decodeBlock, type Ipld } from "../dag/block.ts";
import { isActorId, isSeq, parseRequests, record } from "./entry.ts";
import type { RequestRecord } from "./port.ts";

/** Which machine a journal belongs to. `definition` is the CID of its canonical definition: names, not code. */
export interface MachineIdentity {
  readonly name: string;
  readonly version: number;
  readonly definition: CID;
}

/** What an actor is between two events, as plain data: the machine's status, its state value and its context. */
export interface ActorState {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly value: Ipld;
  readonly context: Ipld;
}

/** An actor after its event `seq`, as one dag-cbor block; the state is a block of its own, whose CID two replays compare. */
export interface Checkpoint {
  readonly v: 1;
  readonly actor: string;
  readonly seq: number;
  readonly machine: MachineIdentity;
  readonly state: CID;
  /** Requests without an outcome, oldest first. */
  readonly pending: readonly RequestRecord[];
}

/** The state's own block. Throws `DAG_NOT_ENCODABLE`. */
export function stateBlock(hash: Hash, state: ActorState): Block {
  return cborBlock(hash, { status: state.status, value: state.value, context: state.context });
}

/** Encodes a checkpoint as its one dag-cbor block. */
export function encodeCheckpoint(hash: Hash, checkpoint: Checkpoint): Block {
  return cborBlock(hash, checkpoint);
}

/** Decodes a block as a checkpoint, strictly. Throws `CHECKPOINT_MALFORMED`. Does not check the CID's hash. */
export function decodeCheckpoint(block: Block): Checkpoint {
  const node = block.cid.code === CODEC.dagCbor ? record(decodeBlock(block)) : undefined;
  if (node === undefined || Object.keys(node).length !== 6) throw malformed(block.cid, "not a map of the six keys");
  const { v, actor, seq, state, pending } = node;
  const machine = parseMachineIdentity(node["machine"]);
  const link = CID.asCID(state);
  const requests = parseRequests(pending);
  if (v !== 1) throw malformed(block.cid, "v is not 1");
  if (!isActorId(actor)) throw malformed(block.cid, "actor");
  if (!isSeq(seq)) throw malformed(block.cid, "seq");
  if (machine === undefined) throw malformed(block.cid, "machine");
  if (link === null) throw malformed(block.cid, "state");
  if (requests === undefined) throw malformed(block.cid, "pending");
  return { v: 1, actor, seq, machine, state: link, pending: requests };
}

/** Decodes a state block. Throws `CHECKPOINT_MALFORMED`. Does not check the CID's hash. */
export function decodeState(block: Block): ActorState {
  const node = block.cid.code === CODEC.dagCbor ? record(decodeBlock(block)) : undefined;
  if (node === undefined || Object.keys(node).length !== 3) throw malformed(block.cid, "not a state");
  const { status, value, context } = node;
  if (status !== "active" && status !== "done" && status !== "error" && status !== "stopped")
    throw malformed(block.cid, "status");
  if (value === undefined || context === undefined) throw malformed(block.cid, "not a state");
  return { status, value: value as Ipld, context: context as Ipld };
}

/** The machine named by an entry or a checkpoint; `undefined` when the value is not one. */
export function parseMachineIdentity(value: unknown): MachineIdentity | undefined {
  const node = record(value);
  if (node === undefined || Object.keys(node).length !== 3) return undefined;
  const { name, version } = node;
  const definition = CID.asCID(node["definition"]);
  if (typeof name !== "string" || name.length === 0 || !isSeq(version) || definition === null) return undefined;
  return { name, version, definition };
}

function malformed(cid: CID, what: string): IpdmError {
  return new IpdmError("CHECKPOINT_MALFORMED", `block ${cid.toString()} is not a checkpoint: ${what}`, {
    kind: "verification",
    where: cid.toString(),
  });
}
