import { equalBytes } from "../../src/core/bytes.ts";
import { IpdmError } from "../../src/core/errors.ts";
import type { Hash } from "../../src/core/ports.ts";

/** Bytes of a Merkle hash (SHA-256). */
export const MERKLE_HASH_BYTES = 32;

/** More levels than this no tree with a countable number of leaves has; longer paths are refused unread. */
const LEVELS_MAX = 53;

/** What an inclusion proof claims: that `leaf` is leaf number `index` of the `size` leaves under `root`. */
export interface InclusionClaim {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  /** Sibling hashes from the leaf upwards. */
  readonly path: readonly Uint8Array[];
  readonly root: Uint8Array;
}

/** What a consistency proof claims: that the `size` leaves under `root` begin with the `oldSize` leaves under `oldRoot`. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly size: number;
  readonly root: Uint8Array;
  readonly path: readonly Uint8Array[];
}

/** Hash of a leaf's bytes: SHA-256(0x00 ‖ bytes), RFC 6962 section 2.1. */
export function leafHash(hash: Hash, bytes: Uint8Array): Uint8Array {
  const input = new Uint8Array(1 + bytes.length);
  input.set(bytes, 1);
  return hash(input);
}

/** What is hashed for a node: one buffer for all of them, since a table has as many nodes as rows and a hash reads it at once. */
const nodeInput = new Uint8Array(1 + 2 * MERKLE_HASH_BYTES);
nodeInput[0] = 1;

/** Hash of an inner node: SHA-256(0x01 ‖ left ‖ right), RFC 6962 section 2.1. Both hashes have 32 bytes: `MERKLE_MALFORMED`. */
export function nodeHash(hash: Hash, left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== MERKLE_HASH_BYTES || right.length !== MERKLE_HASH_BYTES)
    throw malformed("a tree node is not a 32-byte hash");
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + MERKLE_HASH_BYTES);
  return hash(nodeInput);
}

/** Root over leaf hashes (see {@link leafHash}), RFC 6962 section 2.1. The root of no leaves is SHA-256 of no bytes. */
export function merkleRoot(hash: Hash, leafHashes: readonly Uint8Array[]): Uint8Array {
  if (leafHashes.length === 0) return hash(new Uint8Array(0));
  let level = leafHashes;
  checkLeaf(level[0]);
  while (level.length > 1) level = levelAbove(hash, level);
  return level[0] as Uint8Array;
}

/** The path from a leaf to the root, RFC 6962 section 2.1.1. Throws `MERKLE_OUT_OF_RANGE`. Hashes the whole tree. */
export function inclusionProof(hash: Hash, leafHashes: readonly Uint8Array[], index: number): Uint8Array[] {
  return inclusionProofs(hash, leafHashes, [index])[0] as Uint8Array[];
}

/** The paths of several leaves, in the order asked for; the tree is hashed once. Throws `MERKLE_OUT_OF_RANGE`. */
export function inclusionProofs(
  hash: Hash,
  leafHashes: readonly Uint8Array[],
  indexes: readonly number[],
): Uint8Array[][] {
  for (const index of indexes) checkRange("leaf", index, 0, leafHashes.length - 1);
  const paths = indexes.map((): Uint8Array[] => []);
  const positions = [...indexes];
  let level = leafHashes;
  while (level.length > 1) {
    for (const [i, path] of paths.entries()) {
      const at = positions[i] as number;
      const sibling = level[at ^ 1];
      if (sibling !== undefined) path.push(sibling);
      positions[i] = at >>> 1;
    }
    level = levelAbove(hash, level);
  }
  return paths;
}

