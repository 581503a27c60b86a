// Keccak-256 as Ethereum uses it: the sponge of FIPS 202 with the padding of the original submission (0x01, not 0x06). Messages wait in a
// queue, so that three are hashed at a time.
import { absorb, clearState, RATE, writeHash } from "./keccak-states";

const ENTRY: usize = 12;
/** Messages that wait: address, length and target of each. Long ones are put before all others, so that none is hashed alone in the end. */
const QUEUE = memory.data(15360, 16);
const BEGIN: usize = QUEUE + 256 * ENTRY;
const END: usize = BEGIN + 1024 * ENTRY;
/** Bytes of a long message. */
const LONG: usize = 1024;
let first: usize = BEGIN;
let last: usize = BEGIN;

/** What is hashed in a state: what is left of a message, where its hash goes (0: nowhere, the state runs idle), and its last block. */
namespace Side {
  export const AT: usize = 0;
  export const LEFT: usize = 4;
  export const TARGET: usize = 8;
  export const BLOCK: usize = 16;
  export const BYTES: usize = 160;
}
const SIDES = memory.data(480, 16);

/**
 * Has the hash of a message, 32 bytes, written to `target`, by {@link hashAll} at the latest. Until then the message has to stay as it is;
 * `target` may not lie in one that waits.
 */
export function hashLater(message: usize, length: usize, target: usize): void {
  if (first == QUEUE || last == END) hashAll();
  let entry = last;
  if (length >= LONG) {
    first -= ENTRY;
    entry = first;
  } else last += ENTRY;
  store<u32>(entry, <u32>message);
  store<u32>(entry, <u32>length, 4);
  store<u32>(entry, <u32>target, 8);
}

/** Writes the hash of a message, and of all that wait. `target` may lie in the message. */
export function keccak256(message: usize, length: usize, target: usize): void {
  hashLater(message, length, target);
  hashAll();
}

/** Hashes all messages that wait. */
export function hashAll(): void {
  if (first == last) return;
  begin(0);
  begin(1);
  begin(2);
  do {
    absorb(block(0), block(1), block(2));
    advance(0);
    advance(1);
    advance(2);
  } while ((targetOf(0) | targetOf(1) | targetOf(2)) != 0);
  first = BEGIN;
  last = BEGIN;
}

@inline
function sideOf(number: usize): usize {
  return SIDES + number * Side.BYTES;
}

@inline
function targetOf(number: usize): usize {
  return <usize>load<u32>(sideOf(number), Side.TARGET);
}

/** Begins with the next message that waits. */
@inline
function begin(number: usize): void {
  const side = sideOf(number);
  clearState(number);
  if (first == last) {
    store<u32>(side, 0, Side.LEFT);
    store<u32>(side, 0, Side.TARGET);
    return;
  }
  store<u64>(side, load<u64>(first));
  store<u32>(side, load<u32>(first, 8), Side.TARGET);
  first += ENTRY;
}

/** The next block: where it lies in the message, or what is left of that, padded. */
@inline
function block(number: usize): usize {
  const side = sideOf(number);
  return load<u32>(side, Side.LEFT) >= <u32>RATE ? <usize>load<u32>(side, Side.AT) : padded(side);
}

function padded(side: usize): usize {
  const last = side + Side.BLOCK;
  const length = <usize>load<u32>(side, Side.LEFT);
  memory.fill(last, 0, RATE);
  memory.copy(last, <usize>load<u32>(side, Side.AT), length);
  store<u8>(last + length, 1);
  store<u8>(last, load<u8>(last, RATE - 1) | 0x80, RATE - 1);
  return last;
}

/** Goes on behind a block that was absorbed. */
@inline
function advance(number: usize): void {
  const side = sideOf(number);
  const left = load<u32>(side, Side.LEFT);
  if (left >= <u32>RATE) {
    store<u32>(side, left - <u32>RATE, Side.LEFT);
    store<u32>(side, load<u32>(side, Side.AT) + <u32>RATE, Side.AT);
    return;
  }
  const target = targetOf(number);
  if (target != 0) writeHash(number, target);
  begin(number);
}
