// Keys of objects. Those of a list have the same keys in the same order, mostly: so the key that came next the last time is tried first, by one
// comparison of its whole text.
import { BACKSLASH, QUOTE, skipSpace } from "../json/characters";
import { malformed } from "./fault";
import { KEY_MULTIPLIER, KEY_SLOTS, KEY_TEXTS } from "./keys";
import { stringEnd } from "./scan";

/** A key as it was read before, by its hash. */
namespace Known {
  /** From its quote to the colon, and ones in place of the bytes that follow up to 32. */
  export const TEXT: usize = 0;
  export const BEHIND: usize = 32;
  export const LENGTH: usize = 64;
  export const KEY: usize = 68;
  export const BYTES: usize = 80;
}

const KNOWN = memory.data(20480, 16);
/** Longest key that is known, without quotes and colon. */
const LENGTH_MAX: usize = 24;

/** Bytes in which a kind of objects notes which key came next: by the hash of a key, behind these for the first key. They begin as zeros. */
export const ORDER_BYTES: i32 = 272;
/** What {@link keyPlace} is at the beginning of an object. */
export const BEGINNING: usize = 256;

/** Hash of the key that was read last. */
let last: usize = BEGINNING;

/** Number of the key that {@link readKey} has read; 0 for one that no form has. */
export let key: u32 = 0;

/** Where {@link readKey} is among an object's keys, for {@link returnTo}. */
@inline
export function keyPlace(): usize {
  return last;
}

/** Goes on at another place: behind the key of a value in which others were read, or at {@link BEGINNING}. */
@inline
export function returnTo(place: usize): void {
  last = place;
}

/**
 * Reads a key of an object whose kind notes the order of keys at `order`, and the colon behind it; the value follows. Keys with escapes are
 * refused: they could hide another's name.
 */
@inline
export function readKey(p: usize, order: usize): usize {
  const hash = <usize>load<u8>(order + last);
  const next = KNOWN + hash * Known.BYTES;
  const low = v128.andnot(v128.xor(v128.load(p), v128.load(next, Known.TEXT)), v128.load(next, Known.BEHIND));
  const high = v128.andnot(v128.xor(v128.load(p, 16), v128.load(next, Known.TEXT + 16)), v128.load(next, Known.BEHIND + 16));
  if (v128.any_true(v128.or(low, high))) return findKey(p, order);
  last = hash;
  key = load<u32>(next, Known.KEY);
  return skipSpace(p + <usize>load<u32>(next, Known.LENGTH));
}

function findKey(p: usize, order: usize): usize {
  if (load<u8>(p) != QUOTE) return malformed(p, "key");
  const at = p + 1;
  const end = stringEnd(at);
  const length = end - at;
  key = 0;
  if (length <= LENGTH_MAX) {
    const first = length < 8 ? load<u64>(at) & (((<u64>1) << (length << 3)) - 1) : load<u64>(at);
    const tail: u64 = length > 8 ? load<u64>(end - 8) : 0;
    const hash = ((first ^ (tail << 1) ^ <u64>length) * KEY_MULTIPLIER) >> 56;
    const found = load<u8>(KEY_SLOTS + <usize>hash);
    const known = KEY_TEXTS + ((<usize>found) << 5);
    if (
      load<u64>(known) == <u64>length &&
      load<u64>(known, 8) == first &&
      load<u64>(known, 16) == tail &&
      (length <= 16 || load<u64>(known, 24) == load<u64>(at + 8))
    )
      key = found;
    store<u8>(order + last, <u8>hash);
    last = <usize>hash;
    if (load<u8>(end, 1) == 0x3a) learn(p, length + 3, KNOWN + <usize>hash * Known.BYTES);
  }
  // A backslash stands in no key that is known, and a key without one is what it says.
  if (key == 0 && hasBackslash(at, end)) return malformed(p, "key without escapes");
  p = skipSpace(end + 1);
  if (load<u8>(p) != 0x3a) return malformed(p, "colon");
  return skipSpace(p + 1);
}

/** Notes a key's text. What has a backslash is refused before it could be met again. */
function learn(p: usize, length: usize, known: usize): void {
  const behind = i8x16.splat(<i8>length);
  const low = i8x16.le_u(behind, i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15));
  const high = i8x16.le_u(behind, i8x16(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31));
  v128.store(known, v128.andnot(v128.load(p), low), Known.TEXT);
  v128.store(known, v128.andnot(v128.load(p, 16), high), Known.TEXT + 16);
  v128.store(known, low, Known.BEHIND);
  v128.store(known, high, Known.BEHIND + 16);
  store<u32>(known, <u32>length, Known.LENGTH);
  store<u32>(known, key, Known.KEY);
}

function hasBackslash(at: usize, end: usize): bool {
  for (let p = at; p < end; p++) if (load<u8>(p) == BACKSLASH) return true;
  return false;
}
