import { describe, expect, it } from "vitest";
import { parseMembership, quorumNumbers } from "../../../src/consensus/membership.ts";
import { membershipOf, signersOf } from "../../property/consensus/domain.ts";

const signers = signersOf(4);
const good = membershipOf(signers, 3);

describe("a membership", () => {
  it("reads back", () => {
    expect(parseMembership(good)).toEqual(good);
  });

  it.each([
    ["members out of order", { ...good, members: good.members.toReversed() }],
    ["a member twice", { ...good, members: [good.members[0], ...good.members] }],
    ["nobody", { ...good, members: [] }],
    ["a submitter from outside", { ...good, submitter: new Uint8Array(32) }],
    ["a quorum of half", { ...good, quorum: 2 }],
    ["a quorum of more than all", { ...good, quorum: 5 }],
    ["no quorum", { ...good, quorum: 0 }],
    ["too many members", { ...good, members: signersOf(32).map((signer) => signer.publicKey), quorum: 17 }],
    ["a share of nothing", { ...good, policy: { verify: "sample", share: 0 } }],
    ["an unknown policy", { ...good, policy: { verify: "trust" } }],
    ["an unknown field", { ...good, note: "" }],
  ])("is not one with %s", (_, value) => {
    expect(() => parseMembership(value)).toThrow(expect.objectContaining({ code: "NODE_MALFORMED" }));
  });

  it.each([
    { n: 1, q: 1, f: 0 },
    { n: 3, q: 2, f: 0 },
    { n: 4, q: 3, f: 1 },
    { n: 5, q: 3, f: 0 },
    { n: 5, q: 4, f: 2 },
    { n: 7, q: 5, f: 2 },
    { n: 31, q: 21, f: 10 },
  ])("of $n with a quorum of $q cannot certify twice while $f vote twice", ({ n, q, f }) => {
    expect(quorumNumbers(membershipOf(signersOf(n), q))).toEqual({ n, q, f });
  });
});
