import { CID } from "multiformats/cid";
import { equalBytes, toHex } from "../../src/core/bytes.ts";
import { hasCode, IpdmError } from "../../src/core/errors.ts";
import { Latch } from "../../src/core/latch.ts";
import type { Hash, Log, Signer, Verify } from "../../src/core/ports.ts";
import type { Membership } from "../../src/consensus/membership.ts";
import { isMember } from "../../src/consensus/membership.ts";
import { parseSlot, type Slot, slotSigned } from "../../src/consensus/slot.ts";
import { Tally } from "../../src/consensus/tally.ts";
import {
  type Certificate, certificateFault, certificateOf, type Challenge, challengeSigned, parseCertificate, parseChallenge, parseVote, type Vote, voteSigned,
} from "../../src/consensus/vote.ts";
import type { Block } from "../../src/dag/block.ts";
import { cborBlock, CODEC, cidOf, decodeStrict } from "../../src/dag/block.ts";
import type { Network } from "../../src/network/port.ts";
import type { Message } from "./messages.ts";
import { decodeMessage, decodeSyncAnswer, decodeSyncRequest, encodeMessage, encodeSyncAnswer, encodeSyncRequest, SYNC_ITEMS_MAX } from "./messages.ts";

/** A slot and its CID. */
export interface KnownSlot {
  readonly cid: CID;
  readonly slot: Slot;
  readonly bytes: Uint8Array;
}

/** A certificate, its CID and bytes. */
export interface KnownCertificate {
  readonly block: Block;
  readonly certificate: Certificate;
}

/** Something a member did that it should not have. */
export interface Evidence {
  readonly kind: "divergent" | "equivocation";
  readonly voter: Uint8Array;
  readonly slot: KnownSlot;
  readonly statement: CID;
}

/** What a committee works with. `network` is absent where the node is its domain's only member. */
export interface CommitteePorts {
  readonly network: Network | undefined;
  readonly membership: Membership;
  readonly membershipCid: CID;
  readonly signer: Signer;
  readonly hash: Hash;
  readonly verify: Verify;
  readonly log: Log;
  /** A signed slot of the domain's submitter was heard of; told again whenever it is heard again. */
  readonly onSlot: (slot: KnownSlot) => void;
  readonly onEvidence: (evidence: Evidence) => void;
  /** Next sequence number this node still wants of each task. */
  readonly wanted: () => Readonly<Record<string, number>>;
}

interface SlotRecord {
  known: KnownSlot | undefined;
  readonly announced: Latch<CID>;
  readonly tally: Tally;
  /** Votes for the slot by statement and voter that came before or after the certificate. */
  readonly certificate: Latch<KnownCertificate>;
  readonly reported: Set<string>;
  own: Vote | undefined;
}

interface StatementRecord {
  readonly challenges: Map<string, Challenge>;
  readonly draw: Latch<CID>;
  /** The challenges that the draw was made of, once this node has agreed to it. */
  fixed: readonly Challenge[] | undefined;
  changed: (() => void)[];
}

/** How long after enough challengers answered the others may still join, in milliseconds. */
const CHALLENGE_GRACE_MS = 250;
/** How often a node that waits for others asks them, in milliseconds. */
const SYNC_INTERVAL_MS = 400;
/** Slots and statements kept in memory; a run of many slots forgets what is certified and old. */
const RECORDS_MAX = 65_536;

/** Protocol by which a node asks another for what it missed. */
export const SYNC_PROTOCOL = "/ipdm/sync/1";

/**
 * A node's seat among the members of its domain for one run: it passes on slots, statements, challenges, draws, votes and
 * certificates, counts votes and keeps evidence. Nothing here is durable: journals are, and after a restart the requests
 * that are still open tell the committee again what it needs to know.
 */
export class Committee {
  private readonly ports: CommitteePorts;
  private readonly slots = new Map<string, SlotRecord>();
  private readonly statements = new Map<string, StatementRecord>();
  private readonly byPlace = new Map<string, KnownSlot>();
  private readonly topic: string;
  private readonly closers: (() => void)[] = [];
  private readonly stop = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private syncing = false;

  constructor(ports: CommitteePorts) {
    this.ports = ports;
    this.topic = `ipdm/1/${ports.membershipCid.toString()}/control`;
  }

