import type { CID } from "multiformats/cid";
import type { Place } from "../../src/consensus/slot.ts";
import type { Challenge, Vote } from "../../src/consensus/vote.ts";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import { type Timers, wallTimers } from "../../src/network/deadline.ts";
import type { CommitteePorts, DrawSubject } from "./committee-ports.ts";
import { Counting } from "./counting.ts";
import { Hearing } from "./hearing.ts";
import { encodeMessage, type Message } from "./messages.ts";
import type { KnownCertificate, KnownSlot, SlotRecord, StatementRecord } from "./slot-book.ts";
import { SlotBook } from "./slot-book.ts";
import { Sync } from "./sync.ts";

/** How long after enough challengers answered the others may still join, in milliseconds. */
const CHALLENGE_GRACE_MS = 250;
/**
 * A node's seat among the members of its domain for one run: it passes on slots, statements, challenges, draws, votes and
 * certificates, counts votes and keeps evidence. Nothing here is durable: journals are, and after a restart the requests
 * that are still open tell the committee again what it needs to know. Gossip may lose anything: whoever waits for something
 * asks the others for it again and again.
 */
export class Committee {
  private readonly ports: CommitteePorts;
  private readonly timers: Timers;
  private readonly book: SlotBook;
  private readonly counting: Counting;
  private readonly hearing: Hearing;
  private readonly sync: Sync;
  private readonly topic: string;
  private readonly closers: (() => void)[] = [];
  private readonly stop = new AbortController();

  constructor(ports: CommitteePorts) {
    this.ports = ports;
    this.timers = ports.timers ?? wallTimers;
    this.book = new SlotBook(ports.membership);
    this.counting = new Counting(ports);
    this.hearing = new Hearing(ports, this.book, this.counting);
    this.sync = new Sync(ports, this.book, this.hearing, this.stop.signal);
    this.topic = `ipdm/1/${ports.run.toString()}/control`;
  }

  /** Joins the run's topic and answers peers that ask for what they missed. */
  async open(signal: AbortSignal): Promise<void> {
    const { network, membership } = this.ports;
    if (network === undefined) return;
    this.closers.push(network.subscribe(this.topic, ({ from, data }) => this.hearing.hear(from, data)));
    this.closers.push(this.sync.open(network));
    const others = membership.members.length - 1;
    const enough = Math.min(others, membership.quorum - 1);
    await network.waitForPeers(enough, { topic: this.topic, signal: this.within(signal) });
  }

  /** Leaves; waits that are open end with an abort. */
  close(): void {
    this.stop.abort(new IpdmError("COMMITTEE_CLOSED", "the node is closing", { kind: "interrupted" }));
    for (const close of this.closers.splice(0)) close();
  }

  /** The submitter's slot goes out. */
  async offer(known: KnownSlot): Promise<void> {
    this.learn(known);
    await this.publish({ kind: "slot", slot: known.bytes });
  }

  /** Tells the committee of a slot that this node works on. */
  learn(known: KnownSlot): void {
    this.hearing.learn(known);
  }

  /** True when the committee knows the slot. */
  knows(slot: CID): boolean {
    return this.book.find(slot) !== undefined;
  }

  /** Tells the committee of a slot and its certificate from this node's own records, so that it can answer others. */
  learnRecorded(known: KnownSlot, certificate: KnownCertificate): void {
    this.learn(known);
    this.counting.certify(this.book.get(known.cid), certificate);
    this.book.finish(known.cid);
  }

  /** The slot at a place, once the submitter's is known. */
  slotAt(place: Place, signal: AbortSignal): Promise<KnownSlot> {
    return this.book.place(place).wait(this.within(signal));
  }

  /** The slot at a place, if it is known. */
  knownSlot(place: Place): KnownSlot | undefined {
    return this.book.at(place);
  }

  /** Slots and early messages held in memory: what a hostile member can at most make of it is bounded. */
  get held(): { readonly slots: number; readonly strays: number } {
    return { slots: this.book.size, strays: this.hearing.strays.size };
  }

  /** Fixes the executor's statement for a slot before anything is drawn for it. */
  async announce({ slot, statement }: DrawSubject): Promise<void> {
    this.hearing.learnAnnounced(slot, statement);
    await this.publish({ kind: "statement", slot, statement });
  }

  /** The statement that the executor announced for a slot. */
  announced(slot: CID, signal: AbortSignal): Promise<CID> {
    return this.book.get(slot).announced.wait(this.within(signal));
  }

  /** This node's challenge to a statement goes out. */
  async challenge(slot: CID, challenge: Challenge): Promise<void> {
    this.hearing.learnChallenge(this.hearing.statement(slot, challenge.statement), challenge);
    await this.publish({ kind: "challenge", challenge });
  }

