import { keccak_256 } from "@noble/hashes/sha3.js";
import { equalBytes } from "../../src/core/bytes.ts";
import { decodeRlp, encodeRlp, quantityBytes, type Rlp } from "./rlp.ts";

/** Most nodes of a path: keys here are the RLP of a position, at most 4 bytes. */
export const TRIE_NODES_MAX = 16;

/** The root of a list's trie, and the nodes from it to one of its values. */
export interface TrieProof {
  readonly root: Uint8Array;
  readonly nodes: readonly Uint8Array[];
}

interface Entry {
  readonly path: Uint8Array;
  readonly value: Uint8Array;
}

/** A node's encoding, and what stands for it in the node above: itself where it is short, else its hash. */
interface Built {
  readonly bytes: Uint8Array;
  readonly node: Rlp;
}

/**
 * Root of the Merkle-Patricia trie (yellow paper, appendix D) of a list of values under the RLP of their positions, as blocks
 * commit to transactions and receipts; and the nodes to the value at `index`, the root first.
 */
export function proveListItem(values: readonly Uint8Array[], index: number): TrieProof {
  const entries = values.map((value, i) => ({ path: nibblesOf(keyOf(i)), value }));
  const wanted = nibblesOf(keyOf(index));
  const nodes: Uint8Array[] = [];
  const { bytes } = build(entries, 0, wanted, nodes);
  // Short nodes stand inside the node above; the root is always a node of its own.
  const shown = nodes.filter((node, i) => i === nodes.length - 1 || node.length >= 32).reverse();
  return { root: keccak_256(bytes), nodes: shown };
}

/** The value at a position of a list, by the nodes from the root to it; `undefined` where they do not lead there. */
export function listItemOf(root: Uint8Array, index: number, nodes: readonly Uint8Array[]): Uint8Array | undefined {
  if (nodes.length === 0 || nodes.length > TRIE_NODES_MAX) return undefined;
  const path = nibblesOf(keyOf(index));
  let at = 0;
  let expected: Rlp = root;
  for (const [i, bytes] of nodes.entries()) {
    if (!(expected instanceof Uint8Array) || !equalBytes(keccak_256(bytes), expected)) return undefined;
    let node: Rlp | undefined = decodeRlp(bytes);
    // Through this node, and those that stand inside it.
    for (;;) {
      const step: Step | undefined = node === undefined ? undefined : follow(node, path, at);
      if (step === undefined) return undefined;
      at = step.at;
      if (step.value !== undefined) return i === nodes.length - 1 && at === path.length ? step.value : undefined;
      if (step.next instanceof Uint8Array) {
        expected = step.next;
        break;
      }
      node = step.next;
    }
  }
  return undefined;
}

interface Step {
  readonly at: number;
  readonly value?: Uint8Array;
  readonly next: Rlp;
}

function follow(node: Rlp, path: Uint8Array, at: number): Step | undefined {
  if (node instanceof Uint8Array) return undefined;
  if (node.length === 17) {
    if (at === path.length) return node[16] instanceof Uint8Array ? { at, value: node[16], next: node } : undefined;
    return { at: at + 1, next: node[path[at] as number] as Rlp };
  }
  const [prefix, next] = node;
  if (node.length !== 2 || !(prefix instanceof Uint8Array) || prefix.length === 0 || next === undefined)
    return undefined;
  const flags = (prefix[0] as number) >> 4;
  if (flags > 3 || ((flags & 1) === 0 && ((prefix[0] as number) & 15) !== 0)) return undefined;
  const own = nibblesOf(prefix).subarray((flags & 1) === 1 ? 1 : 2);
  if (!equalBytes(own, path.subarray(at, at + own.length))) return undefined;
  if ((flags & 2) === 0) return { at: at + own.length, next };
  return next instanceof Uint8Array ? { at: at + own.length, value: next, next } : undefined;
}

function build(entries: readonly Entry[], depth: number, wanted: Uint8Array, nodes: Uint8Array[]): Built {
  const [first] = entries;
  if (first === undefined) return built(new Uint8Array(0), false, nodes);
  const isOnPath = entries.some(({ path }) => equalBytes(path, wanted));
  if (entries.length === 1) return built([prefixOf(first.path.subarray(depth), true), first.value], isOnPath, nodes);
  const shared = sharedLength(entries, depth);
  if (shared > depth) {
    const below = build(entries, shared, wanted, nodes);
    return built([prefixOf(first.path.subarray(depth, shared), false), below.node], isOnPath, nodes);
  }
  const branch: Rlp[] = Array.from({ length: 16 }, (_, nibble) => {
    const own = entries.filter(({ path }) => path.length > depth && path[depth] === nibble);
    return own.length === 0 ? new Uint8Array(0) : build(own, depth + 1, wanted, nodes).node;
  });
  branch.push(entries.find(({ path }) => path.length === depth)?.value ?? new Uint8Array(0));
  return built(branch, isOnPath, nodes);
}

function built(item: Rlp, isOnPath: boolean, nodes: Uint8Array[]): Built {
  const bytes = encodeRlp(item);
  if (isOnPath) nodes.push(bytes);
  return { bytes, node: bytes.length < 32 ? item : keccak_256(bytes) };
}

function sharedLength(entries: readonly Entry[], depth: number): number {
  const [{ path }] = entries as readonly [Entry, ...Entry[]];
  let length = depth;
  while (length < path.length && entries.every((entry) => entry.path[length] === path[length])) length++;
  return length;
}

/** The path within a node (yellow paper, appendix C): a flag for a leaf, and whether the number of nibbles is odd. */
function prefixOf(nibbles: Uint8Array, isLeaf: boolean): Uint8Array {
  const isOdd = nibbles.length % 2 === 1;
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  const all = isOdd ? [flag, ...nibbles] : [flag, 0, ...nibbles];
  return Uint8Array.from(
    { length: all.length / 2 },
    (_, i) => 16 * (all[2 * i] as number) + (all[2 * i + 1] as number),
  );
}

function keyOf(index: number): Uint8Array {
  return encodeRlp(quantityBytes(BigInt(index)));
}

function nibblesOf(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(
    { length: 2 * bytes.length },
    (_, i) => ((bytes[i >> 1] as number) >> (i % 2 === 0 ? 4 : 0)) & 15,
  );
}
