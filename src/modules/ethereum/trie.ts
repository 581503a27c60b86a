// The root of a Merkle-Patricia trie (yellow paper, appendix D) over a list: item i stands under the RLP of i. Keys are known and taken in
// their order, so what each shares with the next tells the whole form. Nodes are written level by level from below, and those of a level hashed
// together; of a node there is kept how it stands in its parent, at the place of its first leaf.
import { allocate } from "../../sandbox/sdk/index";
import { headerBytes, writeHeader, writeNumber } from "./rlp";
import { hashAll, hashLater, keccak256 } from "./keccak";

/** Bytes of a branch with sixteen hashes and its header, and beside. */
const NODE_BYTES: usize = 640;
/** Room before a value or node for what is put there. */
const LEAD: usize = 32;
/** Bytes of nodes that wait to be hashed: about as many as a processor's second cache holds beside all else. */
const BATCH_BYTES: usize = 262144;

/** A place among the keys in their order. */
namespace Place {
  /** How the node that begins here stands in its parent: a short one itself, any other by 0xa0 and its hash. */
  export const NODE: usize = 0;
  export const LENGTH: usize = 48;
  /** Nibbles that the key shares with the next one; -1 for the last. */
  export const SHARED: usize = 52;
  export const BYTES: usize = 56;
}

let batch: usize = 0;
let batchEnd: usize = 0;
/** Where the next node goes. */
let cursor: usize = 0;
let places: usize = 0;
let room: i32 = 0;
let count: i32 = 0;
const KEY = memory.data(16, 8);

/** Makes room for values of at most that many bytes. */
export function openTries(bytes: usize): void {
  batch = allocate(BATCH_BYTES + bytes + NODE_BYTES + 2 * LEAD);
  batchEnd = batch + BATCH_BYTES;
}

/** Where something of the size that {@link openTries} was given may be written between roots. */
export function scratchRoom(): usize {
  return batch + LEAD;
}

/**
 * Writes the root of a list of values to `target`. `value` writes the one of an index and returns the byte behind it; it is asked once for
 * each, and the value stays where it is until the next {@link hashAll}.
 */
export function listRoot(values: i32, value: (index: i32, to: usize) => usize, target: usize): void {
  count = values;
  cursor = batch;
  if (values == 0) {
    store<u8>(cursor, 0x80);
    keccak256(cursor, 1, target);
    return;
  }
  const deepest = openPlaces();
  for (let place = 0; place < count; place++) leaf(place, value);
  hashAll();
  for (let depth = deepest; depth >= 0; depth--) {
    if (eachBranch(depth, branch)) hashAll();
    if (eachBranch(depth, extension)) hashAll();
  }
  const length = <usize>load<u32>(places, Place.LENGTH);
  // The root is hashed even where it is short.
  if (length == 33) memory.copy(target, places + Place.NODE + 1, 32);
  else keccak256(places + Place.NODE, length, target);
}

/** Notes what the keys share. Returns the most that two do, -1 where there is one key. */
function openPlaces(): i32 {
  if (count > room) {
    room = max(count, 2 * room);
    places = allocate(<usize>room * Place.BYTES);
  }
  let deepest = -1;
  let key = keyOf(itemAt(0));
  for (let place = 1; place < count; place++) {
    const following = keyOf(itemAt(place));
    const shared = <i32>(clz(key ^ following) >> 2);
    store<i32>(placeAt(place - 1), shared, Place.SHARED);
    deepest = max(deepest, shared);
    key = following;
  }
  store<i32>(placeAt(count - 1), -1, Place.SHARED);
  return deepest;
}

@inline
function placeAt(place: i32): usize {
  return places + <usize>place * Place.BYTES;
}

/** Nibbles that the key at a place shares with the next; -1 before the first and at the last. */
@inline
function sharedAt(place: i32): i32 {
  return place < 0 ? -1 : load<i32>(placeAt(place), Place.SHARED);
}

/** The item whose key is at that place among all keys in their order: 1 to 127, then 0, whose key is 0x80, then the others. */
function itemAt(place: i32): i32 {
  const zero = min(count - 1, 127);
  return place < zero ? place + 1 : place == zero ? 0 : place;
}

/** Nibbles of an item's key from the most significant four bits of a word on. */
function keyOf(item: i32): u64 {
  store<u64>(KEY, 0);
  writeNumber(KEY, <u64>item);
  return bswap(load<u64>(KEY));
}

function keyNibbles(item: i32): i32 {
  return item < 128 ? 2 : item < 256 ? 4 : item < 65536 ? 6 : item < 16777216 ? 8 : 10;
}

