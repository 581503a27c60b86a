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
  /** How far from the first the key is that came next the last time. */
  export const NEXT: usize = 72;
  export const BYTES: usize = 80;
}

const KNOWN = memory.data(20480, 16);
/** Longest key that is known, without quotes and colon. */
const LENGTH_MAX: usize = 24;

/** Where the key is that was read last. */
let last: usize = KNOWN;

/** Number of the key that {@link readKey} has read; 0 for one that no table of fields has. */
export let key: u32 = 0;

/** Where {@link readKey} is among the keys, for {@link returnTo}. */
@inline
export function keyPlace(): usize {
  return last;
}

/** Goes on behind a key that was read before, or at the beginning of an object: each kind of object has a place for that. */
@inline
export function returnTo(place: usize): void {
  last = place;
}

/** Bytes of a place for the beginning of objects; they begin as zeros. */
export const PLACE_BYTES: i32 = 80;

/** Reads a key and the colon behind it; the value follows. Keys with escapes are refused: they could hide another's name. */
@inline
export function readKey(p: usize): usize {
  const next = KNOWN + <usize>load<u32>(last, Known.NEXT);
  const low = v128.andnot(v128.xor(v128.load(p), v128.load(next, Known.TEXT)), v128.load(next, Known.BEHIND));
  const high = v128.andnot(v128.xor(v128.load(p, 16), v128.load(next, Known.TEXT + 16)), v128.load(next, Known.BEHIND + 16));
  if (v128.any_true(v128.or(low, high))) return findKey(p);
  last = next;
  key = load<u32>(next, Known.KEY);
  return skipSpace(p + <usize>load<u32>(next, Known.LENGTH));
}

function findKey(p: usize): usize {
  if (load<u8>(p) != QUOTE) return malformed(p, "key");
  const at = p + 1;
  const end = stringEnd(at);
  const length = end - at;
  key = 0;
  let place: usize = 0;
  if (length <= LENGTH_MAX) {
    const first = length < 8 ? load<u64>(at) & (((<u64>1) << (length << 3)) - 1) : load<u64>(at);
    const last: u64 = length > 8 ? load<u64>(end - 8) : 0;
    const hash = ((first ^ (last << 1) ^ <u64>length) * KEY_MULTIPLIER) >> 56;
    const found = load<u8>(KEY_SLOTS + <usize>hash);
    const known = KEY_TEXTS + ((<usize>found) << 5);
    if (
      load<u64>(known) == <u64>length &&
      load<u64>(known, 8) == first &&
      load<u64>(known, 16) == last &&
      (length <= 16 || load<u64>(known, 24) == load<u64>(at + 8))
    )
      key = found;
    place = KNOWN + <usize>hash * Known.BYTES;
  }
  // A backslash stands in no key that is known, and a key without one is what it says.
  if (key == 0 && hasBackslash(at, end)) return malformed(p, "key without escapes");
  if (place != 0 && load<u8>(end, 1) == 0x3a) learn(p, length + 3, place);
  p = skipSpace(end + 1);
  if (load<u8>(p) != 0x3a) return malformed(p, "colon");
  return skipSpace(p + 1);
}

/** Notes a key's text at its place, and that it came behind the last one. */
function learn(p: usize, length: usize, place: usize): void {
  for (let i: usize = 0; i < 32; i++) {
    store<u8>(place + i, i < length ? load<u8>(p + i) : 0, Known.TEXT);
    store<u8>(place + i, i < length ? 0 : 0xff, Known.BEHIND);
  }
  store<u32>(place, <u32>length, Known.LENGTH);
  store<u32>(place, key, Known.KEY);
  store<u32>(last, <u32>(place - KNOWN), Known.NEXT);
  last = place;
}

function hasBackslash(at: usize, end: usize): bool {
  for (let p = at; p < end; p++) if (load<u8>(p) == BACKSLASH) return true;
  return false;
}
