// Keys of objects. Those of a list have the same keys in the same order, mostly: so the key that came next the last time is tried first, by one
// comparison of its whole text.
import { QUOTE, skipSpace, stringStop } from "./characters";

/** What can be wrong with a key. */
export namespace KeyFault {
  export const NO_KEY: i32 = 0;
  /** It does not end, or has a control character. */
  export const NO_STRING: i32 = 1;
  export const ESCAPE: i32 = 2;
  export const NO_COLON: i32 = 3;
}

/** Stops at a byte, for one of {@link KeyFault}. */
export type Refuse = (at: usize, fault: i32) => usize;

let slots: usize = 0;
let texts: usize = 0;
let multiplier: u64 = 0;
let refuse: Refuse = unreachableFault;

function unreachableFault(_at: usize, _fault: i32): usize {
  unreachable();
  return 0;
}

/** Says which keys are known, as a module's list of them has them, and who stops at others. */
export function openKeys(keySlots: usize, keyTexts: usize, keyMultiplier: u64, refusal: Refuse): void {
  slots = keySlots;
  texts = keyTexts;
  multiplier = keyMultiplier;
  refuse = refusal;
}

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
/** Longest key that is known: with quotes and colon it has 32 bytes. */
const LENGTH_MAX: usize = 29;

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
  if (load<u8>(p) != QUOTE) return refuse(p, KeyFault.NO_KEY);
  const at = p + 1;
  const end = stringStop(at);
  const stop = load<u8>(end);
  if (stop != QUOTE) return refuse(end, stop < 0x20 ? KeyFault.NO_STRING : KeyFault.ESCAPE);
  key = 0;
  if (end - at <= LENGTH_MAX) learn(p, end - at, order);
  p = skipSpace(end + 1);
  if (load<u8>(p) != 0x3a) return refuse(p, KeyFault.NO_COLON);
  return skipSpace(p + 1);
}

/** Positions of bytes. */
const LOW = i8x16(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
const HIGH = i8x16(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);

/** Finds a key's number, and notes its text, and that it came behind the last one. */
function learn(p: usize, length: usize, order: usize): void {
  const at = p + 1;
  const behind = i8x16.splat(<i8>length);
  const low = v128.andnot(v128.load(at), i8x16.le_u(behind, LOW));
  const high = v128.andnot(v128.load(at, 16), i8x16.le_u(behind, HIGH));
  const tail: u64 = length > 8 ? load<u64>(at + length - 8) : 0;
  const hash = <usize>(((<u64>i64x2.extract_lane(low, 0) ^ (tail << 1) ^ <u64>length) * multiplier) >> 56);
  const number = load<u8>(slots + hash);
  const text = texts + ((<usize>number) << 5);
  if (i8x16.all_true(v128.and(i8x16.eq(low, v128.load(text)), i8x16.eq(high, v128.load(text, 16))))) key = number;
  store<u8>(order + last, <u8>hash);
  last = hash;
  // What follows at another distance is found anew each time.
  if (load<u8>(at + length, 1) != 0x3a) return;
  const known = KNOWN + hash * Known.BYTES;
  const whole = i8x16.splat(<i8>(length + 3));
  const lowBehind = i8x16.le_u(whole, LOW);
  const highBehind = i8x16.le_u(whole, HIGH);
  v128.store(known, v128.andnot(v128.load(p), lowBehind), Known.TEXT);
  v128.store(known, v128.andnot(v128.load(p, 16), highBehind), Known.TEXT + 16);
  v128.store(known, lowBehind, Known.BEHIND);
  v128.store(known, highBehind, Known.BEHIND + 16);
  store<u32>(known, <u32>length + 3, Known.LENGTH);
  store<u32>(known, key, Known.KEY);
}
