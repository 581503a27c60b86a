import { align64, allocate, callBase, endCall } from "./memory";

// Memory of a stateful module that lives from call to call. It is cut from segments, which are taken from the memory of the call
// under way and from then on lie below it.

/** Least bytes of a segment. */
const SEGMENT_MIN: usize = 1 << 16;
/** Heads of the lists of released blocks, by the power of two that is their size. */
const released = memory.data(32 << 2);

let at: usize = 0;
let end: usize = 0;
let segment: usize = 0;
/** End of the highest segment. */
let keptEnd: usize = 0;
/** Segment that the call under way took last, or 0. */
let taken: usize = 0;

/**
 * What stands at the beginning of a segment until the call that took it has ended: where the call's own memory below it begins,
 * and the segment that the call took before.
 */
const HEADER: usize = 64;
const GAP = 0;
const BEFORE = 4;

/** Zeroed, 64-byte aligned bytes that live from call to call, until they are released. Traps when the memory cannot grow so far. */
export function keep(bytes: usize): usize {
  const power = powerOf(bytes);
  const list = released + ((<usize>power) << 2);
  const block = load<usize>(list);
  if (block != 0) {
    store<usize>(list, load<usize>(block));
    store<usize>(block, 0);
    return block;
  }
  at = align64(at);
  return cut((<usize>1) << power);
}

/** Zeroed, 8-byte aligned bytes that live from call to call and are never released. */
export function keepSmall(bytes: usize): usize {
  at = (at + 7) & ~7;
  return cut((bytes + 7) & ~7);
}

/** Gives back what {@link keep} gave, of the same size. */
export function release(address: usize, bytes: usize): void {
  const power = powerOf(bytes);
  // A block that is handed out again is zero, and pages of zeros are not saved.
  memory.fill(address, 0, (<usize>1) << power);
  const list = released + ((<usize>power) << 2);
  store<usize>(address, load<usize>(list));
  store<usize>(list, address);
}

/** What the host calls when it has taken the output: all memory that was the call's own is zero and free again. */
export function ipdm_end(): void {
  endCall(keptEnd);
  while (taken != 0) {
    const gap = load<usize>(taken, GAP);
    const before = load<usize>(taken, BEFORE);
    memory.fill(gap, 0, taken + HEADER - gap);
    // What lies between two segments is used up before another is taken, where it is the larger part.
    if (taken - gap > end - at) {
      at = gap;
      end = taken;
    }
    taken = before;
  }
}

function cut(bytes: usize): usize {
  if (at + bytes > end) grow(bytes);
  const address = at;
  at += bytes;
  return address;
}

/** Takes a segment from the memory of the call, twice as large as the one before. */
function grow(bytes: usize): void {
  segment = max(max(SEGMENT_MIN, 2 * segment), HEADER + align64(bytes));
  const gap = max(callBase(), keptEnd);
  const address = allocate(segment);
  store<usize>(address, gap, GAP);
  store<usize>(address, taken, BEFORE);
  taken = address;
  at = address + HEADER;
  end = address + segment;
  keptEnd = end;
}

/** The power of two that holds so many bytes, at least 64. */
function powerOf(bytes: usize): u32 {
  return bytes <= 64 ? 6 : 32 - <u32>clz<u32>(<u32>bytes - 1);
}