  /** Joins the domain's topic and answers peers that ask for what they missed. */
  async open(signal: AbortSignal): Promise<void> {
    const { network, membership } = this.ports;
    if (network === undefined) return;
    this.closers.push(network.subscribe(this.topic, ({ from, data }) => this.hear(from, data)));
    this.closers.push(network.handle(SYNC_PROTOCOL, async (from, request) => this.answer(from, request)));
    this.timer = setInterval(() => void this.sync(), SYNC_INTERVAL_MS);
    const others = membership.members.length - 1;
    const enough = Math.min(others, membership.quorum - 1);
    await network.waitForPeers(enough, { topic: this.topic, signal });
  }

  /** Leaves; waits that are open end with an abort. */
  close(): void {
    clearInterval(this.timer);
    this.stop.abort(new IpdmError("COMMITTEE_CLOSED", "the node is closing", { kind: "interrupted" }));
    for (const close of this.closers) close();
  }

  /** The submitter's slot goes out. */
  async offer(known: KnownSlot): Promise<void> {
    this.learnSlot(known);
    await this.publish({ kind: "slot", slot: known.bytes });
  }

  /** Tells the committee of a slot and its certificate from this node's own records, so that it can answer others. */
  learnCertified(known: KnownSlot, certificate: KnownCertificate): void {
    this.learnSlot(known);
    this.slotRecord(known.cid).certificate.set(certificate);
  }

  /** The slot at a place, once it is known. */
  knownSlot(task: string, seq: number): KnownSlot | undefined {
    return this.byPlace.get(`${task}/${seq}`);
  }

  /** Fixes the executor's statement for a slot before anything is drawn for it. */
  async announce(slot: CID, statement: CID): Promise<void> {
    this.slotRecord(slot).announced.set(statement);
    await this.publish({ kind: "statement", slot, statement });
  }

  /** The statement that the executor announced for a slot. */
  announced(slot: CID, signal: AbortSignal): Promise<CID> {
    return this.slotRecord(slot).announced.wait(this.within(signal));
  }

  /** This node's challenge goes out. */
  async challenge(challenge: Challenge): Promise<void> {
    this.learnChallenge(challenge);
    await this.publish({ kind: "challenge", challenge });
  }

  /**
   * Challenges for a statement by members other than `executor`: of all of them, or, when some stay silent, of as many as a
   * quorum needs. Empty in a domain of one.
   */
  async challenges(statement: CID, executor: Uint8Array, signal: AbortSignal): Promise<Challenge[]> {
    const record = this.statementRecord(statement);
    const others = this.ports.membership.members.length - 1;
    const enough = Math.min(others, this.ports.membership.quorum - 1);
    const given = (): Challenge[] => [...record.challenges.values()].filter((challenge) => toHex(challenge.voter) !== toHex(executor));
    const bound = this.within(signal);
    while (given().length < enough) await changed(record, bound);
    if (given().length < others) {
      const grace = AbortSignal.timeout(CHALLENGE_GRACE_MS);
      while (given().length < others && !grace.aborted) await changed(record, AbortSignal.any([bound, grace])).catch(() => bound.throwIfAborted());
    }
    return given();
  }

  /** This node agrees to a draw: certificates for the statement will show these challenges. */
  agree(slot: CID, statement: CID, challenges: readonly Challenge[]): void {
    this.statementRecord(statement).fixed = challenges;
    this.tryCertify(this.slotRecord(slot));
  }

  /** The executor's draw for a statement goes out. */
  async publishDraw(statement: CID, draw: CID): Promise<void> {
    this.statementRecord(statement).draw.set(draw);
    await this.publish({ kind: "draw", statement, draw });
  }

  /** The draw that the executor published for a statement. */
  draw(statement: CID, signal: AbortSignal): Promise<CID> {
    return this.statementRecord(statement).draw.wait(this.within(signal));
  }

  /**
   * Casts this node's vote and waits for the slot's certificate, whatever statement it is for. Throws `NO_QUORUM` (kind
   * `conflict`) when no statement can reach a quorum any more.
   */
  async cast(vote: Vote, signal: AbortSignal): Promise<KnownCertificate> {
    const record = this.slotRecord(vote.slot);
    record.own = vote;
    this.count(record, vote);
    await this.publish({ kind: "vote", vote });
    if (record.certificate.value === undefined && record.tally.stuck()) throw this.noQuorum(record);
    return record.certificate.wait(this.within(signal));
  }

