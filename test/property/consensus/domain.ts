import { drawSeed } from "../../../src/consensus/draw.ts";
import type { Membership, Policy } from "../../../src/consensus/membership.ts";
import { type Challenge, signChallenge, signVote, type Vote } from "../../../src/consensus/vote.ts";
import { compareBytes, utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { sha256, signerOf } from "../../../src/node.ts";

/** A link that stands for something. */
export const linkTo = (what: string) => cborBlock(sha256, what).cid;

/** Signers of a domain, in the order of their keys; the first submits. */
export function signersOf(members: number): Signer[] {
  return Array.from({ length: members }, (_, i) => signerOf(sha256(utf8(`member ${i}`)))).sort((a, b) =>
    compareBytes(a.publicKey, b.publicKey),
  );
}

export function membershipOf(
  signers: readonly Signer[],
  quorum: number,
  policy: Policy = { verify: "full" },
): Membership {
  const members = signers.map((signer) => signer.publicKey);
  return { v: 1, domain: "d", epoch: 1, members, submitter: members[0] as Uint8Array, quorum, policy };
}

/** A vote as a member of a membership with policy `full` casts it, but for the parts given. */
export function voteOf(signer: Signer, parts: Partial<Omit<Vote, "voter" | "signature">> = {}): Vote {
  const body = {
    slot: linkTo("slot"),
    statement: linkTo("statement"),
    policy: { verify: "full" as const },
    executed: true,
    inputs: "read" as const,
    draw: null,
    proofs: [],
  };
  return signVote({ ...body, ...parts }, signer);
}

/** Challenges to a statement by everyone but the submitter, and their seed. */
export function drawOf(
  signers: readonly Signer[],
  statement = linkTo("statement"),
): { challenges: Challenge[]; seed: Uint8Array } {
  const challenges = signers.slice(1).map((signer, i) => signChallenge(statement, sha256(utf8(`nonce ${i}`)), signer));
  return { challenges, seed: drawSeed(sha256, statement, challenges) };
}