/** Checks an inclusion proof (RFC 9162 section 2.1.3.2). Never throws on a bad claim: it is false. */
export function verifyInclusion(hash: Hash, claim: InclusionClaim): boolean {
  const { leaf, index, size, path, root } = claim;
  if (!isCount(index) || !isCount(size) || index >= size || !areHashes(path) || !areHashes([leaf, root])) return false;
  let at = index;
  let last = size - 1;
  let found = leaf;
  for (const sibling of path) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      found = nodeHash(hash, sibling, found);
      // A node without a right sibling rises unchanged to the first level where it is a right child.
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      found = nodeHash(hash, found, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && equalBytes(found, root);
}

/**
 * Shows that the tree over all `leafHashes` extends the tree over the first `oldSize` of them, RFC 6962 section 2.1.2.
 * Empty for 0 and for all leaves. Throws `MERKLE_OUT_OF_RANGE`.
 */
export function consistencyProof(hash: Hash, leafHashes: readonly Uint8Array[], oldSize: number): Uint8Array[] {
  checkRange("size", oldSize, 0, leafHashes.length);
  const path: Uint8Array[] = [];
  if (oldSize === 0) return path;
  let rest = leafHashes;
  let kept = oldSize;
  let whole = true;
  while (kept !== rest.length) {
    const split = splitOf(rest.length);
    if (kept <= split) {
      path.push(merkleRoot(hash, rest.slice(split)));
      rest = rest.slice(0, split);
    } else {
      path.push(merkleRoot(hash, rest.slice(0, split)));
      rest = rest.slice(split);
      kept -= split;
      whole = false;
    }
  }
  if (!whole) path.push(merkleRoot(hash, rest));
  return path.reverse();
}

/** Checks a consistency proof (RFC 9162 section 2.1.4.2). Never throws on a bad claim: it is false. */
export function verifyConsistency(hash: Hash, claim: ConsistencyClaim): boolean {
  const { oldSize, oldRoot, size, root, path } = claim;
  if (!isCount(oldSize) || !isCount(size) || oldSize > size || !areHashes(path) || !areHashes([oldRoot, root]))
    return false;
  if (size === 0 || oldSize === 0) {
    const empty = hash(new Uint8Array(0));
    return path.length === 0 && equalBytes(oldRoot, empty) && (size > 0 || equalBytes(root, empty));
  }
  if (oldSize === size) return path.length === 0 && equalBytes(oldRoot, root);
  // The old tree is itself a node of the new one when its size is a power of two; the path then leaves it out.
  const nodes = isPowerOfTwo(oldSize) ? [oldRoot, ...path] : path;
  let at = oldSize - 1;
  let last = size - 1;
  while (isOdd(at)) {
    at = half(at);
    last = half(last);
  }
  const first = nodes[0];
  if (first === undefined) return false;
  let oldFound = first;
  let found = first;
  for (const node of nodes.slice(1)) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      oldFound = nodeHash(hash, node, oldFound);
      found = nodeHash(hash, node, found);
      while (!isOdd(at) && at !== 0) {
        at = half(at);
        last = half(last);
      }
    } else {
      found = nodeHash(hash, found, node);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && equalBytes(oldFound, oldRoot) && equalBytes(found, root);
}

/** One level up: neighbours are hashed together, a last one without neighbour rises as it is. */
function levelAbove(hash: Hash, level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = new Array(Math.ceil(level.length / 2));
  for (let i = 0; i < above.length; i++) {
    const left = level[2 * i] as Uint8Array;
    const right = level[2 * i + 1];
    above[i] = right === undefined ? left : nodeHash(hash, left, right);
  }
  return above;
}

/** The largest power of two below `size`; `size` is at least 2. */
function splitOf(size: number): number {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}

// Sizes may pass 2^32, where the shifts of JavaScript end, so halving is arithmetic.
function half(n: number): number {
  return Math.floor(n / 2);
}

function isOdd(n: number): boolean {
  return n % 2 === 1;
}

function isPowerOfTwo(n: number): boolean {
  return n === 1 || splitOf(n) * 2 === n;
}

function isCount(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.length <= LEVELS_MAX + 1 && hashes.every((each) => each.length === MERKLE_HASH_BYTES);
}

function checkLeaf(leaf: Uint8Array | undefined): void {
  if (leaf?.length !== MERKLE_HASH_BYTES) throw malformed("a leaf is not a 32-byte hash");
}

function checkRange(what: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new IpdmError("MERKLE_OUT_OF_RANGE", `${what} ${value} is not in ${least}…${most}`, {
    facts: { value, least, most },
  });
}

function malformed(message: string): IpdmError {
  return new IpdmError("MERKLE_MALFORMED", message, { kind: "verification" });
}
