import type { Batch } from "../../batch/batch.ts";
import { type ColumnData, layoutBatch } from "../../batch/layout.ts";
import { type ColumnType, type Schema, schemaOf } from "../../batch/schema.ts";
import { textBytes } from "../../batch/texts.ts";
import type { NexmarkTable } from "./kind.ts";
import {
  auctionOf,
  bidAuction,
  bidBidder,
  bidChannel,
  bidPart,
  bidPrice,
  blockOf,
  eventsOf,
  personOf,
  timeOf,
} from "./nexmark-events.ts";
import { TextBytes } from "./text-bytes.ts";

const NAMES = words("vicky", "peter", "kate", "john", "saul", "luke", "deiter", "walter");
const CITIES = words("phoenix", "los angeles", "boise", "portland", "seattle", "cheyenne");
const STATES = words("az", "ca", "id", "or", "wa", "wy");
const CHANNELS = words("Google", "Facebook", "Baidu", "Apple");
const [ITEM, CHANNEL, ADDRESS, QUERY, CHANNEL_ID] = words(
  "item ",
  "channel-",
  "https://www.nexmark.com/",
  "/item.htm?query=1",
  "&channel_id=",
) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
const [SPACE, SLASH] = [0x20, 0x2f];
/** Bytes of the longest text of each column. */
const LONGEST = { name: 13, city: 11, state: 2, item: 8, channel: 12, url: 68 } as const;

/** Columns of each table. */
const SCHEMAS: Readonly<Record<NexmarkTable, Schema>> = {
  persons: schema({ id: "i64", name: "utf8", city: "utf8", state: "utf8", date_time: "timestamp" }),
  auctions: schema({
    id: "i64",
    item: "utf8",
    initial_bid: "i64",
    reserve: "i64",
    date_time: "timestamp",
    expires: "timestamp",
    seller: "i64",
    category: "i64",
  }),
  bids: schema({
    auction: "i64",
    bidder: "i64",
    price: "i64",
    channel: "utf8",
    url: "utf8",
    date_time: "timestamp",
  }),
};

/** Columns of a table. None holds nulls. */
export function nexmarkSchema(table: NexmarkTable): Schema {
  return SCHEMAS[table];
}

/** Rows `from` on of a table, `count` of them, at so many events a second: the bytes that a writer would make of them. */
export function nexmarkBatch(table: NexmarkTable, from: number, count: number, rate: number): Batch {
  return layoutBatch(SCHEMAS[table], count, COLUMNS[table](eventsOf(table, from, count), rate));
}

type MakeColumns = (events: Float64Array, rate: number) => readonly ColumnData[];

const COLUMNS: Readonly<Record<NexmarkTable, MakeColumns>> = { persons, auctions, bids };

function persons(events: Float64Array, rate: number): readonly ColumnData[] {
  const made = Array.from(events, personOf);
  const name = new TextBytes(made.length, LONGEST.name);
  const city = new TextBytes(made.length, LONGEST.city);
  const state = new TextBytes(made.length, LONGEST.state);
  for (const person of made) {
    name.put(NAMES[person.name] as Uint8Array);
    name.putByte(SPACE);
    name.put(NAMES[person.surname] as Uint8Array);
    name.endRow();
    city.put(CITIES[person.city] as Uint8Array);
    city.endRow();
    state.put(STATES[person.city] as Uint8Array);
    state.endRow();
  }
  return [numbers(events, (_, i) => made[i]?.id ?? 0), texts(name), texts(city), texts(state), times(events, rate)];
}

function auctions(events: Float64Array, rate: number): readonly ColumnData[] {
  const made = Array.from(events, auctionOf);
  const item = new TextBytes(made.length, LONGEST.item);
  for (const auction of made) {
    item.put(ITEM);
    item.putNumber(auction.item);
    item.endRow();
  }
  const of = (value: (auction: ReturnType<typeof auctionOf>) => number): ColumnData =>
    numbers(events, (_, i) => value(made[i] as ReturnType<typeof auctionOf>));
  return [
    of(({ id }) => id),
    texts(item),
    of(({ initialBid }) => initialBid),
    of(({ reserve }) => reserve),
    times(events, rate),
    numbers(events, (n, i) => timeOf(n, rate) + (made[i]?.openMs ?? 0) * 1000),
    of(({ seller }) => seller),
    of(({ category }) => category),
  ];
}

function bids(events: Float64Array, rate: number): readonly ColumnData[] {
  const rows = events.length;
  const [auction, bidder, price, at] = [longs(rows), longs(rows), longs(rows), longs(rows)];
  const channel = new TextBytes(rows, LONGEST.channel);
  const url = new TextBytes(rows, LONGEST.url);
  for (let row = 0; row < rows; row++) {
    const n = events[row] as number;
    const block = blockOf(n);
    put(auction, row, bidAuction(n, block));
    put(bidder, row, bidBidder(n, block));
    put(price, row, bidPrice(n));
    put(at, row, timeOf(n, rate));
    const which = bidChannel(n);
    const hot = CHANNELS[which];
    url.put(ADDRESS);
    url.putBase36(bidPart(n, 0));
    url.putByte(SLASH);
    url.putBase36(bidPart(n, 1));
    url.putByte(SLASH);
    url.putBase36(bidPart(n, 2));
    url.put(QUERY);
    if (hot === undefined) {
      const id = which - CHANNELS.length;
      channel.put(CHANNEL);
      channel.putNumber(id);
      url.put(CHANNEL_ID);
      url.putNumber(id);
    } else channel.put(hot);
    channel.endRow();
    url.endRow();
  }
  return [plain(auction), plain(bidder), plain(price), texts(channel), texts(url), plain(at)];
}

/** Room for a column of 64-bit integers, as pairs of words. */
function longs(rows: number): Int32Array {
  return new Int32Array(2 * rows);
}

/** Puts a whole number of 0 to 2^53 where a row's words are. */
function put(words: Int32Array, row: number, value: number): void {
  words[2 * row] = value;
  words[2 * row + 1] = value * 2 ** -32;
}

/** A column of 64-bit integers. */
function numbers(events: Float64Array, value: (n: number, row: number) => number): ColumnData {
  const words = longs(events.length);
  for (let row = 0; row < events.length; row++) put(words, row, value(events[row] as number, row));
  return plain(words);
}

function times(events: Float64Array, rate: number): ColumnData {
  return numbers(events, (n) => timeOf(n, rate));
}

function texts(made: TextBytes): ColumnData {
  return { ...NO_TEXT, data: made.taken(), offsets: made.offsets };
}

function plain(words: Int32Array): ColumnData {
  return { ...NO_TEXT, data: new Uint8Array(words.buffer), offsets: undefined };
}

const NO_TEXT = { nulls: 0, validity: undefined, extra: undefined, entries: 0 } as const;

function schema(columns: Readonly<Record<string, ColumnType>>): Schema {
  return schemaOf(Object.entries(columns).map(([name, type]) => ({ name, type, nullable: false })));
}

function words(...each: readonly string[]): readonly Uint8Array[] {
  return each.map(textBytes);
}
