import type { Batch } from "../../batch/batch.ts";
import type { KeyStore } from "../window/key-store.ts";

/** Entries that a side first makes room for, and most that it keeps the room of once it is cleared. */
const ENTRIES = 8;
const SPARE_ENTRIES = 2 ** 17;
const NO_ENTRIES = new Int32Array(0);

/** Rows of one side of a window, in the order in which they came. */
export class WindowSide {
  /** The batches that they are rows of, the number of each among all that came, and its first entry. */
  batches: Batch[] = [];
  numbers: number[] = [];
  starts: number[] = [];
  /** Number of the newest batch; -1 where there is none. */
  newest = -1;
  /** Row of each entry in its batch; the complement of it where a later window has the same row and counts it. */
  rows = NO_ENTRIES;
  /** Id of each entry's key; -1 where part of it is null. */
  ids = NO_ENTRIES;
  count = 0;
  /** Entries of which this is the last window. */
  counted = 0;

  /** The entries to come are rows of this batch. */
  begin(batch: Batch, number: number): void {
    this.batches.push(batch);
    this.numbers.push(number);
    this.starts.push(this.count);
    this.newest = number;
  }

  push(row: number, id: number): void {
    if (this.count === this.rows.length) this.grow();
    this.rows[this.count] = row;
    this.ids[this.count++] = id;
  }

  clear(): void {
    this.batches = [];
    this.numbers = [];
    this.starts = [];
    this.newest = -1;
    this.count = 0;
    this.counted = 0;
    if (this.rows.length <= SPARE_ENTRIES) return;
    this.rows = NO_ENTRIES;
    this.ids = NO_ENTRIES;
  }

  /** Where the entries of the batch at a place of {@link batches} end. */
  endOf(place: number): number {
    return this.starts[place + 1] ?? this.count;
  }

  private grow(): void {
    this.rows = doubled(this.rows);
    this.ids = doubled(this.ids);
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(Math.max(ENTRIES, 2 * array.length));
  larger.set(array);
  return larger;
}

/** The batches that entries of any window point into. */
export class HeldBatches {
  /** Rows of them all. */
  rows = 0;
  /** By number: how many windows hold a batch, and its rows. */
  private readonly batches = new Map<number, { windows: number; readonly rows: number }>();

  hold(number: number, { rows }: Batch): void {
    const held = this.batches.get(number);
    if (held !== undefined) {
      held.windows++;
      return;
    }
    this.batches.set(number, { windows: 1, rows });
    this.rows += rows;
  }

  /** A window lets go of batches. */
  release(numbers: readonly number[]): void {
    for (const number of numbers) {
      const held = this.batches.get(number);
      if (held === undefined || --held.windows > 0) continue;
      this.batches.delete(number);
      this.rows -= held.rows;
    }
  }
}

/** Row of an entry, whoever counts it. */
export function rowOf(entry: number): number {
  return entry ^ (entry >> 31);
}

/** Above this many keys for each entry, entries are sorted, below it counted by their ranks. */
const COUNTED_SHARE = 16;

/** Rank of a key by its id, in the order of canonical bytes; below `count`, which is the rank of what has a null in its key (id -1). */
export interface Ranks {
  readonly rankOf: Int32Array | ReadonlyMap<number, number>;
  readonly count: number;
}

/** Ranks of all keys that the sides have. */
export function ranksOf(store: KeyStore, sides: readonly WindowSide[]): Ranks {
  const wanted = sides.reduce((most, { count }) => Math.max(most, count), 0);
  const known = store.ranks(wanted);
  if (known !== undefined) return known;
  const found = new Set<number>();
  for (const { ids, count } of sides) for (let i = 0; i < count; i++) found.add(ids[i] as number);
  found.delete(-1);
  const places = new Map([...found].sort((a, b) => store.compare(a, b)).map((id, rank) => [id, rank]));
  return { rankOf: places, count: places.size };
}

/** Above every rank. */
export const NO_RANK = 2 ** 31 - 1;

/**
 * One side of a window in the order of its keys' ranks, of equal ones as the rows came: which row of which batch each is. Behind the last
 * stands a row that is missing: -1.
 */
export class RankedSide {
  count = 0;
  /** The window's batches. */
  batches: readonly Batch[] = [];
  /** Ends in {@link NO_RANK}. */
  ranks = new Int32Array(1);
  at = new Int32Array(1);
  rows = new Int32Array(1);
  private given = new Int32Array(0);
  private places = new Int32Array(0);

  fill(side: WindowSide, { rankOf, count: keys }: Ranks): void {
    const { ids, count } = side;
    this.reserve(count);
    this.count = count;
    this.batches = side.batches;
    const { given } = this;
    if (rankOf instanceof Int32Array) {
      for (let i = 0; i < count; i++) {
        const id = ids[i] as number;
        given[i] = id < 0 ? keys : (rankOf[id] as number);
      }
    } else for (let i = 0; i < count; i++) given[i] = rankOf.get(ids[i] as number) ?? keys;
    if (keys <= COUNTED_SHARE * count) this.countPlaces(keys);
    else this.sortPlaces();
    this.place(side);
    this.ranks[count] = NO_RANK;
    this.at[count] = 0;
    this.rows[count] = -1;
  }

  /** Puts the place of each entry into `given`, by counting. */
  private countPlaces(keys: number): void {
    const { given, ranks, count } = this;
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
      places[rank] = place + 1;
      ranks[place] = rank;
      given[i] = place;
    }
  }

  /** The same by sorting. */
  private sortPlaces(): void {
    const { given, ranks, count } = this;
    const order = new Float64Array(count);
    for (let i = 0; i < count; i++) order[i] = (given[i] as number) * count + i;
    order.sort();
    for (let place = 0; place < count; place++) {
      const i = (order[place] as number) % count;
      ranks[place] = given[i] as number;
      given[i] = place;
    }
  }

  private place(side: WindowSide): void {
    const { given, at, rows } = this;
    for (let batch = 0; batch < side.batches.length; batch++) {
      const end = side.endOf(batch);
      for (let i = side.starts[batch] as number; i < end; i++) {
        const place = given[i] as number;
        at[place] = batch;
        rows[place] = rowOf(side.rows[i] as number);
      }
    }
  }

  private reserve(count: number): void {
    if (this.given.length >= count) return;
    this.given = new Int32Array(2 * count);
    this.at = new Int32Array(2 * count + 1);
    this.rows = new Int32Array(2 * count + 1);
    this.ranks = new Int32Array(2 * count + 1);
  }
}
