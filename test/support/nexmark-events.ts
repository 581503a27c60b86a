// The events of the generator `nexmark/1` written a second time, as plain objects: what it makes of columns has to be the same.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const BLOCK = 50;
const START_MS = Date.UTC(2015, 6, 15);
const [FIRST_PERSON, FIRST_AUCTION, FIRST_CATEGORY] = [1000, 1000, 10];
const NAMES = ["vicky", "peter", "kate", "john", "saul", "luke", "deiter", "walter"];
const CITIES = [
  ["phoenix", "az"],
  ["los angeles", "ca"],
  ["boise", "id"],
  ["portland", "or"],
  ["seattle", "wa"],
  ["cheyenne", "wy"],
] as const;
const CHANNELS = ["Google", "Facebook", "Baidu", "Apple"];

/** An event: its kind, and its columns in the order in which they are written. */
export interface NexmarkEvent {
  readonly kind: "person" | "auction" | "bid";
  readonly row: Readonly<Record<string, string | number>>;
}

/** Random number below `below` for the draw `draw` of event `n`: a hash of both (the finisher of MurmurHash3), so no state is carried on. */
function random(n: number, draw: number, below: number): number {
  let h = Math.imul(n ^ Math.imul(draw, 0x9e3779b1), 0x85ebca6b) ^ (n >>> 7);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return Math.floor((((h ^ (h >>> 16)) >>> 0) / 4_294_967_296) * below);
}

/** Event number `n`, from 0, at so many events a second of event time. */
export function nexmarkEvent(n: number, rate: number): NexmarkEvent {
  const at = START_MS + Math.floor((n * 1000) / rate);
  const [block, place] = [Math.floor(n / BLOCK), n % BLOCK];
  const date_time = instant(at);
  if (place === 0) {
    const [city, state] = CITIES[random(n, 1, CITIES.length)] as (typeof CITIES)[number];
    const name = `${NAMES[random(n, 2, NAMES.length)]} ${NAMES[random(n, 3, NAMES.length)]}`;
    return { kind: "person", row: { id: FIRST_PERSON + block, name, city, state, date_time } };
  }
  const persons = block + 1;
  if (place <= 3) {
    const hot = random(n, 1, 4) > 0;
    const seller = hot ? Math.floor(block / 100) * 100 : block - random(n, 2, Math.min(persons, 1000));
    const first = price(n, 3);
    const row = {
      id: FIRST_AUCTION + block * 3 + place - 1,
      item: `item ${random(n, 4, 1000)}`,
      initial_bid: first,
      reserve: first + price(n, 5),
      date_time,
      expires: instant(at + 1 + random(n, 6, 2000)),
      seller: FIRST_PERSON + seller,
      category: FIRST_CATEGORY + random(n, 7, 5),
    };
    return { kind: "auction", row };
  }
  const auctions = block * 3 + 3;
  const hotAuction = random(n, 1, 2) > 0;
  const auction = hotAuction
    ? Math.floor((auctions - 1) / 100) * 100
    : auctions - 1 - random(n, 2, Math.min(auctions, 100));
  const hotBidder = random(n, 3, 4) > 0;
  const bidder = hotBidder
    ? Math.min(block, Math.floor(block / 100) * 100 + 1)
    : block - random(n, 4, Math.min(persons, 1000));
  const id = random(n, 5, 10_000);
  const channel = random(n, 6, 2) > 0 ? (CHANNELS[random(n, 7, 4)] as string) : `channel-${id}`;
  const path = [8, 9, 10].map((draw) => random(n, draw, 46_656).toString(36)).join("/");
  const url = `https://www.nexmark.com/${path}/item.htm?query=1${channel.startsWith("channel-") ? `&channel_id=${id}` : ""}`;
  return {
    kind: "bid",
    row: {
      auction: FIRST_AUCTION + auction,
      bidder: FIRST_PERSON + bidder,
      price: price(n, 11),
      channel,
      url,
      date_time,
    },
  };
}

function price(n: number, draw: number): number {
  let unit = 1;
  for (let power = random(n, draw, 8); power > 0; power--) unit *= 10;
  return unit + random(n, draw + 100, 9 * unit);
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

/** Writes the first `events` events into a folder: persons.ndjson, auctions.ndjson, bids.ndjson. */
export async function writeEvents(events: number, folder: string, rate: number): Promise<void> {
  const lines = { person: [] as string[], auction: [] as string[], bid: [] as string[] };
  for (let n = 0; n < events; n++) {
    const { kind, row } = nexmarkEvent(n, rate);
    lines[kind].push(JSON.stringify(row));
  }
  await mkdir(folder, { recursive: true });
  for (const [kind, each] of Object.entries(lines))
    await writeFile(join(folder, `${kind}s.ndjson`), `${each.join("\n")}\n`);
}
