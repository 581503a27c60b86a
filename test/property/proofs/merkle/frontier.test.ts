import { hash as nodeHashing } from "node:crypto";
import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Frontier } from "../../../../proofs/merkle/frontier.ts";
import { leafHash, merkleRoot } from "../../../../proofs/merkle/tree.ts";
import { toHex, utf8 } from "../../../../src/core/bytes.ts";
import { hasCode } from "../../../../src/core/errors.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => nodeHashing("sha256", bytes, "buffer");
const leaf = (i: number): Uint8Array => leafHash(sha256, utf8(`leaf ${i}`));

function frontierOf(count: number): Frontier {
  const frontier = new Frontier(sha256);
  for (let i = 0; i < count; i++) frontier.append(leaf(i));
  return frontier;
}

describe("merkle frontier", () => {
  it("has the root of the whole tree after every append, for every size below 300, in O(log n) memory", () => {
    const frontier = new Frontier(sha256);
    const leaves: Uint8Array[] = [];
    for (let n = 0; n < 300; n++) {
      expect(frontier.count).toBe(n);
      expect(toHex(frontier.root())).toBe(toHex(merkleRoot(sha256, leaves)));
      expect(frontier.toIpld().hashes.length).toBeLessThanOrEqual(9);
      leaves.push(leaf(n));
      frontier.append(leaf(n));
    }
  });

  it("goes on after a round trip through dag-cbor as if it had not been away", () => {
    fc.assert(
      fc.property(fc.nat({ max: 150 }), fc.nat({ max: 50 }), (before, after) => {
        const resumed = Frontier.fromIpld(sha256, dagCbor.decode(dagCbor.encode(frontierOf(before).toIpld())));
        for (let i = before; i < before + after; i++) resumed.append(leaf(i));
        expect(toHex(resumed.root())).toBe(toHex(frontierOf(before + after).root()));
      }),
    );
  });

  it("is not changed through what it gave out", () => {
    const frontier = frontierOf(3);
    const root = toHex(frontier.root());
    const copy = Frontier.fromIpld(sha256, frontier.toIpld());
    copy.append(leaf(9));
    expect(toHex(frontier.root())).toBe(root);
    expect(frontier.count).toBe(3);
  });

  it("refuses what is not a frontier", () => {
    const good = frontierOf(5).toIpld();
    const [first, second] = good.hashes as readonly [Uint8Array, Uint8Array];
    const bad: unknown[] = [
      null,
      7,
      [],
      {},
      { ...good, extra: 1 },
      { count: 5 },
      { ...good, count: 4 },
      { ...good, count: 7 },
      { ...good, count: -5 },
      { ...good, count: 5.5 },
      { ...good, count: "5" },
      { ...good, count: 2 ** 53 },
      { ...good, hashes: [first] },
      { ...good, hashes: [first, second, second] },
      { ...good, hashes: [first, second.slice(1)] },
      { ...good, hashes: [first, "x".repeat(32)] },
    ];
    for (const value of bad) {
      let error: unknown;
      try {
        Frontier.fromIpld(sha256, value);
      } catch (caught) {
        error = caught;
      }
      expect(hasCode(error, "FRONTIER_MALFORMED"), JSON.stringify(value)).toBe(true);
    }
  });
});
