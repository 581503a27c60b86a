import { allocate } from "../../sandbox/sdk/index";

const CHUNK_BYTES: usize = 65536;
const SLACK: usize = 512;

// Two places to take memory from: one for bytes that follow each other without gaps, one for records.
let cursor: usize = 0;
let limit: usize = 0;
let record: usize = 0;
let recordEnd: usize = 0;

/**
 * Makes room for what is decoded from the texts of a call, by their bytes and those of the longest: half of them at most, since two digits
 * make a byte and a key is longer than a header. What is put in order is written behind that before it is moved.
 */
export function openArena(bytes: usize, longest: usize): void {
  const half = bytes >> 1;
  cursor = allocate(half + (longest >> 1) + SLACK);
  limit = cursor + half;
}

/** Where the next bytes go. Up to 64 may be written beyond what is then taken; a whole field of text may be written and taken. */
@inline
export function here(): usize {
  return cursor;
}

/** Ends what was written at {@link here}. */
@inline
export function advance(to: usize): void {
  if (to > limit) unreachable();
  cursor = to;
}

/** A record of zeros. */
export function take(bytes: usize): usize {
  const size = (bytes + 7) & ~7;
  if (record + size > recordEnd) {
    const chunk = max(size, CHUNK_BYTES);
    record = allocate(chunk);
    recordEnd = record + chunk;
  }
  const at = record;
  record += size;
  return at;
}
