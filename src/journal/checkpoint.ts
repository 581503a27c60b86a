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

/** What an actor is between two events, as plain data: the machine's status, its state value and its context, and what else it has. */
export interface ActorState {
  readonly status: "active" | "done" | "error" | "stopped";
  readonly value: Ipld;
  readonly context: Ipld;
  /** What a machine that is done has to say. */
  readonly output?: Ipld;
  /** What ended a machine whose status is `error`: `{name, message}`, or the error event's. */
  readonly error?: Ipld;
  /** States that history states remember: ids of states by the id of the history state. */
  readonly history?: { readonly [id: string]: readonly string[] };
  /** Living children: the name of each one's source by its id. */
  readonly children?: { readonly [id: string]: string };
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
  /** What the kernel remembers of the actor beside its state; absent when that is nothing. */
  readonly kernel?: Ipld;
}

const STATE_KEYS = ["status", "value", "context", "output", "error", "history", "children"] as const;

/** The state's own block. Throws `DAG_NOT_ENCODABLE`. */
export function stateBlock(hash: Hash, state: ActorState): Block {
  return cborBlock(hash, Object.fromEntries(STATE_KEYS.flatMap((key) => (key in state ? [[key, state[key]]] : []))));
}

/** Encodes a checkpoint as its one dag-cbor block. */
export function encodeCheckpoint(hash: Hash, checkpoint: Checkpoint): Block {
  return cborBlock(hash, checkpoint);
}

/** Decodes a block as a checkpoint, strictly. Throws `CHECKPOINT_MALFORMED`. Does not check the CID's hash. */
export function decodeCheckpoint(block: Block): Checkpoint {
  const node = block.cid.code === CODEC.dagCbor ? record(decodeBlock(block)) : undefined;
  const size = node?.["kernel"] === undefined ? 6 : 7;
  if (node === undefined || Object.keys(node).length !== size) throw malformed(block.cid, "not a map of its keys");
  const { v, actor, seq, state, pending, kernel } = node;
  const machine = parseMachineIdentity(node["machine"]);
  const link = CID.asCID(state);
  const requests = parseRequests(pending);
  if (v !== 1) throw malformed(block.cid, "v is not 1");
  if (!isActorId(actor)) throw malformed(block.cid, "actor");
  if (!isSeq(seq)) throw malformed(block.cid, "seq");
  if (machine === undefined) throw malformed(block.cid, "machine");
  if (link === null) throw malformed(block.cid, "state");
  if (requests === undefined) throw malformed(block.cid, "pending");
  const checkpoint: Checkpoint = { v: 1, actor, seq, machine, state: link, pending: requests };
  return kernel === undefined ? checkpoint : { ...checkpoint, kernel: kernel as Ipld };
}

/** Decodes a state block. Throws `CHECKPOINT_MALFORMED`. Does not check the CID's hash. */
export function decodeState(block: Block): ActorState {
  const node = block.cid.code === CODEC.dagCbor ? record(decodeBlock(block)) : undefined;
  const known = node !== undefined && Object.keys(node).every((key) => STATE_KEYS.some((each) => each === key));
  if (!known) throw malformed(block.cid, "not a state");
  const { status, value, context, output, error, history, children } = node;
  if (status !== "active" && status !== "done" && status !== "error" && status !== "stopped")
    throw malformed(block.cid, "status");
  if (value === undefined || context === undefined) throw malformed(block.cid, "not a state");
  const listed = parseTexts(history, (item) => Array.isArray(item) && item.every((id) => typeof id === "string"));
  const named = parseTexts(children, (item) => typeof item === "string");
  if (!listed) throw malformed(block.cid, "history");
  if (!named) throw malformed(block.cid, "children");
  return {
    status,
    value: value as Ipld,
    context: context as Ipld,
    ...(output === undefined ? {} : { output: output as Ipld }),
    ...(error === undefined ? {} : { error: error as Ipld }),
    ...(history === undefined ? {} : { history: history as { readonly [id: string]: readonly string[] } }),
    ...(children === undefined ? {} : { children: children as { readonly [id: string]: string } }),
  };
}

function parseTexts(value: unknown, isItem: (item: unknown) => boolean): boolean {
  const node = value === undefined ? {} : record(value);
  return node !== undefined && Object.values(node).every(isItem);
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
