import type { KeyStore } from "../window/key-store.ts";
import type { KeptRows } from "./kept-rows.ts";

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

/** Above every rank. */
export const NO_RANK = 2 ** 31 - 1;

/** One side of a window in the order of its keys' ranks, of equal ones as the rows came: which row of which batch each entry is. */
export class RankedSide {
  count = 0;
  /** Ends in {@link NO_RANK}. */
  ranks = new Int32Array(1);
  at = new Int32Array(0);
  rows = new Int32Array(0);
  private given = new Int32Array(0);
  private places = new Int32Array(0);

  fill({ entries, count }: EntryList, kept: KeptRows, { rankOf, count: keys }: Ranks): void {
    this.reserve(count);
    this.count = count;
    const { given } = this;
    for (let i = 0; i < count; i++) {
      const id = kept.ids[entries[i] as number] as number;
      given[i] = id < 0 ? keys : ((rankOf instanceof Int32Array ? rankOf[id] : rankOf.get(id)) as number);
    }
    if (keys <= COUNTED_SHARE * count) this.byCounting(entries, kept, keys);
    else this.bySorting(entries, kept);
    this.ranks[count] = NO_RANK;
  }

  private byCounting(entries: Int32Array, kept: KeptRows, keys: number): void {
    const { given, ranks, at, rows, count } = this;
    if (this.places.length < keys + 2) this.places = new Int32Array(2 * keys + 2);
    const places = this.places.fill(0, 0, keys + 2);
    for (let i = 0; i < count; i++) {
      const after = (given[i] as number) + 1;
      places[after] = (places[after] as number) + 1;
    }
    for (let rank = 0; rank <= keys; rank++) places[rank + 1] = (places[rank + 1] as number) + (places[rank] as number);
    for (let i = 0; i < count; i++) {
      const rank = given[i] as number;
      const place = places[rank] as number;
      const entry = entries[i] as number;
      places[rank] = place + 1;
      ranks[place] = rank;
      at[place] = kept.at[entry] as number;
      rows[place] = kept.rows[entry] as number;
    }
  }

  private bySorting(entries: Int32Array, kept: KeptRows): void {
    const { given, count } = this;
    const order = new Float64Array(count);
    for (let i = 0; i < count; i++) order[i] = (given[i] as number) * count + i;
    order.sort();
    for (let place = 0; place < count; place++) {
      const i = (order[place] as number) % count;
      const entry = entries[i] as number;
      this.ranks[place] = given[i] as number;
      this.at[place] = kept.at[entry] as number;
      this.rows[place] = kept.rows[entry] as number;
    }
  }

  private reserve(count: number): void {
    if (this.given.length >= count) return;
    this.given = new Int32Array(2 * count);
    this.at = new Int32Array(2 * count);
    this.rows = new Int32Array(2 * count);
    this.ranks = new Int32Array(2 * count + 1);
  }
}
