import type { KeyStore } from "../window/key-store.ts";

/** Entries of one side of a window, in the order in which they came. */
export class EntryList {
  entries = new Int32Array(64);
  count = 0;

  push(entry: number): void {
    if (this.count === this.entries.length) {
      const larger = new Int32Array(2 * this.count);
      larger.set(this.entries);
      this.entries = larger;
    }
    this.entries[this.count++] = entry;
  }
}

/** Entries by the rank of their keys, of equal ones as they came; beside each the rank. */
export interface RankedEntries {
  readonly entries: Int32Array;
  readonly ranks: Int32Array;
}

/** Above this many keys for each entry, entries are sorted, below it counted by their ranks. */
const COUNTED_SHARE = 16;

/** Rank of a key by its id, in the order of canonical bytes; below `count`, which is the rank of what has a null in its key (id -1). */
export interface Ranks {
  readonly rankOf: Int32Array | ReadonlyMap<number, number>;
  readonly count: number;
}

/** Ranks of all keys that the lists have. */
export function ranksOf(store: KeyStore, lists: readonly (readonly [EntryList, Int32Array])[]): Ranks {
  const wanted = lists.reduce((most, [{ count }]) => Math.max(most, count), 0);
  const known = store.ranks(wanted);
  if (known !== undefined) return known;
  const found = new Set<number>();
  for (const [{ entries, count }, ids] of lists)
    for (let i = 0; i < count; i++) found.add(ids[entries[i] as number] as number);
  found.delete(-1);
  const places = new Map([...found].sort((a, b) => store.compare(a, b)).map((id, rank) => [id, rank]));
  return { rankOf: places, count: places.size };
}

/** A list's entries in the order of their ranks; `ids` are key ids by entry. */
export function ranked({ entries, count }: EntryList, ids: Int32Array, { rankOf, count: keys }: Ranks): RankedEntries {
  const ranks = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const id = ids[entries[i] as number] as number;
    ranks[i] = id < 0 ? keys : ((rankOf instanceof Int32Array ? rankOf[id] : rankOf.get(id)) as number);
  }
  return keys <= COUNTED_SHARE * count ? counted(entries, ranks, keys) : sorted(entries, ranks);
}

function counted(entries: Int32Array, ranks: Int32Array, keys: number): RankedEntries {
  const places = new Int32Array(keys + 2);
  for (let i = 0; i < ranks.length; i++) {
    const after = (ranks[i] as number) + 1;
    places[after] = (places[after] as number) + 1;
  }
  for (let rank = 0; rank <= keys; rank++) places[rank + 1] = (places[rank + 1] as number) + (places[rank] as number);
  const made = { entries: new Int32Array(ranks.length), ranks: new Int32Array(ranks.length) };
  for (let i = 0; i < ranks.length; i++) {
    const rank = ranks[i] as number;
    const at = places[rank] as number;
    places[rank] = at + 1;
    made.entries[at] = entries[i] as number;
    made.ranks[at] = rank;
  }
  return made;
}

function sorted(entries: Int32Array, ranks: Int32Array): RankedEntries {
  const { length } = ranks;
  const order = new Float64Array(length);
  for (let i = 0; i < length; i++) order[i] = (ranks[i] as number) * length + i;
  order.sort();
  const at = Int32Array.from(order, (each) => each % length);
  return { entries: at.map((i) => entries[i] as number), ranks: at.map((i) => ranks[i] as number) };
}
