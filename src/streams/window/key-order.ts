/** Numbers of 32 bits that a key's head has: bytes 1 to 12 of its canonical bytes, byte 0 being the same in a table. */
export const HEAD_WORDS = 3;

const DIGIT = 0x1_0000;
/** Below this many ids comparing is faster than counting digits. */
const COUNTED_MIN = 4096;

/** From a key's first byte to the end of its head. */
export const HEAD_BYTES = 1 + 4 * HEAD_WORDS;

/** Writes the head of a key, whose bytes begin at `from` and have zeros behind them, at an id's place. Returns bytes 1 to 6 as a number; all bytes break a tie. */
export function putHead(heads: Uint32Array, id: number, bytes: Uint8Array, from: number): number {
  for (let word = 0, at = from + 1; word < HEAD_WORDS; word++, at += 4) {
    const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
    const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
    heads[HEAD_WORDS * id + word] = ((high << 16) | low) >>> 0;
  }
  return (heads[HEAD_WORDS * id] as number) * DIGIT + ((heads[HEAD_WORDS * id + 1] as number) >>> 16);
}

/** Order of two heads. */
export function compareHeads(heads: Uint32Array, a: number, b: number): number {
  for (let word = 0; word < HEAD_WORDS; word++) {
    const difference = (heads[HEAD_WORDS * a + word] as number) - (heads[HEAD_WORDS * b + word] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Ids in the order of `compare`, which begins with the order of heads. Many are sorted by counting digits of 16 bits, the last
 * first; only ids with equal heads are compared.
 */
export function sortedIds(ids: Int32Array, heads: Uint32Array, compare: (a: number, b: number) => number): Int32Array {
  if (ids.length < COUNTED_MIN) return ids.slice().sort(compare);
  let order = ids;
  let other: Int32Array = new Int32Array(ids.length);
  for (let word = HEAD_WORDS - 1; word >= 0; word--) {
    for (const shift of [0, 16]) {
      if (!byDigit(order, other, heads, word, shift)) continue;
      [order, other] = [other, order === ids ? new Int32Array(ids.length) : order];
    }
  }
  const sorted = order === ids ? ids.slice() : order;
  for (let from = 0; from < sorted.length; ) {
    let to = from + 1;
    while (to < sorted.length && compareHeads(heads, sorted[from] as number, sorted[to] as number) === 0) to++;
    if (to - from > 1) sorted.subarray(from, to).sort(compare);
    from = to;
  }
  return sorted;
}

// Of no call longer than itself; made once, since they are large.
const places = new Uint32Array(DIGIT);
let digits = new Uint16Array(0);

/** Sorts by one digit, keeping the order of equal ones; false, and nothing written, when all have the same digit. */
function byDigit(ids: Int32Array, into: Int32Array, heads: Uint32Array, word: number, shift: number): boolean {
  places.fill(0);
  if (digits.length < ids.length) digits = new Uint16Array(2 * ids.length);
  for (let i = 0; i < ids.length; i++) {
    const digit = ((heads[HEAD_WORDS * (ids[i] as number) + word] as number) >>> shift) & (DIGIT - 1);
    digits[i] = digit;
    places[digit] = (places[digit] as number) + 1;
  }
  let before = 0;
  for (let digit = 0; digit < DIGIT; digit++) {
    const count = places[digit] as number;
    if (count === ids.length) return false;
    places[digit] = before;
    before += count;
  }
  for (let i = 0; i < ids.length; i++) {
    const digit = digits[i] as number;
    const place = places[digit] as number;
    into[place] = ids[i] as number;
    places[digit] = place + 1;
  }
  return true;
}
