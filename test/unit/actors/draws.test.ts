import { describe, expect, it } from "vitest";
import type { Committee } from "../../../actors/domain/committee.ts";
import { type Draw, type DrawPorts, drawAsVoter } from "../../../actors/domain/draws.ts";
import { drawSeed } from "../../../src/consensus/draw.ts";
import { type Challenge, signChallenge } from "../../../src/consensus/vote.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import type { Signer } from "../../../src/core/ports.ts";
import { cborBlock } from "../../../src/dag/block.ts";
import { MemoryStore } from "../../../src/journal/memory-store.ts";
import { sha256, signerOf, verifyEd25519 } from "../../../src/node.ts";
import { drawOf, linkTo, membershipOf, signersOf } from "../../property/consensus/domain.ts";

const signers = signersOf(4);
const [submitter, own, third] = signers as [Signer, Signer, Signer];
const stranger = signerOf(sha256(utf8("stranger")));
const subject = { slot: linkTo("slot"), statement: linkTo("statement") };
const other = linkTo("another statement");
const { challenges } = drawOf(signers, subject.statement);
const [first, second] = challenges as [Challenge, Challenge];
const by = (signer: Signer, statement = subject.statement): Challenge =>
  signChallenge(statement, sha256(utf8("nonce")), signer);

/** A voter that hears of this draw, and what it makes of it. */
async function heard(node: object): Promise<{ readonly draw: Promise<Draw>; readonly store: MemoryStore }> {
  const block = cborBlock(sha256, { v: 1, statement: subject.statement, challenges, proofs: [], ...node });
  const store = new MemoryStore({ hash: sha256 });
  const committee: Pick<Committee, "challenge" | "draw" | "agree"> = {
    challenge: async () => {},
    draw: async () => block.cid,
    agree: () => {},
  };
  const ports: DrawPorts = {
    hash: sha256,
    verify: verifyEd25519,
    signer: own,
    membership: membershipOf(signers, 3),
    committee: committee as Committee,
    read: async () => block.bytes,
    put: (blocks) => store.blocks.putAll(blocks),
    meta: store.meta,
  };
  return { draw: drawAsVoter(ports, subject, new AbortController().signal), store };
}

const kept = `draw/${subject.statement.toString()}`;

describe("a voter that hears of a draw", () => {
  it("takes the draw of a quorum's own challenges, and remembers it", async () => {
    const from = [first, second];
    const { draw, store } = await heard({ challenges: from });
    expect((await draw).seed).toEqual(drawSeed(sha256, subject.statement, from));
    expect(await store.meta.get(kept)).toBeDefined();
  });

  it.each([
    ["fewer challenges than a quorum's", { challenges: [first] }],
    ["one challenge twice", { challenges: [first, first] }],
    ["a stranger's challenge", { challenges: [first, by(stranger)] }],
    ["the submitter's own challenge", { challenges: [first, by(submitter)] }],
    ["a challenge to another statement", { challenges: [first, by(third, other)] }],
    ["a nonce that the member did not sign", { challenges: [first, { ...second, nonce: sha256(utf8("chosen")) }] }],
    ["challenges for another statement's draw", { statement: other }],
  ])("refuses one that rests on %s, and keeps nothing of it", async (_, node) => {
    const { draw, store } = await heard(node);
    await expect(draw).rejects.toMatchObject({ code: "DRAW_INVALID", kind: "verification" });
    expect(await store.meta.get(kept)).toBeUndefined();
  });
});
