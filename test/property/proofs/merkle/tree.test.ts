import { hash as nodeHashing } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  consistencyProof,
  inclusionProof,
  inclusionProofs,
  leafHash,
  merkleRoot,
  nodeHash,
  verifyConsistency,
  verifyInclusion,
} from "../../../../proofs/merkle/tree.ts";
import { toHex, utf8 } from "../../../../src/core/bytes.ts";

const sha256 = (bytes: Uint8Array): Uint8Array => nodeHashing("sha256", bytes, "buffer");
const leaves = (n: number): Uint8Array[] => Array.from({ length: n }, (_, i) => leafHash(sha256, utf8(`leaf ${i}`)));

/** MTH as RFC 6962 section 2.1 writes it: the reference for the level-by-level code. */
function rootByDefinition(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256(new Uint8Array(0));
  if (hashes.length === 1) return hashes[0] as Uint8Array;
  let k = 1;
  while (k * 2 < hashes.length) k *= 2;
  return nodeHash(sha256, rootByDefinition(hashes.slice(0, k)), rootByDefinition(hashes.slice(k)));
}

const sized = fc.integer({ min: 1, max: 200 });
const indexed = sized.chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));

/** A copy with one bit turned. */
function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const at = (bit >>> 3) % copy.length;
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}

describe("merkle tree", () => {
  it("has the root that the recursive definition gives, for every size below 300", () => {
    const all = leaves(300);
    for (let n = 0; n < 300; n++)
      expect(toHex(merkleRoot(sha256, all.slice(0, n)))).toBe(toHex(rootByDefinition(all.slice(0, n))));
  });

  it("proves every leaf, and nothing else about it", () => {
    fc.assert(
      fc.property(indexed, fc.nat(), fc.nat(), ([size, index], bit, other) => {
        const hashes = leaves(size);
        const root = merkleRoot(sha256, hashes);
        const path = inclusionProof(sha256, hashes, index);
        const claim = { leaf: hashes[index] as Uint8Array, index, size, path, root };
        expect(verifyInclusion(sha256, claim)).toBe(true);
        expect(verifyInclusion(sha256, { ...claim, root: flipped(root, bit) })).toBe(false);
        expect(verifyInclusion(sha256, { ...claim, leaf: flipped(claim.leaf, bit) })).toBe(false);
        expect(verifyInclusion(sha256, { ...claim, path: [...path, root] })).toBe(false);
        if (other % size !== index) expect(verifyInclusion(sha256, { ...claim, index: other % size })).toBe(false);
        if (path.length > 0) {
          const at = other % path.length;
          expect(verifyInclusion(sha256, { ...claim, path: path.with(at, flipped(path[at] as Uint8Array, bit)) })).toBe(
            false,
          );
          expect(verifyInclusion(sha256, { ...claim, path: path.toSpliced(at, 1) })).toBe(false);
        }
      }),
    );
  });

  it("gives many paths at once as it gives them one by one", () => {
    fc.assert(
      fc.property(indexed, ([size, index]) => {
        const hashes = leaves(size);
        const indexes = [index, 0, size - 1];
        expect(inclusionProofs(sha256, hashes, indexes)).toEqual(
          indexes.map((each) => inclusionProof(sha256, hashes, each)),
        );
      }),
      { numRuns: 30 },
    );
  });

  it("refuses a claim out of range without throwing", () => {
    const hashes = leaves(5);
    const claim = {
      leaf: hashes[0] as Uint8Array,
      index: 0,
      size: 5,
      path: inclusionProof(sha256, hashes, 0),
      root: merkleRoot(sha256, hashes),
    };
    for (const index of [-1, 5, 0.5, Number.NaN, 2 ** 53])
      expect(verifyInclusion(sha256, { ...claim, index })).toBe(false);
    for (const size of [0, -1, 1, 9, Number.POSITIVE_INFINITY])
      expect(verifyInclusion(sha256, { ...claim, size })).toBe(false);
    expect(verifyInclusion(sha256, { ...claim, path: claim.path.map((node) => node.slice(1)) })).toBe(false);
  });

  it("does not take an inner node for a leaf (second preimage)", () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 64 }), (size) => {
        const hashes = leaves(size);
        const root = merkleRoot(sha256, hashes);
        // The forged leaf is the concatenation that an inner node hashes; without domain separation the root would be equal.
        const pairs: Uint8Array[] = [];
        for (let i = 0; i + 1 < size; i += 2)
          pairs.push(Buffer.concat([hashes[i] as Uint8Array, hashes[i + 1] as Uint8Array]));
        const forged = pairs.map((pair) => leafHash(sha256, pair));
        if (size % 2 === 1) forged.push(hashes[size - 1] as Uint8Array);
        expect(toHex(merkleRoot(sha256, forged))).not.toBe(toHex(root));
        const path = inclusionProof(sha256, hashes, 0).slice(1);
        expect(
          verifyInclusion(sha256, { leaf: forged[0] as Uint8Array, index: 0, size: forged.length, path, root }),
        ).toBe(false);
      }),
      { numRuns: 30 },
    );
  });

  it("proves that a longer tree extends a shorter one, for every pair of sizes to 40", () => {
    const all = leaves(40);
    for (let size = 0; size <= 40; size++) {
      const hashes = all.slice(0, size);
      const root = merkleRoot(sha256, hashes);
      for (let oldSize = 0; oldSize <= size; oldSize++) {
        const oldRoot = merkleRoot(sha256, all.slice(0, oldSize));
        const path = consistencyProof(sha256, hashes, oldSize);
        const claim = { oldSize, oldRoot, size, root, path };
        expect(verifyConsistency(sha256, claim), `${oldSize} of ${size}`).toBe(true);
        expect(verifyConsistency(sha256, { ...claim, oldRoot: flipped(oldRoot, 7) })).toBe(false);
        if (oldSize > 0) expect(verifyConsistency(sha256, { ...claim, root: flipped(root, 7) })).toBe(false);
        expect(verifyConsistency(sha256, { ...claim, path: [...path, root] })).toBe(false);
        if (path.length > 0) expect(verifyConsistency(sha256, { ...claim, path: path.slice(1) })).toBe(false);
      }
    }
  });

  it("refuses a history that was rewritten", () => {
    fc.assert(
      fc.property(indexed, fc.nat(), ([size, changed], extra) => {
        const before = leaves(size);
        const after = [...before.with(changed, leafHash(sha256, utf8("another"))), ...leaves(extra % 50)];
        const oldRoot = merkleRoot(sha256, before);
        const root = merkleRoot(sha256, after);
        const path = consistencyProof(sha256, after, size);
        expect(verifyConsistency(sha256, { oldSize: size, oldRoot, size: after.length, root, path })).toBe(false);
      }),
    );
  });
});
