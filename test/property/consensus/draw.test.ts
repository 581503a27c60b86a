import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { drawRows, drawSeed, mustExecute } from "../../../src/consensus/draw.ts";
import { compareBytes, utf8 } from "../../../src/core/bytes.ts";
import { sha256 } from "../../../src/node.ts";
import { drawOf, linkTo, signersOf } from "./domain.ts";

const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("drawing rows", () => {
  it("gives the amount asked for, distinct, ascending and in range, the same for the same seed", () => {
    fc.assert(
      fc.property(seed, fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 60 }), (bytes, total, amount) => {
        const drawn = drawRows(sha256, bytes, total, amount);
        expect(drawn.length).toBe(Math.min(total, amount));
        expect(drawn).toEqual([...new Set(drawn)].sort((a, b) => a - b));
        for (const row of drawn) expect(row >= 0 && row < total).toBe(true);
        expect(drawRows(sha256, bytes, total, amount)).toEqual(drawn);
      }),
      { numRuns: 200 },
    );
  });

  it("gives every row where as many or more are asked for", () => {
    for (const amount of [7, 8, 1000])
      expect(drawRows(sha256, new Uint8Array(32), 7, amount)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(drawRows(sha256, new Uint8Array(32), 0, 3)).toEqual([]);
  });

  it("prefers no row: 4000 draws of 3 of 10 lie within five standard deviations of 1200 each", () => {
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 4000; i++)
      for (const row of drawRows(sha256, sha256(utf8(`uniform ${i}`)), 10, 3))
        counts[row] = (counts[row] as number) + 1;
    for (const count of counts) expect(Math.abs(count - 1200)).toBeLessThan(5 * Math.sqrt(4000 * 0.3 * 0.7));
  });

  it("draws again where a value lies beyond the last whole multiple of the total", () => {
    // A hash that first gives the largest value, then counts up: with modulo alone the first draw would be taken.
    let calls = 0;
    const hash = (): Uint8Array => {
      const digest = new Uint8Array(32);
      if (calls++ === 0) digest.fill(255);
      else digest[5] = calls;
      return digest;
    };
    expect(drawRows(hash, new Uint8Array(32), 1000, 1)).toEqual([2]);
    expect(calls).toBe(2);
  });
});

describe("the draw's seed", () => {
  it("does not depend on the order of the challenges, and on everything else", () => {
    const signers = signersOf(4);
    const { challenges, seed: first } = drawOf(signers);
    const statement = linkTo("statement");
    expect(compareBytes(drawSeed(sha256, statement, challenges.toReversed()), first)).toBe(0);
    const [one, ...rest] = challenges;
    const others = [
      drawSeed(sha256, linkTo("other"), challenges),
      drawSeed(sha256, statement, rest),
      drawSeed(sha256, statement, [{ ...(one as (typeof challenges)[number]), nonce: new Uint8Array(32) }, ...rest]),
      drawSeed(sha256, statement, []),
    ];
    for (const other of others) expect(compareBytes(other, first)).not.toBe(0);
  });
});

describe("who must execute", () => {
  const voter = signersOf(1)[0]?.publicKey as Uint8Array;

  it.each([10_000, 250_000, 900_000])("draws a share of %i millionths, within five standard deviations", (share) => {
    const n = 4000;
    let executing = 0;
    for (let i = 0; i < n; i++)
      if (mustExecute(sha256, sha256(utf8(`slot ${i}`)), voter, { verify: "sample", share })) executing++;
    const p = share / 1_000_000;
    expect(Math.abs(executing - n * p)).toBeLessThanOrEqual(5 * Math.sqrt(n * p * (1 - p)) + 1);
  });

  it("is everyone under full, and with a share of one", () => {
    fc.assert(
      fc.property(
        seed,
        (bytes) =>
          mustExecute(sha256, bytes, voter, { verify: "full" }) &&
          mustExecute(sha256, bytes, voter, { verify: "sample", share: 1_000_000 }),
      ),
      { numRuns: 100 },
    );
  });

  it("differs between voters", () => {
    const signers = signersOf(40);
    const policy = { verify: "sample" as const, share: 500_000 };
    const drawn = signers.filter((signer) => mustExecute(sha256, new Uint8Array(32), signer.publicKey, policy)).length;
    expect(drawn).toBeGreaterThan(5);
    expect(drawn).toBeLessThan(35);
  });
});
