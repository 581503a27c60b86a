import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mustExecute } from "../../../src/consensus/draw.ts";
import type { Membership, Policy } from "../../../src/consensus/membership.ts";
import { Tally } from "../../../src/consensus/tally.ts";
import {
  type Certificate,
  certificateFault,
  certificateOf,
  parseCertificate,
  parseVote,
  signChallenge,
} from "../../../src/consensus/vote.ts";
import { compareBytes, utf8 } from "../../../src/core/bytes.ts";
import { cborBlock, decodeStrict } from "../../../src/dag/block.ts";
import { sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import { drawOf, linkTo, membershipOf, signersOf, voteOf } from "./domain.ts";

const signers = signersOf(5);
const membership = membershipOf(signers, 3);
const stranger = signerOf(sha256(utf8("stranger")));
const fault = (certificate: Certificate, of: Membership = membership) =>
  certificateFault(certificate, of, sha256, verifyEd25519)?.code;
const votes = (count: number, ...parts: Parameters<typeof voteOf>[1][]) =>
  signers.slice(0, count).map((signer, i) => voteOf(signer, parts[i] ?? parts[0]));

describe("a certificate", () => {
  it("has the same canonical bytes whatever the order of votes and challenges, and reads back", () => {
    const { challenges, seed } = drawOf(signers);
    const cast = votes(4, { draw: seed, proofs: [sha256(utf8("p"))] });
    const bytes = cborBlock(sha256, certificateOf(cast, challenges)).bytes;
    fc.assert(
      fc.property(
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
        (a, b) => {
          const shuffled = certificateOf(
            a.map((i) => cast[i] as (typeof cast)[number]),
            b.map((i) => challenges[i] as (typeof challenges)[number]),
          );
          const block = cborBlock(sha256, shuffled);
          expect(compareBytes(block.bytes, bytes)).toBe(0);
          const read = parseCertificate(decodeStrict(sha256, block));
          expect(compareBytes(cborBlock(sha256, read).bytes, bytes)).toBe(0);
          expect(fault(read)).toBeUndefined();
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([
    ["CERTIFICATE_MALFORMED", () => ({ ...certificateOf(votes(3), []), votes: votes(3).toReversed() })],
    ["CERTIFICATE_MALFORMED", () => ({ ...certificateOf(votes(3), []), votes: [...votes(2), ...votes(2).slice(1)] })],
    ["VOTE_STRANGER", () => certificateOf([...votes(2), voteOf(stranger)], [])],
    [
      "VOTE_MISMATCH",
      () => certificateOf([...votes(2), voteOf(signers[3] as typeof stranger, { slot: linkTo("other") })], []),
    ],
    [
      "VOTE_MISMATCH",
      () => certificateOf([...votes(2), voteOf(signers[3] as typeof stranger, { statement: linkTo("other") })], []),
    ],
    [
      "VOTE_MISMATCH",
      () => certificateOf([...votes(2), voteOf(signers[3] as typeof stranger, { proofs: [sha256(utf8("p"))] })], []),
    ],
    [
      "VOTE_MISMATCH",
      () => certificateOf([...votes(2), voteOf(signers[3] as typeof stranger, { draw: sha256(utf8("draw")) })], []),
    ],
    ["VOTE_WEAK", () => certificateOf(votes(3, { executed: false }), [])],
    ["VOTE_WEAK", () => certificateOf(votes(3, { policy: { verify: "sample", share: 1_000_000 } }), [])],
    [
      "SIGNATURE_INVALID",
      () =>
        certificateOf(
          votes(3).map((vote) => ({ ...vote, inputs: "fetched" as const })),
          [],
        ),
    ],
    ["QUORUM_MISSING", () => certificateOf(votes(2), [])],
    ["DRAW_MISMATCH", () => certificateOf(votes(3), drawOf(signers).challenges)],
    ["DRAW_MISMATCH", () => certificateOf(votes(3, { draw: sha256(utf8("other")) }), drawOf(signers).challenges)],
    ["DRAW_MISMATCH", () => tooFewChallenges()],
    ["DRAW_MISMATCH", () => challengedBySubmitter()],
    [
      "VOTE_STRANGER",
      () =>
        withChallenges((challenges) => [
          ...challenges,
          signChallenge(linkTo("statement"), new Uint8Array(32), stranger),
        ]),
    ],
    [
      "VOTE_MISMATCH",
      () =>
        withChallenges((challenges) => [
          ...challenges.slice(1),
          signChallenge(linkTo("other"), new Uint8Array(32), signers[1] as typeof stranger),
        ]),
    ],
    [
      "SIGNATURE_INVALID",
      () =>
        withChallenges((challenges) => challenges.map((challenge) => ({ ...challenge, nonce: new Uint8Array(32) }))),
    ],
  ] as const)("does not hold: %s", (code, make) => {
    expect(fault(make() as Certificate)).toBe(code);
  });

  it("holds under sample without execution only where the draw leaves the voter out", () => {
    const policy: Policy = { verify: "sample", share: 500_000 };
    const sampled = membershipOf(signers, 3, policy);
    const { challenges, seed } = drawOf(signers);
    const drawn = signers.filter((signer) => mustExecute(sha256, seed, signer.publicKey, policy));
    expect(drawn.length).toBeGreaterThan(0);
    const honest = signers.map((signer) => voteOf(signer, { policy, draw: seed, executed: drawn.includes(signer) }));
    expect(fault(certificateOf(honest, challenges), sampled)).toBeUndefined();
    const lazy = signers.map((signer) => voteOf(signer, { policy, draw: seed, executed: false }));
    expect(fault(certificateOf(lazy, challenges), sampled)).toBe("VOTE_WEAK");
    const weaker = signers.map((signer) => voteOf(signer, { policy: { verify: "sample", share: 1 }, draw: seed }));
    expect(fault(certificateOf(weaker, challenges), sampled)).toBe("VOTE_WEAK");
    expect(
      fault(
        certificateOf(
          signers.map((signer) => voteOf(signer, { policy, executed: false })),
          [],
        ),
        sampled,
      ),
    ).toBe("DRAW_MISMATCH");
  });

  function withChallenges(
    change: (challenges: ReturnType<typeof drawOf>["challenges"]) => ReturnType<typeof drawOf>["challenges"],
  ): Certificate {
    const { challenges, seed } = drawOf(signers);
    return certificateOf(votes(3, { draw: seed }), change(challenges));
  }

  function tooFewChallenges(): Certificate {
    const { challenges, seed } = drawOf(signers.slice(0, 2));
    return certificateOf(votes(3, { draw: seed }), challenges);
  }

  function challengedBySubmitter(): Certificate {
    const { challenges, seed } = drawOf([stranger, ...signers]);
    return certificateOf(votes(3, { draw: seed }), challenges);
  }
});

describe("votes from outside", () => {
  it("are read strictly", () => {
    const vote = voteOf(signers[0] as typeof stranger);
    expect(parseVote(vote)).toEqual(vote);
    for (const wrong of [
      null,
      {},
      { ...vote, extra: 1 },
      { ...vote, voter: new Uint8Array(31) },
      { ...vote, draw: "x" },
      { ...vote, inputs: "none" },
    ]) {
      expect(() => parseVote(wrong)).toThrow(expect.objectContaining({ code: "NODE_MALFORMED" }));
    }
  });
});

describe("a tally", () => {
  const other = { statement: linkTo("other") };

  it("counts a member once, finds a second vote out, and leaves strangers and weak votes out", () => {
    const tally = new Tally(membership);
    const [a, b] = signers as [typeof stranger, typeof stranger];
    expect(tally.add(voteOf(a)).kind).toBe("counted");
    expect(tally.add(voteOf(a)).kind).toBe("known");
    expect(tally.add(voteOf(a, other))).toMatchObject({
      kind: "equivocation",
      first: { statement: linkTo("statement") },
      second: { statement: linkTo("other") },
    });
    expect(tally.add(voteOf(stranger)).kind).toBe("stranger");
    expect(tally.add(voteOf(b, { executed: false })).kind).toBe("weak");
    expect(tally.all().length).toBe(1);
  });

  it("has a winner exactly when a quorum agrees, and is stuck exactly when none can any more, in any order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(2), { minLength: 5, maxLength: 5 }),
        fc.shuffledSubarray([0, 1, 2, 3, 4]),
        fc.integer({ min: 3, max: 5 }),
        (choices, order, quorum) => {
          const tally = new Tally(membershipOf(signers, quorum));
          for (const i of order)
            tally.add(voteOf(signers[i] as typeof stranger, { statement: linkTo(`choice ${choices[i]}`) }));
          const groups = [0, 1, 2].map((choice) => order.filter((i) => choices[i] === choice).length);
          const largest = Math.max(...groups);
          expect(tally.winner() !== undefined).toBe(largest >= quorum);
          expect(tally.stuck()).toBe(largest + (5 - order.length) < quorum);
        },
      ),
      { numRuns: 60 },
    );
  });
});
