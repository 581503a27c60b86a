// Events of an auction site after the model of Nexmark (https://github.com/nexmark/nexmark): of 50 events one is a person, three are auctions, 46 are bids;
// half of the auctions, three quarters of the sellers' and bidders' choices fall on hot ones. Every event is a function of its number alone, so that anyone can
// make them again, from any number on. Prices lie evenly in each power of ten between 1 and 10^8 instead of following a power: that needs no Math.pow.
import type { NexmarkTable } from "./kind.ts";

const BLOCK = 50;
const START_MS = Date.UTC(2015, 6, 15);
const [FIRST_PERSON, FIRST_AUCTION, FIRST_CATEGORY] = [1000, 1000, 10];
/** Numbers of three digits in base 36: parts of an address. */
const PARTS = 36 ** 3;

/** Which of a block of 50 events are a table's: the first, and how many. */
const PLACES: Readonly<Record<NexmarkTable, readonly [first: number, count: number]>> = {
  persons: [0, 1],
  auctions: [1, 3],
  bids: [4, 46],
};

/** Rows of a table in the first `events` events. */
export function rowsOf(table: NexmarkTable, events: number): number {
  const [first, count] = PLACES[table];
  const rest = Math.max(0, Math.min(count, (events % BLOCK) - first));
  return Math.floor(events / BLOCK) * count + rest;
}

/** Number of the event that a table's row is, counted from 0. */
export function eventOf(table: NexmarkTable, row: number): number {
  const [first, count] = PLACES[table];
  const block = Math.floor(row / count);
  return block * BLOCK + first + (row - block * count);
}

/** Numbers of the events that rows `from` on of a table are, `rows` of them. */
export function eventsOf(table: NexmarkTable, from: number, rows: number): Float64Array {
  const [first, count] = PLACES[table];
  const events = new Float64Array(rows);
  let n = eventOf(table, from);
  let left = count - ((n % BLOCK) - first);
  for (let i = 0; i < rows; i++) {
    events[i] = n;
    left--;
    n += left === 0 ? BLOCK - count + 1 : 1;
    if (left === 0) left = count;
  }
  return events;
}

/** The block of 50 events that an event is in. */
export function blockOf(n: number): number {
  return Math.floor(n / BLOCK);
}

/** Event time of an event at so many events a second, in microseconds since 1970; whole milliseconds. */
export function timeOf(n: number, rate: number): number {
  return (START_MS + Math.floor((n * 1000) / rate)) * 1000;
}

/** Random number below `below` for the draw `draw` of event `n`: a hash of both (the finisher of MurmurHash3), so no state is carried on. */
export function random(n: number, draw: number, below: number): number {
  let h = Math.imul(n ^ Math.imul(draw, 0x9e3779b1), 0x85ebca6b) ^ (n >>> 7);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return Math.floor(((h ^ (h >>> 16)) >>> 0) * 2 ** -32 * below);
}

const POWERS = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/** A price that the draw `draw` of an event gives. */
function price(n: number, draw: number): number {
  const unit = POWERS[random(n, draw, 8)] as number;
  return unit + random(n, draw + 100, 9 * unit);
}

/** A person by the places of the words that it is made of. */
export function personOf(n: number) {
  return {
    id: FIRST_PERSON + blockOf(n),
    city: random(n, 1, 6),
    name: random(n, 2, 8),
    surname: random(n, 3, 8),
  };
}

/** An auction; `item` is the number of its item, `openMs` how long it lasts. */
export function auctionOf(n: number) {
  const block = blockOf(n);
  const hot = random(n, 1, 4) > 0;
  const seller = hot ? Math.floor(block / 100) * 100 : block - random(n, 2, Math.min(block + 1, 1000));
  const initialBid = price(n, 3);
  return {
    id: FIRST_AUCTION + block * 3 + (n - block * BLOCK) - 1,
    item: random(n, 4, 1000),
    initialBid,
    reserve: initialBid + price(n, 5),
    openMs: 1 + random(n, 6, 2000),
    seller: FIRST_PERSON + seller,
    category: FIRST_CATEGORY + random(n, 7, 5),
  };
}

/** The auction that a bid of a block of events is for. */
export function bidAuction(n: number, block: number): number {
  const last = block * 3 + 2;
  if (random(n, 1, 2) > 0) return FIRST_AUCTION + last - (last % 100);
  return FIRST_AUCTION + last - random(n, 2, Math.min(last + 1, 100));
}

/** Who bids, in a block of events. */
export function bidBidder(n: number, block: number): number {
  if (random(n, 3, 4) > 0) return FIRST_PERSON + Math.min(block, block - (block % 100) + 1);
  return FIRST_PERSON + block - random(n, 4, Math.min(block + 1, 1000));
}

/** What is bid. */
export function bidPrice(n: number): number {
  return price(n, 11);
}

/** The channel of a bid: one of the four hot ones by its place, or 4 and the number of another. */
export function bidChannel(n: number): number {
  return random(n, 6, 2) > 0 ? random(n, 7, 4) : 4 + random(n, 5, 10_000);
}

/** One of the three parts of a bid's address, as a number below 36^3. */
export function bidPart(n: number, part: number): number {
  return random(n, 8 + part, PARTS);
}