@inline
function nibble(key: u64, depth: i32): u32 {
  return <u32>(key >> (60 - (depth << 2))) & 15;
}

function leaf(place: i32, value: (index: i32, to: usize) => usize): void {
  const item = itemAt(place);
  const start = begin();
  const end = value(item, start);
  const length = end - start;
  const from = max(sharedAt(place - 1), sharedAt(place)) + 1;
  // The path stands before the value's header, and is as long as its flag and nibbles say.
  const content = start - headerBytes(length) - pathBytes(keyNibbles(item) - from);
  writePath(content, keyOf(item), from, keyNibbles(item), 2);
  writeHeader(start - headerBytes(length), length, 0x80);
  close(place, content, end);
}

/** Writes a node over places for each branch whose path has that many nibbles, where it needs one. False where none does. */
function eachBranch(depth: i32, write: (from: i32, to: i32, depth: i32) => bool): bool {
  let isAny = false;
  for (let from = 0; from < count; ) {
    let to = from + 1;
    let isSplit = false;
    for (; to < count && sharedAt(to - 1) >= depth; to++) if (sharedAt(to - 1) == depth) isSplit = true;
    if (isSplit && write(from, to, depth)) isAny = true;
    from = to;
  }
  return isAny;
}

function branch(from: i32, to: i32, depth: i32): bool {
  const content = begin();
  let at = content;
  let way: u32 = 0;
  for (let place = from; place < to; place++) {
    // What shares more with the one before stands in its node.
    if (place > from && sharedAt(place - 1) > depth) continue;
    for (const own = nibble(keyOf(itemAt(place)), depth); way < own; way++) store<u8>(at++, 0x80);
    at = putNode(at, place);
    way++;
  }
  // What is left of the ways, and no value.
  for (; way < 17; way++) store<u8>(at++, 0x80);
  close(from, content, at);
  return true;
}

/** Copies how a place's node stands in its parent. */
@inline
function putNode(at: usize, place: i32): usize {
  const from = placeAt(place);
  v128.store(at, v128.load(from));
  v128.store(at, v128.load(from, 16), 16);
  store<u8>(at, load<u8>(from, 32), 32);
  return at + <usize>load<u32>(from, Place.LENGTH);
}

/** Writes the extension that leads to a branch, where the branch above ends further up. */
function extension(from: i32, to: i32, depth: i32): bool {
  const above = max(sharedAt(from - 1), sharedAt(to - 1)) + 1;
  if (above == depth) return false;
  const content = begin();
  close(from, content, putNode(writePath(content, keyOf(itemAt(from)), above, depth, 0), from));
  return true;
}

/** Bytes of a path of that many nibbles as an RLP string. */
@inline
function pathBytes(nibbles: i32): usize {
  const bytes = (nibbles >> 1) + 1;
  return <usize>(bytes > 1 ? bytes + 1 : bytes);
}

/** Writes nibbles `from` to `to` of a key as an RLP string, with the flag of a leaf (2) or extension (0). */
function writePath(at: usize, key: u64, from: i32, to: i32, flag: u8): usize {
  const nibbles = to - from;
  const bytes = (nibbles >> 1) + 1;
  let body = at;
  if (bytes > 1) {
    store<u8>(at, 0x80 + <u8>bytes);
    body++;
  }
  let next = from;
  if ((nibbles & 1) != 0) store<u8>(body, ((flag | 1) << 4) | <u8>nibble(key, next++));
  else store<u8>(body, flag << 4);
  for (let i: usize = 1; i < <usize>bytes; i++, next += 2)
    store<u8>(body + i, <u8>((nibble(key, next) << 4) | nibble(key, next + 1)));
  return body + bytes;
}

/** Where the content of the next node goes. Has those that wait hashed where they take up too much. */
function begin(): usize {
  if (cursor > batchEnd) {
    hashAll();
    cursor = batch;
  }
  return cursor + LEAD;
}

/** Puts the list's header before a node's content, and notes how the node stands in its parent: at once where it is short, else when it is hashed. */
function close(place: i32, content: usize, end: usize): void {
  const length = end - content;
  const start = content - headerBytes(length);
  writeHeader(start, length, 0xc0);
  cursor = end;
  const bytes = end - start;
  const node = placeAt(place);
  if (bytes < 32) {
    memory.copy(node, start, bytes);
    store<u32>(node, <u32>bytes, Place.LENGTH);
    return;
  }
  store<u8>(node, 0xa0);
  store<u32>(node, 33, Place.LENGTH);
  hashLater(start, bytes, node + 1);
}
