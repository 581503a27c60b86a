// The root of a Merkle-Patricia trie (yellow paper, appendix D) over a list: item i stands under the RLP of i. The trie is never built:
// its keys in order are known, so a node is written and hashed once everything below it is.
import { allocate } from "../../sandbox/sdk/index";
import { headerBytes, writeHeader, writeNumber } from "./rlp";
import { keccak256 } from "./keccak";

/** Bytes of a branch with sixteen hashes and their header, and beside. */
const NODE_BYTES: usize = 640;
/** Nibbles of the longest key: RLP of a number below 2^32. */
const DEPTH_MAX: usize = 10;
/** Room before a value for what a leaf puts there. */
const LEAD: usize = 32;

let nodes: usize = 0;
let scratch: usize = 0;
let count: i32 = 0;
let write: (index: i32, to: usize) => usize = nothing;
const PATH = memory.data(16, 8);
const KEY = memory.data(16, 8);

function nothing(_index: i32, to: usize): usize {
  return to;
}

/** Makes room for values of at most that many bytes. */
export function openTries(bytes: usize): void {
  nodes = allocate(NODE_BYTES * DEPTH_MAX);
  scratch = allocate(bytes + 2 * LEAD) + LEAD;
}

/** Where values are written: room of the size that {@link openTries} was given. */
export function scratchRoom(): usize {
  return scratch;
}

/** Writes the root of a list of values to `target`. `value` writes the one of an index and returns the byte behind it; it is asked once for each. */
export function listRoot(values: i32, value: (index: i32, to: usize) => usize, target: usize): void {
  if (values == 0) {
    store<u8>(scratch, 0x80);
    keccak256(scratch, 1, target);
    return;
  }
  count = values;
  write = value;
  const standing = memory.data(64, 16);
  const length = node(0, values, 0, standing);
  // The root is hashed even where it is short.
  if (length == 33 && load<u8>(standing) == 0xa0) memory.copy(target, standing + 1, 32);
  else keccak256(standing, length, target);
}

/** The item whose key is at that position among all keys in their order: 1 to 127, then 0, whose key is 0x80, then the others. */
function itemAt(position: i32): i32 {
  const zero = min(count - 1, 127);
  return position < zero ? position + 1 : position == zero ? 0 : position;
}

/** Nibbles of an item's key from the most significant four bits of a word on. */
function keyOf(item: i32): u64 {
  store<u64>(KEY, 0);
  writeNumber(KEY, <u64>item);
  return bswap(load<u64>(KEY));
}

function keyNibbles(item: i32): usize {
  return item < 128 ? 2 : item < 256 ? 4 : item < 65536 ? 6 : item < 16777216 ? 8 : 10;
}

@inline
function nibble(key: u64, depth: usize): u32 {
  return <u32>(key >> (60 - (depth << 2))) & 15;
}

/** Writes how the node over positions `from` to `to` stands in its parent: itself where it is short, else its hash. Returns its bytes. */
function node(from: i32, to: i32, depth: usize, target: usize): usize {
  if (to - from == 1) return leaf(itemAt(from), depth, target);
  const first = keyOf(itemAt(from));
  const last = keyOf(itemAt(to - 1));
  // Keys are in order, and none begins with another: what the first and last share, all share.
  let shared = depth;
  while (nibble(first, shared) == nibble(last, shared)) shared++;
  if (shared == depth) return branch(from, to, depth, target);
  const content = nodes + NODE_BYTES * depth + 8;
  const path = writePath(content, first, depth, shared, 0);
  const end = path + branch(from, to, shared, path);
  return reference(content, end, target);
}

function branch(from: i32, to: i32, depth: usize, target: usize): usize {
  const content = nodes + NODE_BYTES * depth + 8;
  let at = content;
  let position = from;
  for (let way: u32 = 0; way < 16; way++) {
    const begin = position;
    while (position < to && nibble(keyOf(itemAt(position)), depth) == way) position++;
    if (position == begin) {
      store<u8>(at, 0x80);
      at++;
    } else at += node(begin, position, depth + 1, at);
  }
  store<u8>(at, 0x80);
  return reference(content, at + 1, target);
}

function leaf(item: i32, depth: usize, target: usize): usize {
  const key = keyOf(item);
  const end = write(item, scratch);
  const length = end - scratch;
  // Written backwards before the value: its header, the path, the list's header.
  const pathEnd = writePath(PATH, key, depth, keyNibbles(item), 2);
  const header = headerBytes(length);
  const content = scratch - header - (pathEnd - PATH);
  memory.copy(content, PATH, pathEnd - PATH);
  writeHeader(scratch - header, length, 0x80);
  return reference(content, end, target);
}

/** Writes nibbles `from` to `to` of a key as an RLP string, with the flag of a leaf (2) or extension (0). */
function writePath(at: usize, key: u64, from: usize, to: usize, flag: u8): usize {
  const count = to - from;
  const bytes = (count >> 1) + 1;
  let body = at;
  if (bytes > 1) {
    store<u8>(at, 0x80 + <u8>bytes);
    body++;
  }
  let nibbleAt = from;
  if ((count & 1) != 0) {
    store<u8>(body, ((flag | 1) << 4) | <u8>nibble(key, nibbleAt));
    nibbleAt++;
  } else store<u8>(body, flag << 4);
  for (let i: usize = 1; i < bytes; i++) {
    store<u8>(body + i, <u8>((nibble(key, nibbleAt) << 4) | nibble(key, nibbleAt + 1)));
    nibbleAt += 2;
  }
  return body + bytes;
}

/** Puts the list's header before a node's content, and writes how it stands in its parent. */
function reference(content: usize, end: usize, target: usize): usize {
  const length = end - content;
  const start = content - headerBytes(length);
  writeHeader(start, length, 0xc0);
  const bytes = end - start;
  if (bytes < 32) {
    memory.copy(target, start, bytes);
    return bytes;
  }
  store<u8>(target, 0xa0);
  keccak256(start, bytes, target + 1);
  return 33;
}