  /**
   * Challenges for a statement by members other than `executor`: of all of them, or, when some stay silent, of as many as a
   * quorum needs. Empty in a domain of one. Throws `NO_QUORUM` (kind `conflict`) when too many voted for another statement.
   */
  async challenges({ slot, statement }: DrawSubject, executor: Uint8Array, signal: AbortSignal): Promise<Challenge[]> {
    const record = this.hearing.statement(slot, statement);
    const others = this.ports.membership.members.length - 1;
    const enough = Math.min(others, this.ports.membership.quorum - 1);
    const given = (): Challenge[] =>
      [...record.challenges.values()].filter((challenge) => !equalBytes(challenge.voter, executor));
    const bound = this.within(signal);
    while (given().length < enough) {
      this.checkHope(slot, statement);
      await changed(record, bound);
    }
    let late = false;
    const cancel = this.timers.after(CHALLENGE_GRACE_MS, () => {
      late = true;
      for (const wake of record.changed) wake();
    });
    try {
      while (given().length < others && !late) await changed(record, bound);
    } finally {
      cancel();
    }
    return given();
  }

  /** Throws `NO_QUORUM` when so many members voted for other statements that this one cannot be certified any more. */
  private checkHope(slot: CID, statement: CID): void {
    const record = this.book.get(slot);
    const others = record.tally.all().filter((vote) => !vote.statement.equals(statement)).length;
    const { members, quorum } = this.ports.membership;
    if (members.length - others < quorum) throw noQuorum(record);
  }

  /** This node agrees to a draw: certificates for the statement will show these challenges. */
  agree({ slot, statement }: DrawSubject, challenges: readonly Challenge[]): void {
    this.hearing.statement(slot, statement).fixed = challenges;
    this.counting.tryCertify(this.book.get(slot));
  }

  /** True when this node agreed to a draw for the statement. */
  agreed({ slot, statement }: DrawSubject): boolean {
    return this.hearing.statement(slot, statement).fixed !== undefined;
  }

  /** The executor's draw for a statement goes out. */
  async publishDraw({ slot, statement }: DrawSubject, draw: CID): Promise<void> {
    this.hearing.statement(slot, statement).draw.set(draw);
    await this.publish({ kind: "draw", statement, draw });
  }

  /** The draw that the executor published for a statement. */
  draw({ slot, statement }: DrawSubject, signal: AbortSignal): Promise<CID> {
    return this.hearing.statement(slot, statement).draw.wait(this.within(signal));
  }

  /**
   * Casts this node's vote and waits for the slot's certificate, whatever statement it is for. Throws `NO_QUORUM` (kind
   * `conflict`) when no statement can reach a quorum any more.
   */
  async cast(vote: Vote, signal: AbortSignal): Promise<KnownCertificate> {
    const record = this.book.get(vote.slot);
    this.counting.count(record, vote);
    await this.publish({ kind: "vote", vote });
    const either = new AbortController();
    const bound = AbortSignal.any([this.within(signal), either.signal]);
    try {
      const certificate = await Promise.race([
        record.certificate.wait(bound),
        record.stuck.wait(bound).then(() => undefined),
      ]);
      if (certificate !== undefined) return certificate;
    } finally {
      either.abort();
    }
    // Where a member voted twice, another node may have counted the other vote first and hold a certificate.
    await this.sync.ask();
    await this.sync.ask();
    this.within(signal).throwIfAborted();
    if (record.certificate.value === undefined) throw noQuorum(record);
    return record.certificate.value;
  }

  /**
   * Does work towards a slot's certificate, unless a quorum certifies the slot first: then the work is aborted and the result
   * is `undefined`. A member that lags cannot count on what the others needed to get there: they may have forgotten it.
   */
  async unlessCertified<T>(
    slot: CID,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const { certificate } = this.book.get(slot);
    if (certificate.value !== undefined) return undefined;
    const either = new AbortController();
    const bound = AbortSignal.any([this.within(signal), either.signal]);
    const certified = certificate.wait(bound).then(() => undefined);
    const worked = work(bound);
    try {
      return await Promise.race([worked, certified]);
    } finally {
      either.abort();
      // Whichever lost ends with the abort.
      void Promise.allSettled([worked, certified]);
    }
  }

  /** The certificate of a slot, once there is one. */
  certificate(slot: CID): KnownCertificate | undefined {
    return this.book.get(slot).certificate.value;
  }

  private within(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.stop.signal]);
  }

  private async publish(message: Message): Promise<void> {
    try {
      await this.ports.network?.publish(this.topic, encodeMessage(message));
    } catch (error) {
      // Gossip is best effort: what is lost, or too large for it, is asked for by sync.
      this.ports.log.debug("a message did not go out", { kind: message.kind, error: String(error) });
    }
  }
}

function noQuorum(record: SlotRecord): IpdmError {
  const { task, seq } = record.known.slot;
  return new IpdmError(
    "NO_QUORUM",
    `no statement for ${task}/${seq} can reach a quorum: the members computed different results`,
    {
      kind: "conflict",
      where: `${task}/${seq}`,
      facts: {
        votes: record.tally.all().map((vote) => ({ voter: toHex(vote.voter), statement: vote.statement.toString() })),
      },
    },
  );
}

/** Resolves when a challenge comes. Rejects with the signal's reason. */
function changed(record: StatementRecord, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const end = (settle: () => void) => (): void => {
      record.changed.delete(wake);
      signal.removeEventListener("abort", abort);
      settle();
    };
    const wake = end(resolve);
    const abort = end(() => reject(signal.reason as Error));
    signal.addEventListener("abort", abort, { once: true });
    record.changed.add(wake);
  });
}
