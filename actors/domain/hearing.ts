import type { CID } from "multiformats/cid";
import { isMember } from "../../src/consensus/membership.ts";
import { parseSlot, slotSigned } from "../../src/consensus/slot.ts";
import { SEAL_TASK } from "../../src/consensus/statement.ts";
import {
  type Challenge,
  certificateFault,
  challengeSigned,
  parseCertificate,
  parseChallenge,
  parseVote,
  voteSigned,
} from "../../src/consensus/vote.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { CODEC, cidOf, decodeStrict } from "../../src/dag/block.ts";
import type { CommitteePorts } from "./committee-ports.ts";
import type { Counting } from "./counting.ts";
import { decodeMessage, type Message } from "./messages.ts";
import type { KnownSlot, SlotBook, StatementRecord } from "./slot-book.ts";
import { Strays } from "./strays.ts";

/** Slots of a task beyond the one wanted next that are listened to; later ones are asked for when they are wanted. */
const SLOTS_AHEAD_MAX = 256;

/** What a node makes of the messages of other members: everything in them is checked here, and nothing they hold is kept without bound. */
export class Hearing {
  readonly strays = new Strays();
  private readonly ports: CommitteePorts;
  private readonly book: SlotBook;
  private readonly counting: Counting;

  constructor(ports: CommitteePorts, book: SlotBook, counting: Counting) {
    this.ports = ports;
    this.book = book;
    this.counting = counting;
  }

  /** Takes a message in, from a member, by gossip or as an answer. Never throws: what does not parse is logged. */
  hear(from: Uint8Array, data: Uint8Array): void {
    if (!isMember(this.ports.membership, from)) return;
    try {
      this.take(from, decodeMessage(data));
    } catch (error) {
      this.ports.log.warn("a member sent a message that does not parse", {
        from: toHex(from).slice(0, 16),
        error: String(error),
      });
    }
  }

  /** Keeps a slot that this node works on. */
  learn(known: KnownSlot): void {
    if (this.book.find(known.cid) !== undefined) return;
    this.book.add(known);
    this.takeStrays(known.cid);
  }

  /** Once a link is known, what came before it is heard. */
  private takeStrays(link: CID): void {
    for (const { from, message } of this.strays.take(link)) this.take(from, message);
  }

  /** The record of a statement of a known slot. */
  statement(slot: CID, statement: CID): StatementRecord {
    const isNew = this.book.findStatement(statement) === undefined;
    const record = this.book.statement(slot, statement);
    if (isNew) this.takeStrays(statement);
    return record;
  }

  /** The executor fixed its statement; the first one counts. */
  learnAnnounced(slot: CID, statement: CID): void {
    const { announced } = this.book.get(slot);
    announced.set(statement);
    if (announced.value?.equals(statement) === true) this.statement(slot, statement);
  }

  /** The first challenge of each member counts. */
  learnChallenge(record: StatementRecord, challenge: Challenge): void {
    const key = toHex(challenge.voter);
    if (record.challenges.has(key)) return;
    record.challenges.set(key, challenge);
    for (const wake of record.changed) wake();
  }

  private take(from: Uint8Array, message: Message): void {
    const { membership, verify } = this.ports;
    const bySubmitter = equalBytes(from, membership.submitter);
    switch (message.kind) {
      case "slot":
        return this.takeSlot(message.slot);
      case "statement":
        if (!bySubmitter) return;
        if (!this.knows(message.slot)) return this.strays.keep(message.slot, { from, message });
        return this.learnAnnounced(message.slot, message.statement);
      case "challenge": {
        const challenge = parseChallenge(message.challenge);
        if (!isMember(membership, challenge.voter) || !challengeSigned(challenge, verify)) return;
        const record = this.book.findStatement(challenge.statement);
        if (record === undefined) return this.strays.keep(challenge.statement, { from, message });
        return this.learnChallenge(record, challenge);
      }
      case "draw": {
        if (!bySubmitter) return;
        const record = this.book.findStatement(message.statement);
        if (record === undefined) return this.strays.keep(message.statement, { from, message });
        return record.draw.set(message.draw);
      }
      case "vote": {
        const vote = parseVote(message.vote);
        if (!isMember(membership, vote.voter) || !voteSigned(vote, verify)) return;
        const record = this.book.find(vote.slot);
        if (record === undefined) return this.strays.keep(vote.slot, { from, message });
        return this.counting.count(record, vote);
      }
      case "certificate":
        return this.takeCertificate(from, message);
    }
  }

  private takeSlot(bytes: Uint8Array): void {
    const { hash, membership, membershipCid, verify } = this.ports;
    const cid = cidOf(hash, CODEC.dagCbor, bytes);
    if (this.knows(cid)) return;
    const slot = parseSlot(decodeStrict(hash, { cid, bytes }));
    if (!slot.membership.equals(membershipCid) || !slotSigned(slot, membership, verify)) return;
    const known = { cid, slot, bytes };
    const first = this.book.at(slot);
    if (first !== undefined) return this.counting.report(this.book.get(first.cid), "forked", membership.submitter, cid);
    const next = this.ports.wanted().find(({ task, key }) => task === slot.task && key.equals(slot.key))?.seq;
    const ahead = slot.task === SEAL_TASK ? 1 : SLOTS_AHEAD_MAX;
    if (next !== undefined && slot.seq >= next && slot.seq < next + ahead) this.learn(known);
  }

  private takeCertificate(from: Uint8Array, message: Extract<Message, { kind: "certificate" }>): void {
    const { hash, membership, verify } = this.ports;
    const bytes = message.certificate;
    const cid = cidOf(hash, CODEC.dagCbor, bytes);
    const certificate = parseCertificate(decodeStrict(hash, { cid, bytes }));
    const record = this.book.find(certificate.slot);
    if (record === undefined) return this.strays.keep(certificate.slot, { from, message });
    if (record.certificate.value?.block.cid.equals(cid) === true) return;
    if (certificateFault(certificate, membership, hash, verify) !== undefined) return;
    for (const vote of certificate.votes) this.counting.count(record, vote);
    this.counting.certify(record, { block: { cid, bytes }, certificate });
  }

  private knows(slot: CID): boolean {
    return this.book.find(slot) !== undefined;
  }
}
