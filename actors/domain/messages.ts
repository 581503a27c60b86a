import * as dagCbor from "@ipld/dag-cbor";
import { z } from "zod";
import { link, parseNode, someBytes } from "../../src/consensus/ipld-schema.ts";
import { placeSchema } from "../../src/consensus/slot.ts";
import { decodeCbor } from "../../src/dag/cbor.ts";

/** Slots of one task that a sync answer carries: more than a node can have open. */
export const SYNC_SLOTS_PER_TASK = 8;
/** Slots whose certificate one sync request may ask for. */
export const SYNC_AWAITING_MAX = 256;
/** Tasks that one sync request may ask about. */
export const SYNC_TASKS_MAX = 2048;
/** Messages, and their bytes, that one sync answer carries at most; a node that lags asks again. */
export const SYNC_MESSAGES_MAX = 2048;
export const SYNC_ANSWER_BYTES_MAX = 2 * 1024 * 1024;

const messageSchema = z.discriminatedUnion("kind", [
  /** A signed slot, as its dag-cbor block. */
  z.strictObject({ kind: z.literal("slot"), slot: someBytes }),
  /** The executor's statement for a slot, fixed before anything is drawn for it. */
  z.strictObject({ kind: z.literal("statement"), slot: link, statement: link }),
  z.strictObject({ kind: z.literal("challenge"), challenge: z.unknown() }),
  /** What was drawn for a statement, and the proofs made for it: a block to fetch. */
  z.strictObject({ kind: z.literal("draw"), statement: link, draw: link }),
  z.strictObject({ kind: z.literal("vote"), vote: z.unknown() }),
  /** A certificate, as its dag-cbor block. */
  z.strictObject({ kind: z.literal("certificate"), certificate: someBytes }),
]);

/** What members of a domain tell each other by gossip. Bulk never travels here, only links to it. */
export type Message = z.infer<typeof messageSchema>;

/** Encodes a message for gossip. */
export function encodeMessage(message: Message): Uint8Array {
  return dagCbor.encode(message);
}

/** Decodes a message from gossip. Throws `NODE_MALFORMED`, or the codec's error. */
export function decodeMessage(bytes: Uint8Array): Message {
  return parseNode(messageSchema, "message", decodeCbor(bytes));
}

const syncRequestSchema = z.strictObject({
  v: z.literal(1),
  /** The place wanted next of each task. */
  next: z.array(placeSchema).max(SYNC_TASKS_MAX),
  /** Slots whose certificate is awaited, oldest first. */
  awaiting: z.array(z.strictObject({ slot: link, place: placeSchema })).max(SYNC_AWAITING_MAX),
});

/** What a node that missed something asks a peer. */
export type SyncRequest = z.infer<typeof syncRequestSchema>;

const syncAnswerSchema = z.strictObject({ v: z.literal(1), messages: z.array(someBytes).max(SYNC_MESSAGES_MAX) });

/** Encodes a sync request. */
export function encodeSyncRequest(request: SyncRequest): Uint8Array {
  return dagCbor.encode(request);
}

/** Decodes a sync request. Throws `NODE_MALFORMED`, or the codec's error. */
export function decodeSyncRequest(bytes: Uint8Array): SyncRequest {
  return parseNode(syncRequestSchema, "sync request", decodeCbor(bytes));
}

/** Encodes the answer: the messages that the asker missed, as they would have come by gossip. */
export function encodeSyncAnswer(messages: readonly Uint8Array[]): Uint8Array {
  return dagCbor.encode({ v: 1, messages });
}

/** Decodes an answer to the messages in it, each still encoded: one that is malformed does not spoil the rest. Throws `NODE_MALFORMED`, or the codec's error. */
export function decodeSyncAnswer(bytes: Uint8Array): Uint8Array[] {
  return parseNode(syncAnswerSchema, "sync answer", decodeCbor(bytes)).messages;
}
