import { describe, expect, it } from "vitest";
import {
  decodeMessage,
  decodeSyncAnswer,
  decodeSyncRequest,
  encodeSyncAnswer,
  encodeSyncRequest,
  SYNC_ANSWER_BYTES_MAX,
  SYNC_AWAITING_MAX,
  SYNC_SLOTS_PER_TASK,
  SYNC_TASKS_MAX,
} from "../../../actors/domain/messages.ts";
import { type KnownSlot, SlotBook } from "../../../actors/domain/slot-book.ts";
import { syncAnswer } from "../../../actors/domain/sync-answer.ts";
import { type Place, signSlot } from "../../../src/consensus/slot.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256 } from "../../../src/node.ts";
import { linkTo, membershipOf, signersOf, voteOf } from "../../property/consensus/domain.ts";

const signers = signersOf(5);
const membership = membershipOf(signers, 5);

const placeOf = (task: string, seq: number): Place => ({ task, key: linkTo(`key of ${task}`), seq });

function slotOf(task: string, seq: number): KnownSlot {
  const input = { from: 0, rows: 0, end: false, cut: 1, batches: [] };
  const body = {
    v: 1 as const,
    membership: linkTo("m"),
    domain: "d",
    epoch: 1,
    ...placeOf(task, seq),
    stage: linkTo("s"),
    input,
  };
  const slot = signSlot({ ...body, submitter: membership.submitter }, signers[0] as (typeof signers)[number]);
  const block = cborBlock(sha256, slot);
  return { cid: block.cid, slot, bytes: block.bytes };
}

const nothing = async () => undefined;

describe("an answer to a member that missed something", () => {
  it("has the next slots of every task asked for, a few each, and all that is known of them", async () => {
    const book = new SlotBook(membership);
    for (const task of ["a", "b"]) for (let seq = 0; seq < 20; seq++) book.add(slotOf(task, seq));
    const next = [
      placeOf("a", 3),
      placeOf("b", 18),
      placeOf("c", 0),
      { ...placeOf("a", 0), key: linkTo("another run") },
    ];
    const answer = await syncAnswer(book, nothing, { v: 1, next, awaiting: [] });
    const messages = decodeSyncAnswer(encodeSyncAnswer(answer)).map(decodeMessage);
    expect(messages.length).toBe(SYNC_SLOTS_PER_TASK + 2);
    expect(messages.every(({ kind }) => kind === "slot")).toBe(true);
  });

  it("has every vote, not only the first few, and the announcement", async () => {
    const book = new SlotBook(membership);
    const known = slotOf("a", 0);
    const record = book.add(known);
    record.announced.set(linkTo("statement"));
    for (const signer of signers.slice(0, 4)) record.tally.add(voteOf(signer, { slot: known.cid }));
    const awaiting = [{ slot: known.cid, place: placeOf("a", 0) }];
    const kinds = (await syncAnswer(book, nothing, { v: 1, next: [], awaiting })).map(
      (bytes) => decodeMessage(bytes).kind,
    );
    expect(kinds).toEqual(["statement", "vote", "vote", "vote", "vote"]);
  });

  it("is never larger than a response may be", async () => {
    const book = new SlotBook(membership);
    const proofs = Array.from({ length: 1024 }, (_, i) => sha256(utf8(`${i}`)));
    const awaiting = Array.from({ length: 40 }, (_, seq) => {
      const known = slotOf("a", seq);
      const record = book.add(known);
      for (const signer of signers.slice(0, 4)) record.tally.add(voteOf(signer, { slot: known.cid, proofs }));
      return { slot: known.cid, place: placeOf("a", seq) };
    });
    const answer = await syncAnswer(book, nothing, { v: 1, next: [placeOf("a", 0)], awaiting });
    const bytes = answer.reduce((sum, message) => sum + message.length, 0);
    expect(bytes).toBeLessThanOrEqual(SYNC_ANSWER_BYTES_MAX);
    expect(bytes).toBeGreaterThan(SYNC_ANSWER_BYTES_MAX / 2);
  });

  it("is made to requests of a bounded size only", () => {
    const awaiting = Array.from({ length: SYNC_AWAITING_MAX + 1 }, (_, seq) => ({
      slot: linkTo("slot"),
      place: placeOf("a", seq),
    }));
    const next = Array.from({ length: SYNC_TASKS_MAX + 1 }, (_, i) => placeOf(`task ${i}`, 0));
    for (const request of [
      { awaiting, next: [] },
      { awaiting: [], next },
      { awaiting: [], next: [placeOf("a", -1)] },
    ]) {
      expect(() => decodeSyncRequest(encodeSyncRequest({ v: 1, ...request }))).toThrow(
        expect.objectContaining({ code: "NODE_MALFORMED" }),
      );
    }
  });
});
