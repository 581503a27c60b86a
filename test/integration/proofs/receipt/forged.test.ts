import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as face from "../../../../proofs/index.ts";
import { type Verdict, type VerifyPorts, verifyReceipt } from "../../../../proofs/receipt/verify.ts";
import type { Membership } from "../../../../src/consensus/membership.ts";
import type { Certificate } from "../../../../src/consensus/vote.ts";
import { equalBytes, toHex } from "../../../../src/core/bytes.ts";
import type { Signer } from "../../../../src/core/ports.ts";
import { ATTACKS, type Power } from "./attacks.ts";
import { type Fixture, readBytes, runAgain, runFixture, verifyPorts } from "./receipt-fixture.ts";
import { Forgery } from "./receipt-forger.ts";

let fixture: Fixture;
let bytes: Uint8Array;
let other: Uint8Array;
let ports: VerifyPorts;
/** The other receipt, only read. */
let epoch2: Forgery;

beforeAll(async () => {
  ports = await verifyPorts();
  fixture = await runFixture();
  bytes = await readBytes(fixture.receipt);
  other = await runAgain(fixture);
  epoch2 = new Forgery(other);
}, 120_000);

afterAll(() => fixture[Symbol.asyncDispose]());

const forgery = (): Forgery => new Forgery(bytes);
const keysOf = (power: Power): readonly Signer[] =>
  power === "none" ? [] : power === "submitter" ? fixture.signers.slice(0, 1) : fixture.signers;
const told = ({ ok, fault }: Verdict): string =>
  ok ? "accepted" : `${fault?.code} at ${fault?.where}: ${fault?.message}`;

describe("an honest receipt", () => {
  it("verifies, and the forger gives it back byte by byte, whatever keys it holds", () => {
    expect(told(verifyReceipt(ports, bytes))).toBe("accepted");
    expect(told(verifyReceipt(ports, other))).toBe("accepted");
    expect(told(verifyReceipt({ ...ports, hash: face.sha256, verify: face.verifyEd25519 }, bytes))).toBe("accepted");
    for (const power of ["none", "submitter", "all"] as const)
      expect(equalBytes(forgery().seal(keysOf(power)), bytes)).toBe(true);
  });

  it("has several statements of each task, and proofs", () => {
    const { checks } = verifyReceipt(ports, bytes);
    expect(checks.groth16.count).toBe(2);
    expect(checks.seal.count).toBe(6);
    expect(Object.values(checks).every(({ ok, count }) => ok && count > 0)).toBe(true);
  });
});

describe("a forged receipt", () => {
  it.each(ATTACKS)("is refused: $name (keys: $keys)", ({ name, keys, code, forge }) => {
    const forged = forgery();
    forge(forged, epoch2, fixture.signers);
    const sealed = forged.seal(keysOf(keys));
    expect(equalBytes(sealed, bytes)).toBe(false);
    const verdict = verifyReceipt(ports, sealed);
    expect(told(verdict)).toMatch(new RegExp(`^${code} at .+: .+`));
    expect(verdict.trust).toBe("self-asserted");
    // And all the more without keys: the root's signature covers every byte. Every third is enough to see it.
    if (ATTACKS.findIndex((attack) => attack.name === name) % 3 !== 0) return;
    const { ok, fault } = verifyReceipt(ports, forged.seal([]));
    expect(ok).toBe(false);
    expect(fault?.code).toMatch(/^(SIGNATURE_INVALID|NODE_MALFORMED|RECEIPT_SHAPE|COVERAGE_GAP|SEAL_MISMATCH)$/);
  });

  it("is refused where a vote of a sampling domain skipped a slot that was drawn for it", () => {
    const sampled = (executed: boolean): Verdict => {
      const forged = forgery();
      forged.editRoot(() => ({ proofs: [] }));
      const policy = { verify: "sample", share: 1_000_000 } as const;
      forged.edit<Membership>(forged.root.membership, (node) => ({ ...node, policy }));
      const all = [...forged.root.certificates, forged.root.seal.certificate];
      for (const cid of all)
        forged.edit<Certificate>(cid, (node) => ({
          ...node,
          votes: node.votes.map((vote) => ({ ...vote, policy, executed: executed || vote.draw === null })),
        }));
      return verifyReceipt(ports, forged.seal(fixture.signers));
    };
    // What a whole domain agrees on, no receipt can refuse.
    expect(told(sampled(true))).toBe("accepted");
    expect(told(sampled(false))).toMatch(/^VOTE_WEAK at daily/);
  });
});

describe("what the reader knows", () => {
  const keys = (signers: readonly Signer[]): ReadonlySet<string> =>
    new Set(signers.map(({ publicKey }) => toHex(publicKey)));

  it("trusts only when every member is trusted", () => {
    expect(verifyReceipt(ports, bytes, { trusted: keys(fixture.signers) })).toMatchObject({
      ok: true,
      trust: "trusted",
    });
    for (const [i, { publicKey }] of fixture.signers.entries()) {
      const verdict = verifyReceipt(ports, bytes, { trusted: keys(fixture.signers.toSpliced(i, 1)) });
      expect(verdict).toMatchObject({
        ok: false,
        trust: "self-asserted",
        fault: { code: "VOTE_UNTRUSTED", where: `membership/${toHex(publicKey)}` },
      });
    }
  });

  it("expects a result", () => {
    expect(verifyReceipt(ports, bytes, { result: fixture.result }).ok).toBe(true);
    const membership = verifyReceipt(ports, bytes).receipt?.root.membership.toString();
    for (const result of [membership, "nonsense", ""])
      expect(verifyReceipt(ports, bytes, { result }).fault?.code).toBe("RESULT_UNEXPECTED");
  });
});
