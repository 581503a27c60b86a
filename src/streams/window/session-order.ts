import { compareBytes } from "../../core/bytes.ts";
import type { WindowCore } from "./core.ts";

/** Sessions, by slot, in the order of their ends, starts and keys. */
export function sessionsInOrder(
  { groups, keys }: WindowCore,
  slots: readonly number[],
  firsts: Float64Array,
  lasts: Float64Array,
): Int32Array {
  const ranks = keys.store.ranks(slots.length)?.rankOf;
  return ordered(slots, lasts, (a, b) => {
    const difference = (firsts[a] as number) - (firsts[b] as number);
    if (difference !== 0) return difference;
    const [x, y] = [groups.ids[a] as number, groups.ids[b] as number];
    if (ranks !== undefined) return (ranks[x] as number) - (ranks[y] as number);
    return compareBytes(keys.store.bytesOf(x), keys.store.bytesOf(y));
  });
}

/** Slots in the order of a whole number each has, and where that is equal in the order of `compare`. */
function ordered(
  slots: readonly number[],
  numbers: Float64Array,
  compare: (a: number, b: number) => number,
): Int32Array {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (const slot of slots) {
    const value = numbers[slot] as number;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  const { length } = slots;
  if (!Number.isSafeInteger((most - least + 1) * length)) {
    return Int32Array.from(slots).sort((a, b) => (numbers[a] as number) - (numbers[b] as number) || compare(a, b));
  }
  // Numbers with places behind them: the engine sorts floats without a call for each pair.
  const packed = new Float64Array(length);
  for (let i = 0; i < length; i++) packed[i] = ((numbers[slots[i] as number] as number) - least) * length + i;
  packed.sort();
  const sorted = new Int32Array(length);
  for (let i = 0; i < length; i++) sorted[i] = slots[(packed[i] as number) % length] as number;
  for (let from = 0; from < length; ) {
    let to = from + 1;
    while (to < length && numbers[sorted[to] as number] === numbers[sorted[from] as number]) to++;
    if (to - from > 1) sorted.subarray(from, to).sort(compare);
    from = to;
  }
  return sorted;
}
