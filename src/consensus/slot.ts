import * as dagCbor from "@ipld/dag-cbor";
import { z } from "zod";
import { equalBytes } from "../core/bytes.ts";
import type { Signer, Verify } from "../core/ports.ts";
import { bytes32, bytes64, count, link, name, parseNode } from "./ipld-schema.ts";
import type { Membership } from "./membership.ts";

/** Batches a slot may cover: their links must fit one gossip message. */
export const SLOT_BATCHES_MAX = 256;
/** Rows and bytes of batches after which a slot is closed, so that a restart loses little work. */
export const SLOT_ROWS_TARGET = 262_144;
export const SLOT_BYTES_TARGET = 32 * 1024 * 1024;

const slotBody = {
  v: z.literal(1),
  membership: link,
  domain: name,
  epoch: count,
  task: name,
  /** Identity of the work that the slot is a piece of (see work-key.ts): another run of the same members has other places. */
  key: link,
  /** What is computed: the task's normal form, and through it the whole way from the inputs' content. */
  stage: link,
  /** Entry of the newer version of its module that a live task runs here; absent where it runs what the stage names. */
  version: link.optional(),
  seq: count,
  /** Rows of the task's input, counted over the whole run, in batches of at most `cut` rows. `end`: nothing follows. */
  input: z.strictObject({
    from: count,
    rows: count,
    end: z.boolean(),
    cut: count,
    batches: z.array(link).max(SLOT_BATCHES_MAX),
  }),
  /** Of a task that reads several inputs: which of them the rows are of, by its place, and whether that input has no more. */
  part: z.strictObject({ input: z.number().int().min(0).max(15), end: z.boolean() }).optional(),
  submitter: bytes32,
};
const slotSchema = z.strictObject({ ...slotBody, signature: bytes64 });

/** A piece of work, fixed and signed by the submitter before anyone executes it. */
export type Slot = z.infer<typeof slotSchema>;

/** Reads a slot node. Throws `NODE_MALFORMED`. It does not check the signature: see {@link slotSigned}. */
export function parseSlot(value: unknown): Slot {
  return parseNode(slotSchema, "slot", value);
}

/** Signs a slot's body with the submitter's key. */
export function signSlot(body: Omit<Slot, "signature">, signer: Signer): Slot {
  return { ...body, signature: signer.sign(slotMessage(body)) };
}

/** True when the slot carries the signature of the membership's submitter for that membership's domain and epoch. */
export function slotSigned(slot: Slot, membership: Membership, verify: Verify): boolean {
  const { signature, ...body } = slot;
  return (
    slot.domain === membership.domain &&
    slot.epoch === membership.epoch &&
    equalBytes(slot.submitter, membership.submitter) &&
    verify(slot.submitter, slotMessage(body), signature)
  );
}

function slotMessage(body: Omit<Slot, "signature">): Uint8Array {
  return dagCbor.encode(["ipdm/slot/1", body]);
}

/** A place in a membership's work. The submitter signs one slot for it, and a quorum certifies one statement. */
export const placeSchema = z.strictObject({ task: name, key: link, seq: count });
/** See {@link placeSchema}. */
export type Place = z.infer<typeof placeSchema>;

/** A place as a text that no other place has. */
export function placeText({ task, key, seq }: Place): string {
  return `${task}/${key.toString()}/${seq}`;
}

/** Where a slot stands, for people and errors: `daily/3`. Within one run it names one place. */
export function slotName(slot: { readonly task: string; readonly seq: number }): string {
  return `${slot.task}/${slot.seq}`;
}
