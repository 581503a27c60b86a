import { IpdmError } from "../../src/core/errors.ts";
import type { Hash } from "../../src/core/ports.ts";
import { MERKLE_HASH_BYTES, nodeHash } from "./tree.ts";

/** A {@link Frontier} as an IPLD node: the number of leaves and the roots of its full subtrees, largest first. */
export interface FrontierIpld {
  readonly count: number;
  readonly hashes: readonly Uint8Array[];
}

/**
 * The right edge of a growing RFC 6962 tree: the roots of its full subtrees, one for each bit set in the number of leaves.
 * That is all it takes to append and to give the root: memory is O(log n), an append costs one hash on average.
 */
export class Frontier {
  readonly #hash: Hash;
  readonly #subtrees: Uint8Array[];
  #count: number;

  constructor(hash: Hash, start: FrontierIpld = { count: 0, hashes: [] }) {
    this.#hash = hash;
    this.#count = start.count;
    this.#subtrees = [...start.hashes];
  }

  /** Reads what {@link toIpld} wrote; anything else, extra keys included, is `FRONTIER_MALFORMED`. */
  static fromIpld(hash: Hash, value: unknown): Frontier {
    return new Frontier(hash, parse(value));
  }

  /** Leaves appended so far. */
  get count(): number {
    return this.#count;
  }

  /** Appends a leaf by its hash (see `leafHash`). Throws `MERKLE_MALFORMED` unless it has 32 bytes. */
  append(leafHash: Uint8Array): void {
    if (leafHash.length !== MERKLE_HASH_BYTES) throw new IpdmError("MERKLE_MALFORMED", "a leaf is not a 32-byte hash");
    let node = leafHash;
    // As in binary counting: each trailing one of the count is a full subtree that merges with the new one.
    for (let n = this.#count; n % 2 === 1; n = (n - 1) / 2)
      node = nodeHash(this.#hash, this.#subtrees.pop() as Uint8Array, node);
    this.#subtrees.push(node);
    this.#count += 1;
  }

  /** The root of the leaves so far, the same as `merkleRoot` over their hashes. */
  root(): Uint8Array {
    let node = this.#subtrees.at(-1);
    if (node === undefined) return this.#hash(new Uint8Array(0));
    for (let i = this.#subtrees.length - 2; i >= 0; i--)
      node = nodeHash(this.#hash, this.#subtrees[i] as Uint8Array, node);
    return node;
  }

  /** The frontier as plain data, to be kept in a checkpoint. */
  toIpld(): FrontierIpld {
    return { count: this.#count, hashes: [...this.#subtrees] };
  }
}

function parse(value: unknown): FrontierIpld {
  if (typeof value !== "object" || value === null || Object.keys(value).sort().join() !== "count,hashes") {
    throw malformed("it is not {count, hashes}");
  }
  const { count, hashes } = value as { readonly count: unknown; readonly hashes: unknown };
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0)
    throw malformed("count is not a whole number");
  if (!Array.isArray(hashes) || hashes.length !== bitsSet(count))
    throw malformed(`${count} leaves need ${bitsSet(count)} hashes`);
  return { count, hashes: hashes.map(parseHash) };
}

function parseHash(value: unknown): Uint8Array {
  if (!(value instanceof Uint8Array) || value.length !== MERKLE_HASH_BYTES)
    throw malformed("a hash does not have 32 bytes");
  return value.slice();
}

function bitsSet(count: number): number {
  let bits = 0;
  for (let n = count; n > 0; n = Math.floor(n / 2)) bits += n % 2;
  return bits;
}

function malformed(what: string): IpdmError {
  return new IpdmError("FRONTIER_MALFORMED", `this is not a Merkle frontier: ${what}`, { kind: "verification" });
}
