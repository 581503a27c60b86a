import type { CID } from "multiformats/cid";
import { afterEach, describe, expect, it } from "vitest";
import { Committee } from "../../../actors/domain/committee.ts";
import type { Evidence } from "../../../actors/domain/committee-ports.ts";
import { encodeMessage, encodeSyncAnswer, type Message } from "../../../actors/domain/messages.ts";
import type { KnownSlot } from "../../../actors/domain/slot-book.ts";
import { RECORDED_KEPT_MAX } from "../../../actors/domain/slot-book.ts";
import { STRAYS_PER_MEMBER_MAX } from "../../../actors/domain/strays.ts";
import { SYNC_PROTOCOL } from "../../../actors/domain/sync.ts";
import { mustExecute } from "../../../src/consensus/draw.ts";
import type { Membership, Policy } from "../../../src/consensus/membership.ts";
import { type Place, type Slot, signSlot } from "../../../src/consensus/slot.ts";
import { certificateOf, signChallenge, signVote, type Vote } from "../../../src/consensus/vote.ts";
import { toHex, utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import type { Timers } from "../../../src/network/deadline.ts";
import { MemoryHub } from "../../../src/network/memory-network.ts";
import type { Network } from "../../../src/network/port.ts";
import { quietLog, sha256, verifyEd25519 } from "../../../src/node.ts";
import { linkTo, membershipOf, signersOf } from "../../property/consensus/domain.ts";

const signal = new AbortController().signal;
const membershipCid = linkTo("membership");
const run = linkTo("run");
const key = linkTo("key");
const topic = `ipdm/1/${run.toString()}/control`;
const placeOf = (seq: number): Place => ({ task: "t", key, seq });
const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** Timers that fire only when a test says so. */
class TestTimers implements Timers {
  private readonly due = new Set<() => void>();

  after(_delayMs: number, run: () => void): () => void {
    this.due.add(run);
    return () => void this.due.delete(run);
  }

  fire(): void {
    for (const run of [...this.due]) if (this.due.delete(run)) run();
  }
}

interface Seat {
  readonly hub: MemoryHub;
  readonly signers: readonly Signer[];
  readonly membership: Membership;
  readonly committee: Committee;
  readonly peers: readonly Network[];
  readonly evidence: Evidence[];
  readonly warnings: Record<string, unknown>[];
  readonly timers: TestTimers;
  readonly wanted: Place[];
  /** Lets another member publish messages, and delivers everything. */
  say(peer: number, ...messages: readonly (Message | Uint8Array)[]): Promise<void>;
}

/** A committee of the domain's second member; the other members are bare peers. */
async function seat(members: number, quorum: number, policy?: Policy): Promise<Seat> {
  const signers = signersOf(members);
  const membership = membershipOf(signers, quorum, policy);
  const hub = new MemoryHub({ mode: "manual" });
  const [own, ...others] = [1, 0, ...signers.keys().drop(2)].map((i) => signers[i] as Signer) as [Signer, ...Signer[]];
  const network = hub.join(own.publicKey);
  const peers = others.map((signer) => hub.join(signer.publicKey));
  for (const peer of peers) peer.subscribe(topic, () => {});
  const evidence: Evidence[] = [];
  const warnings: Seat["warnings"] = [];
  const timers = new TestTimers();
  const wanted = [placeOf(0)];
  const committee = new Committee({
    network,
    membership,
    membershipCid,
    run,
    signer: own,
    hash: sha256,
    verify: verifyEd25519,
    log: { ...quietLog, warn: (message, fields) => void warnings.push({ message, ...fields }) },
    timers,
    onEvidence: (item) => void evidence.push(item),
    wanted: () => wanted,
    recall: async () => undefined,
  });
  closers.push(() => committee.close());
  await committee.open(signal);
  return {
    hub,
    signers: [own, ...others],
    membership,
    committee,
    peers,
    evidence,
    warnings,
    timers,
    wanted,
    say: async (peer, ...messages) => {
      for (const message of messages)
        await peers[peer]?.publish(topic, message instanceof Uint8Array ? message : encodeMessage(message));
      await hub.flush();
    },
  };
}

function slotOf(
  { signers, membership }: Seat,
  seq: number,
  parts: Partial<Slot["input"]> = {},
  by = signers[1] as Signer,
  work: Partial<Slot> = {},
): KnownSlot {
  const input = { from: 0, rows: 1, end: false, cut: 4, batches: [], ...parts };
  const { domain, epoch, submitter } = membership;
  const slot = signSlot(
    {
      v: 1,
      membership: membershipCid,
      domain,
      epoch,
      ...placeOf(seq),
      stage: linkTo("stage"),
      input,
      submitter,
      ...work,
    },
    by,
  );
  const block = cborBlock(sha256, slot);
  return { cid: block.cid, slot, bytes: block.bytes };
}

function voteOf(signer: Signer, slot: CID, statement = linkTo("statement"), proofs: Uint8Array[] = []): Vote {
  return signVote(
    { slot, statement, policy: { verify: "full" }, executed: true, inputs: "read", draw: null, proofs },
    signer,
  );
}

const offer = (known: KnownSlot): Message => ({ kind: "slot", slot: known.bytes });
const ballot = (vote: Vote): Message => ({ kind: "vote", vote });

describe("a committee", () => {
  it("certifies a quorum's statement, its own vote among it or not", async () => {
    const at = await seat(3, 2);
    const [own, first, second] = at.signers as [Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    await at.say(0, offer(slot), ballot(voteOf(first, slot.cid)));
    await at.say(1, ballot(voteOf(second, slot.cid)));
    const { certificate } = await at.committee.cast(voteOf(own, slot.cid, linkTo("other")), signal);
    expect(String(certificate.statement)).toBe(String(linkTo("statement")));
    expect(at.evidence.map(({ kind, voter }) => ({ kind, voter }))).toEqual([
      { kind: "divergent", voter: own.publicKey },
    ]);
  });

  it("counts votes that came before their slot", async () => {
    const at = await seat(3, 2);
    const [own, first] = at.signers as [Signer, Signer];
    const slot = slotOf(at, 0);
    await at.say(0, ballot(voteOf(first, slot.cid)));
    expect(at.committee.held).toEqual({ slots: 0, strays: 1 });
    await at.say(0, offer(slot));
    expect(at.committee.held).toEqual({ slots: 1, strays: 0 });
    expect((await at.committee.cast(voteOf(own, slot.cid), signal)).certificate.votes.length).toBe(2);
  });

  it("keeps to the first of two slots for one place, and says who signed both", async () => {
    const at = await seat(3, 2);
    const slot = slotOf(at, 0);
    const fork = slotOf(at, 0, { rows: 2 });
    await at.say(0, offer(slot), offer(fork), offer(fork), offer(slot));
    expect((await at.committee.slotAt(placeOf(0), signal)).cid).toEqual(slot.cid);
    expect(at.evidence.map(({ kind, voter, statement }) => ({ kind, voter, statement }))).toEqual([
      { kind: "forked", voter: at.membership.submitter, statement: fork.cid },
    ]);
  });

  it("takes slots of another run of the task neither for its own nor for a fork", async () => {
    const at = await seat(3, 2);
    const other = { key: linkTo("another run") };
    const slot = slotOf(at, 0);
    await at.say(0, offer(slotOf(at, 0, {}, at.signers[1], other)), offer(slot));
    await at.say(0, offer(slotOf(at, 0, { rows: 2 }, at.signers[1], other)));
    expect((await at.committee.slotAt(placeOf(0), signal)).cid).toEqual(slot.cid);
    expect(at.committee.held).toEqual({ slots: 1, strays: 0 });
    expect(at.evidence).toEqual([]);
  });

  it("takes slots of the submitter only, of tasks it wants, and not too far ahead", async () => {
    const at = await seat(3, 2);
    await at.say(0, offer(slotOf(at, 0, {}, at.signers[2])), offer(slotOf(at, 100_000)));
    at.wanted[0] = placeOf(5);
    await at.say(0, offer(slotOf(at, 4)));
    expect(at.committee.held.slots).toBe(0);
    await at.say(0, offer(slotOf(at, 5)));
    expect(at.committee.held.slots).toBe(1);
  });

  it("tells a second vote once, however many follow", async () => {
    const at = await seat(3, 2);
    const second = at.signers[2] as Signer;
    const slot = slotOf(at, 0);
    await at.say(0, offer(slot));
    await at.say(
      1,
      ...Array.from({ length: 20 }, (_, i) => ballot(voteOf(second, slot.cid, linkTo(`statement ${i}`)))),
    );
    expect(at.evidence.map(({ kind }) => kind)).toEqual(["equivocation"]);
  });

  it("says once whose vote does not count, and why", async () => {
    const sample = { verify: "sample", share: 500_000 } as const;
    const at = await seat(4, 3, sample);
    const [, first, second, third] = at.signers as [Signer, Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    const cast = (by: Signer, parts: Partial<Vote>): Message => {
      const { voter: _, signature: __, ...body } = { ...voteOf(by, slot.cid), ...parts };
      return ballot(signVote(body, by));
    };
    // A seed that tells the second member to execute.
    const seeds = Array.from({ length: 64 }, (_, i) => sha256(utf8(`seed ${i}`)));
    const draw = seeds.find((seed) => mustExecute(sha256, seed, second.publicKey, sample)) ?? null;
    await at.say(0, offer(slot));
    for (let i = 0; i < 3; i++) {
      await at.say(0, cast(first, { policy: sample, executed: false }));
      await at.say(1, cast(second, { policy: sample, executed: false, draw }));
      await at.say(2, cast(third, { policy: { verify: "sample", share: 1 }, executed: true }));
    }
    const name = (signer: Signer): string => toHex(signer.publicKey).slice(0, 16);
    expect(at.warnings).toEqual([
      { message: "a vote does not count", slot: "t/0", voter: name(first), why: expect.stringContaining("not drawn") },
      { message: "a vote does not count", slot: "t/0", voter: name(second), why: expect.stringContaining("draw") },
      { message: "a vote does not count", slot: "t/0", voter: name(third), why: expect.stringContaining("policy") },
    ]);
    expect(at.evidence).toEqual([]);
  });

  it("keeps a member's early votes though another repeats its old ones", async () => {
    const at = await seat(4, 2);
    const [own, first] = at.signers as [Signer, Signer];
    const slot = slotOf(at, 0);
    await at.say(0, ballot(voteOf(first, slot.cid)));
    for (let i = 0; i < 2 * STRAYS_PER_MEMBER_MAX; i++) await at.say(1, ballot(voteOf(first, linkTo(`old slot ${i}`))));
    await at.say(0, offer(slot));
    expect((await at.committee.cast(voteOf(own, slot.cid), signal)).certificate.votes.length).toBe(2);
  });

  it("gives a member's junk a bounded room of its own, and other members theirs", async () => {
    const at = await seat(4, 3);
    const [own, first, second] = at.signers as [Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    await at.say(0, ballot(voteOf(first, slot.cid)));
    for (let i = 0; i < 3 * STRAYS_PER_MEMBER_MAX; i++) {
      await at.say(1, ballot(voteOf(second, linkTo(`slot ${i}`))), {
        kind: "challenge",
        challenge: signChallenge(linkTo(`statement ${i}`), sha256(utf8(`${i}`)), second),
      });
      await at.say(1, { kind: "draw", statement: linkTo(`${i}`), draw: linkTo(`${i}`) }, utf8("no message"));
    }
    expect(at.committee.held).toEqual({ slots: 0, strays: STRAYS_PER_MEMBER_MAX + 1 });
    await at.say(0, offer(slot));
    await at.say(2, ballot(voteOf(at.signers[3] as Signer, slot.cid)));
    expect((await at.committee.cast(voteOf(own, slot.cid), signal)).certificate.votes.length).toBe(3);
  });

  it("hears nobody who is not a member, and no vote that is not signed", async () => {
    const at = await seat(3, 3);
    const slot = slotOf(at, 0);
    const stranger = at.hub.join(sha256(utf8("stranger")));
    await stranger.publish(topic, encodeMessage(offer(slot)));
    await at.hub.flush();
    expect(at.committee.held.slots).toBe(0);
    await at.say(0, offer(slot), ballot({ ...voteOf(at.signers[1] as Signer, slot.cid), statement: linkTo("forged") }));
    await at.say(
      1,
      ballot({ ...voteOf(at.signers[1] as Signer, slot.cid), voter: (at.signers[2] as Signer).publicKey }),
    );
    expect(at.evidence).toEqual([]);
  });

  it("says that there is no quorum as soon as there can be none, also after its own vote", async () => {
    const at = await seat(3, 2);
    const [own, first, second] = at.signers as [Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    await at.say(0, offer(slot), ballot(voteOf(first, slot.cid, linkTo("a"))));
    const cast = at.committee.cast(voteOf(own, slot.cid, linkTo("b")), signal);
    const failed = expect(cast).rejects.toMatchObject({ code: "NO_QUORUM", kind: "conflict" });
    await at.say(1, ballot(voteOf(second, slot.cid, linkTo("c"))));
    await at.hub.flush();
    await failed;
  });

  it("finds a certificate elsewhere before it says so", async () => {
    const at = await seat(3, 2);
    const [own, first, second] = at.signers as [Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    const certificate = cborBlock(
      sha256,
      certificateOf([voteOf(own, slot.cid, linkTo("a")), voteOf(first, slot.cid, linkTo("a"))], []),
    );
    at.peers[0]?.handle(SYNC_PROTOCOL, async () =>
      encodeSyncAnswer([utf8("no message"), encodeMessage({ kind: "certificate", certificate: certificate.bytes })]),
    );
    await at.say(0, offer(slot), ballot(voteOf(first, slot.cid, linkTo("b"))));
    await at.say(1, ballot(voteOf(second, slot.cid, linkTo("c"))));
    const cast = at.committee.cast(voteOf(own, slot.cid, linkTo("a")), signal);
    await at.hub.flush();
    expect((await cast).block.cid).toEqual(certificate.cid);
    expect(at.evidence.map(({ kind }) => kind).sort()).toEqual(["divergent", "divergent", "equivocation"]);
  });

  it("does not fail over a vote that is too large for gossip", async () => {
    const at = await seat(3, 2);
    const [own, first] = at.signers as [Signer, Signer];
    const slot = slotOf(at, 0);
    const proofs = Array.from({ length: 1000 }, (_, i) => sha256(utf8(`proof ${i}`)));
    at.peers[0]?.handle(SYNC_PROTOCOL, async () =>
      encodeSyncAnswer([encodeMessage(ballot(voteOf(first, slot.cid, linkTo("statement"), proofs)))]),
    );
    await at.say(0, offer(slot));
    const cast = at.committee.cast(voteOf(own, slot.cid, linkTo("statement"), proofs), signal);
    at.timers.fire();
    await at.hub.flush();
    expect((await cast).certificate.proofs.length).toBe(1000);
  });

  it("leaves a draw or announcement alone that is not the submitter's, and keeps the first that is", async () => {
    const at = await seat(3, 2);
    const slot = slotOf(at, 0);
    await at.say(0, offer(slot));
    await at.say(1, { kind: "statement", slot: slot.cid, statement: linkTo("wrong") });
    await at.say(0, { kind: "statement", slot: slot.cid, statement: linkTo("right") });
    await at.say(0, { kind: "statement", slot: slot.cid, statement: linkTo("late") });
    expect(String(await at.committee.announced(slot.cid, signal))).toBe(String(linkTo("right")));
    await at.say(1, { kind: "draw", statement: linkTo("right"), draw: linkTo("wrong") });
    await at.say(0, { kind: "draw", statement: linkTo("right"), draw: linkTo("draw") });
    expect(String(await at.committee.draw({ slot: slot.cid, statement: linkTo("right") }, signal))).toBe(
      String(linkTo("draw")),
    );
  });

  it("waits for the challenges of a quorum, then a while for the others'", async () => {
    const at = await seat(4, 3);
    const slot = slotOf(at, 0);
    at.committee.learn(slot);
    const subject = { slot: slot.cid, statement: linkTo("statement") };
    const own = (at.signers[0] as Signer).publicKey;
    let given: number | undefined;
    const waiting = at.committee.challenges(subject, own, signal).then((challenges) => (given = challenges.length));
    const challenge = (i: number): Message => ({
      kind: "challenge",
      challenge: signChallenge(subject.statement, new Uint8Array(32), at.signers[i] as Signer),
    });
    await at.say(0, challenge(1));
    at.timers.fire();
    await at.hub.flush();
    expect(given).toBeUndefined();
    await at.say(1, challenge(2));
    expect(given).toBeUndefined();
    at.timers.fire();
    await waiting;
    expect(given).toBe(2);
  });

  it("forgets what was recorded long ago", async () => {
    const at = await seat(3, 2);
    const [own, first] = at.signers as [Signer, Signer];
    for (let seq = 0; seq < RECORDED_KEPT_MAX + 50; seq++) {
      const slot = slotOf(at, seq);
      const certificate = certificateOf([voteOf(own, slot.cid), voteOf(first, slot.cid)], []);
      at.committee.learnRecorded(slot, { block: cborBlock(sha256, certificate), certificate });
    }
    expect(at.committee.held.slots).toBe(RECORDED_KEPT_MAX);
    expect(at.committee.knownSlot(placeOf(0))).toBeUndefined();
    expect(at.committee.knownSlot(placeOf(RECORDED_KEPT_MAX))).toBeDefined();
  });

  it("gives up work for a slot that a quorum certified meanwhile", async () => {
    const at = await seat(3, 2);
    const [, first, second] = at.signers as [Signer, Signer, Signer];
    const slot = slotOf(at, 0);
    at.committee.learn(slot);
    const working = at.committee.unlessCertified(slot.cid, signal, (bound) => at.committee.announced(slot.cid, bound));
    await at.say(0, ballot(voteOf(first, slot.cid)));
    await at.say(1, ballot(voteOf(second, slot.cid)));
    expect(await working).toBeUndefined();
    expect(at.committee.certificate(slot.cid)?.certificate.votes.length).toBe(2);
  });

  it("ends every wait when it closes", async () => {
    const at = await seat(3, 2);
    const slot = slotOf(at, 0);
    at.committee.learn(slot);
    const waits = [
      at.committee.slotAt(placeOf(1), signal),
      at.committee.cast(voteOf(at.signers[0] as Signer, slot.cid), signal),
      at.committee.announced(slot.cid, signal),
    ];
    const ended = waits.map((wait) => expect(wait).rejects.toMatchObject({ code: "COMMITTEE_CLOSED" }));
    await at.hub.flush();
    at.committee.close();
    await Promise.all(ended);
  });
});