  private within(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, this.stop.signal]);
  }

  private noQuorum(record: SlotRecord): IpdmError {
    const { task, seq } = record.known?.slot ?? { task: "?", seq: 0 };
    return new IpdmError("NO_QUORUM", `no statement for ${task}/${seq} can reach a quorum: the members computed different results`, {
      kind: "conflict",
      where: `${task}/${seq}`,
      facts: { votes: record.tally.all().map((vote) => ({ voter: toHex(vote.voter), statement: vote.statement.toString() })) },
    });
  }

  private async publish(message: Message): Promise<void> {
    try {
      await this.ports.network?.publish(this.topic, encodeMessage(message));
    } catch (error) {
      // Gossip is best effort: what is lost is asked for again by sync.
      if (hasCode(error, "GOSSIP_TOO_LARGE")) throw error;
      this.ports.log.debug("a message did not go out", { kind: message.kind, error: String(error) });
    }
  }

  private hear(from: Uint8Array, data: Uint8Array): void {
    if (!isMember(this.ports.membership, from)) return;
    try {
      this.take(from, decodeMessage(data));
    } catch (error) {
      this.ports.log.warn("a member sent a message that does not parse", { from: toHex(from).slice(0, 16), error: String(error) });
    }
  }

  private take(from: Uint8Array, message: Message): void {
    const bySubmitter = equalBytes(from, this.ports.membership.submitter);
    switch (message.kind) {
      case "slot":
        return this.takeSlot(message.slot);
      case "statement":
        if (bySubmitter) this.slotRecord(message.slot).announced.set(message.statement);
        return;
      case "challenge": {
        const challenge = parseChallenge(message.challenge);
        if (isMember(this.ports.membership, challenge.voter) && challengeSigned(challenge, this.ports.verify)) this.learnChallenge(challenge);
        return;
      }
      case "draw":
        if (bySubmitter) this.statementRecord(message.statement).draw.set(message.draw);
        return;
      case "vote": {
        const vote = parseVote(message.vote);
        if (isMember(this.ports.membership, vote.voter) && voteSigned(vote, this.ports.verify)) this.count(this.slotRecord(vote.slot), vote);
        return;
      }
      case "certificate":
        return this.takeCertificate(message.certificate);
    }
  }

  private takeSlot(bytes: Uint8Array): void {
    const cid = cidOf(this.ports.hash, CODEC.dagCbor, bytes);
    const slot = parseSlot(decodeStrict(this.ports.hash, { cid, bytes }));
    if (!slot.membership.equals(this.ports.membershipCid) || !slotSigned(slot, this.ports.membership, this.ports.verify)) return;
    const known = { cid, slot, bytes };
    this.learnSlot(known);
    this.ports.onSlot(known);
  }

  private takeCertificate(bytes: Uint8Array): void {
    const cid = cidOf(this.ports.hash, CODEC.dagCbor, bytes);
    const certificate = parseCertificate(decodeStrict(this.ports.hash, { cid, bytes }));
    if (certificateFault(certificate, this.ports.membership, this.ports.hash, this.ports.verify) !== undefined) return;
    const record = this.slotRecord(certificate.slot);
    for (const vote of certificate.votes) this.count(record, vote);
    record.certificate.set({ block: { cid, bytes }, certificate });
  }

  private learnSlot(known: KnownSlot): void {
    this.slotRecord(known.cid).known = known;
    this.byPlace.set(`${known.slot.task}/${known.slot.seq}`, known);
  }

  private learnChallenge(challenge: Challenge): void {
    const record = this.statementRecord(challenge.statement);
    record.challenges.set(toHex(challenge.voter), challenge);
    for (const wake of record.changed.splice(0)) wake();
  }

  private count(record: SlotRecord, vote: Vote): void {
    const counted = record.tally.add(vote);
    if (counted.kind === "equivocation") this.report(record, "equivocation", vote);
    const certified = record.certificate.value;
    if (certified === undefined) this.tryCertify(record);
    else if (!certified.certificate.statement.equals(vote.statement)) this.report(record, "divergent", vote);
  }

  private tryCertify(record: SlotRecord): void {
    const votes = record.tally.winner();
    const first = votes?.[0];
    if (votes === undefined || first === undefined || record.certificate.value !== undefined) return;
    const { statement } = first;
    const challenges = first.draw === null ? [] : this.statementRecord(statement).fixed;
    if (challenges === undefined) return;
    const certificate = certificateOf(votes, challenges);
    const block = cborBlock(this.ports.hash, certificate);
    record.certificate.set({ block, certificate });
    for (const vote of record.tally.all()) if (!vote.statement.equals(statement)) this.report(record, "divergent", vote);
  }

  private report(record: SlotRecord, kind: Evidence["kind"], vote: Vote): void {
    const mark = `${kind}/${toHex(vote.voter)}/${vote.statement.toString()}`;
    if (record.known === undefined || record.reported.has(mark)) return;
    record.reported.add(mark);
    this.ports.onEvidence({ kind, voter: vote.voter, slot: record.known, statement: vote.statement });
  }

  /** Asks peers for what this node waits for. */
  private async sync(): Promise<void> {
    const { network, membership, log } = this.ports;
    if (network === undefined || this.syncing || this.stop.signal.aborted) return;
    this.syncing = true;
    try {
      const awaiting = [...this.slots].filter(([, record]) => record.own !== undefined && record.certificate.value === undefined);
      const request = encodeSyncRequest({ v: 1, next: { ...this.ports.wanted() }, awaiting: awaiting.slice(0, 256).map(([key]) => CID.parse(key)) });
      for (const peer of network.peers()) {
        if (!isMember(membership, peer)) continue;
        const answer = await network.request(peer, SYNC_PROTOCOL, request, { signal: this.stop.signal, timeoutMs: 5000 }).catch(() => undefined);
        if (answer === undefined) continue;
        try {
          for (const message of decodeSyncAnswer(answer)) this.take(peer, message);
        } catch (error) {
          log.warn("a member answered with what does not parse", { from: toHex(peer).slice(0, 16), error: String(error) });
        }
      }
    } finally {
      this.syncing = false;
    }
  }

  private async answer(from: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    if (!isMember(this.ports.membership, from)) throw new IpdmError("NOT_A_MEMBER", "only members of the domain may ask", { kind: "unreachable" });
    const { next, awaiting } = decodeSyncRequest(bytes);
    const messages: Message[] = [];
    for (const [task, seq] of Object.entries(next)) {
      for (let k = seq; k < seq + SYNC_ITEMS_MAX && messages.length < SYNC_ITEMS_MAX; k++) {
        const known = this.byPlace.get(`${task}/${k}`);
        if (known === undefined) break;
        messages.push({ kind: "slot", slot: known.bytes }, ...this.heardOf(this.slotRecord(known.cid), known.cid));
      }
    }
    for (const cid of awaiting) {
      const record = this.slots.get(cid.toString());
      if (record !== undefined && messages.length < 4 * SYNC_ITEMS_MAX) messages.push(...this.heardOf(record, cid));
    }
    return encodeSyncAnswer(messages);
  }

  private heardOf(record: SlotRecord, slot: CID): Message[] {
    const certified = record.certificate.value;
    if (certified !== undefined) return [{ kind: "certificate", certificate: certified.block.bytes }];
    const messages: Message[] = record.tally.all().slice(0, 3).map((vote) => ({ kind: "vote", vote }));
    const statement = record.announced.value;
    if (statement !== undefined) {
      messages.push({ kind: "statement", slot, statement });
      const { challenges, draw } = this.statementRecord(statement);
      for (const challenge of challenges.values()) messages.push({ kind: "challenge", challenge });
      if (draw.value !== undefined) messages.push({ kind: "draw", statement, draw: draw.value });
    }
    return messages.slice(0, 6);
  }

  private slotRecord(cid: CID): SlotRecord {
    const key = cid.toString();
    let record = this.slots.get(key);
    if (record === undefined) {
      if (this.slots.size >= RECORDS_MAX) throw new IpdmError("COMMITTEE_FULL", `more than ${RECORDS_MAX} slots in one run`);
      record = {
        known: undefined, announced: new Latch(), tally: new Tally(this.ports.membership), certificate: new Latch(), reported: new Set(), own: undefined,
      };
      this.slots.set(key, record);
    }
    return record;
  }

  private statementRecord(cid: CID): StatementRecord {
    const key = cid.toString();
    let record = this.statements.get(key);
    if (record === undefined) {
      if (this.statements.size >= RECORDS_MAX) throw new IpdmError("COMMITTEE_FULL", `more than ${RECORDS_MAX} statements in one run`);
      record = { challenges: new Map(), draw: new Latch(), fixed: undefined, changed: [] };
      this.statements.set(key, record);
    }
    return record;
  }
}

function changed(record: StatementRecord, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    record.changed.push(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}
