import * as dagCbor from "@ipld/dag-cbor";
import type { CID } from "multiformats/cid";
import { z } from "zod";
import { compareBytes, equalBytes } from "../core/bytes.ts";
import type { Hash, Signer, Verify } from "../core/ports.ts";
import { drawSeed, mustExecute } from "./draw.ts";
import { bytes32, bytes64, link, parseNode } from "./ipld-schema.ts";
import type { Membership } from "./membership.ts";
import { isMember, MEMBERS_MAX, policySchema } from "./membership.ts";

/** Proof identities a vote may cover. */
export const VOTE_PROOFS_MAX = 1024;

const voteSchema = z.strictObject({
  slot: link,
  statement: link,
  policy: policySchema,
  /** True when this voter executed the slot itself; under `full` always. */
  executed: z.boolean(),
  /** `read`: the voter read the source itself; `fetched`: it took the batches from the submitter by their CIDs. */
  inputs: z.enum(["read", "fetched"]),
  /** Seed of what was drawn for the statement (see draw.ts); null where nothing is drawn. */
  draw: bytes32.nullable(),
  proofs: z.array(bytes32).max(VOTE_PROOFS_MAX),
  voter: bytes32,
  signature: bytes64,
});

/** A member's signed word that a statement is right for a slot, how it checked, and which proofs it checked with it. */
export type Vote = z.infer<typeof voteSchema>;

const challengeSchema = z.strictObject({ statement: link, nonce: bytes32, voter: bytes32, signature: bytes64 });

/** 32 bytes, unforeseeable to others, that a member signs after it holds a statement; what is drawn depends on them. */
export type Challenge = z.infer<typeof challengeSchema>;

const certificateSchema = z.strictObject({
  v: z.literal(1),
  slot: link,
  statement: link,
  challenges: z.array(challengeSchema).max(MEMBERS_MAX),
  proofs: z.array(bytes32).max(VOTE_PROOFS_MAX),
  votes: z.array(voteSchema).min(1).max(MEMBERS_MAX),
});

/** Matching votes of a quorum, voters ascending, with the challenges behind the draw. */
export type Certificate = z.infer<typeof certificateSchema>;

/** Reads a vote. Throws `NODE_MALFORMED`. */
export function parseVote(value: unknown): Vote {
  return parseNode(voteSchema, "vote", value);
}

/** Reads a challenge. Throws `NODE_MALFORMED`. */
export function parseChallenge(value: unknown): Challenge {
  return parseNode(challengeSchema, "challenge", value);
}

/** Reads a certificate node. Throws `NODE_MALFORMED`. It does not check the votes: see {@link certificateFault}. */
export function parseCertificate(value: unknown): Certificate {
  return parseNode(certificateSchema, "certificate", value);
}

/** Signs a vote: Ed25519 over dag-cbor `["ipdm/vote/1", slot, statement, policy, executed, inputs, draw, proofs]`. */
export function signVote(body: Omit<Vote, "voter" | "signature">, signer: Signer): Vote {
  return { ...body, voter: signer.publicKey, signature: signer.sign(voteMessage(body)) };
}

/** True when the vote is the member's own. */
export function voteSigned(vote: Vote, verify: Verify): boolean {
  return verify(vote.voter, voteMessage(vote), vote.signature);
}

function voteMessage(vote: Omit<Vote, "voter" | "signature">): Uint8Array {
  return dagCbor.encode([
    "ipdm/vote/1",
    vote.slot,
    vote.statement,
    vote.policy,
    vote.executed,
    vote.inputs,
    vote.draw,
    vote.proofs,
  ]);
}

/** Signs a challenge: Ed25519 over dag-cbor `["ipdm/challenge/1", statement, nonce]`. */
export function signChallenge(statement: CID, nonce: Uint8Array, signer: Signer): Challenge {
  return { statement, nonce, voter: signer.publicKey, signature: signer.sign(challengeMessage(statement, nonce)) };
}

/** True when the challenge is the member's own. */
export function challengeSigned(challenge: Challenge, verify: Verify): boolean {
  return verify(challenge.voter, challengeMessage(challenge.statement, challenge.nonce), challenge.signature);
}

function challengeMessage(statement: CID, nonce: Uint8Array): Uint8Array {
  return dagCbor.encode(["ipdm/challenge/1", statement, nonce]);
}

/** Builds a certificate from matching votes; voters and challengers ascending, so the same votes give the same bytes. */
export function certificateOf(votes: readonly Vote[], challenges: readonly Challenge[]): Certificate {
  const ordered = votes.toSorted((a, b) => compareBytes(a.voter, b.voter));
  const first = ordered[0] as Vote;
  return {
    v: 1,
    slot: first.slot,
    statement: first.statement,
    challenges: challenges.toSorted((a, b) => compareBytes(a.voter, b.voter)),
    proofs: first.proofs,
    votes: ordered,
  };
}

/** Why a certificate does not hold in a membership, or `undefined` when it does: code and words for `verify`. */
export function certificateFault(
  certificate: Certificate,
  membership: Membership,
  hash: Hash,
  verify: Verify,
): CertificateFault | undefined {
  const { votes, slot, statement, proofs } = certificate;
  const { challenges } = certificate;
  const draw = (votes[0] as Vote).draw;
  if (!ascending(votes) || !ascending(challenges))
    return { code: "CERTIFICATE_MALFORMED", message: "voters are not ascending and distinct" };
  for (const vote of votes) {
    if (!isMember(membership, vote.voter))
      return { code: "VOTE_STRANGER", message: "a vote is by a key outside the membership" };
    const same =
      vote.slot.equals(slot) &&
      vote.statement.equals(statement) &&
      sameProofs(vote.proofs, proofs) &&
      sameDraw(vote.draw, draw);
    if (!same)
      return { code: "VOTE_MISMATCH", message: "a vote is for another slot, statement, draw or set of proofs" };
    const drawn = draw !== null && mustExecute(hash, draw, vote.voter, vote.policy);
    if (!strongEnough(vote, membership) || (drawn && !vote.executed))
      return { code: "VOTE_WEAK", message: "a vote checked less than the policy asks for" };
    if (!voteSigned(vote, verify)) return { code: "SIGNATURE_INVALID", message: "a vote's signature does not hold" };
  }
  for (const challenge of challenges) {
    if (!isMember(membership, challenge.voter))
      return { code: "VOTE_STRANGER", message: "a challenge is by a key outside the membership" };
    if (!challenge.statement.equals(statement))
      return { code: "VOTE_MISMATCH", message: "a challenge is for another statement" };
    if (!challengeSigned(challenge, verify))
      return { code: "SIGNATURE_INVALID", message: "a challenge's signature does not hold" };
  }
  if (votes.length < membership.quorum)
    return { code: "QUORUM_MISSING", message: `${votes.length} votes, ${membership.quorum} needed` };
  return drawFault(certificate, draw, membership, hash);
}

/** The draw is that of the challenges shown, and enough members other than the submitter challenged. */
function drawFault(
  { challenges, statement, votes }: Certificate,
  draw: Uint8Array | null,
  membership: Membership,
  hash: Hash,
): CertificateFault | undefined {
  if (draw === null) {
    const needed = challenges.length > 0 || votes.some((vote) => !vote.executed);
    return needed ? { code: "DRAW_MISMATCH", message: "there is no draw where there should be one" } : undefined;
  }
  if (!equalBytes(draw, drawSeed(hash, statement, challenges)))
    return { code: "DRAW_MISMATCH", message: "the draw does not follow from the challenges" };
  const others = challenges.filter((challenge) => !equalBytes(challenge.voter, membership.submitter)).length;
  if (others !== challenges.length || others < Math.min(membership.members.length, membership.quorum) - 1) {
    return {
      code: "DRAW_MISMATCH",
      message: `${others} members challenged, ${membership.quorum - 1} needed besides the submitter`,
    };
  }
  return undefined;
}

/** Why a certificate does not hold. */
export interface CertificateFault {
  readonly code: string;
  readonly message: string;
}

/** A vote counts when it checked at least as much as the membership's policy asks for. */
export function strongEnough(vote: Vote, membership: Membership): boolean {
  const asked = membership.policy;
  if (asked.verify === "full") return vote.policy.verify === "full" && vote.executed;
  return vote.policy.verify === "full" ? vote.executed : vote.policy.share >= asked.share;
}

function ascending(signed: readonly { readonly voter: Uint8Array }[]): boolean {
  return signed.every(
    (item, i) => i === 0 || compareBytes((signed[i - 1] as { voter: Uint8Array }).voter, item.voter) < 0,
  );
}

/** True when two votes are for the same thing; how each voter checked it may differ. */
export function sameBallot(a: Vote, b: Vote): boolean {
  return (
    a.slot.equals(b.slot) &&
    a.statement.equals(b.statement) &&
    sameDraw(a.draw, b.draw) &&
    sameProofs(a.proofs, b.proofs)
  );
}

function sameDraw(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : equalBytes(a, b);
}

function sameProofs(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((id, i) => equalBytes(id, b[i] as Uint8Array));
}
