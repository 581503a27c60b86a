import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { ROOT } from "../../support/command.ts";
import { duckdb } from "../../support/duckdb.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";
import { writeEvents } from "../../support/nexmark-events.ts";

const EVENTS = 5000;
/** Events a second: 50 seconds of event time, so that windows of ten are several. */
const RATE = 100;

const VALID = `valid AS (SELECT b.*, a.category FROM bids b JOIN auctions a ON b.auction = a.id AND b.date_time BETWEEN a.date_time AND a.expires)`;
const WINNERS = `winners AS (SELECT auction, category, price, bidder, row_number() OVER (PARTITION BY auction ORDER BY price DESC, date_time, nr) AS place FROM valid)`;
const SLOT = "to_timestamp(floor(epoch(date_time) / 10) * 10)";
const COUNTS = `hops AS (SELECT auction, to_timestamp(floor(epoch(date_time) / 2) * 2 - k * 2) AS since, count(*) AS num FROM bids, range(5) r(k) GROUP BY ALL)`;
const BANDS = `count(*), count(*) FILTER (price < 10000), count(*) FILTER (price >= 1000000), count(DISTINCT bidder)`;
const WEST = "('or', 'id', 'ca')";

/** Each query as SQL, written from Nexmark's, and the columns of our table that it gives. */
const QUERIES: Readonly<Record<string, readonly [sql: string, ours: string]>> = {
  q0: ["SELECT auction, bidder, price, date_time FROM bids", "auction, bidder, price, date_time"],
  q1: ["SELECT auction, bidder, round(0.908 * price, 3) FROM bids", "auction, bidder, round(price, 3)"],
  q2: ["SELECT auction, price FROM bids WHERE auction % 123 = 0", "auction, price"],
  q3: [
    `SELECT p.name, p.city, p.state, a.id FROM auctions a JOIN persons p ON a.seller = p.id WHERE a.category = 10 AND p.state IN ${WEST}`,
    "name, city, state, id",
  ],
  q4: [
    `WITH ${VALID}, m AS (SELECT auction, category, max(price) AS price FROM valid GROUP BY ALL) SELECT category, round(avg(price), 3) FROM m GROUP BY 1`,
    "category, round(mean, 3)",
  ],
  q5: [
    `WITH ${COUNTS} SELECT since, auction, num FROM hops QUALIFY num = max(num) OVER (PARTITION BY since)`,
    '"start", auction, num',
  ],
  q7: [
    `SELECT auction, price, bidder, date_time FROM bids QUALIFY price = max(price) OVER (PARTITION BY ${SLOT})`,
    "auction, price, bidder, date_time",
  ],
  q8: [
    `SELECT DISTINCT p.id, p.name, ${SLOT.replace("date_time", "p.date_time")} FROM persons p JOIN auctions a ON p.id = a.seller AND ${SLOT.replace("date_time", "p.date_time")} = ${SLOT.replace("date_time", "a.date_time")}`,
    'id, name, "start"',
  ],
  q9: [
    `WITH ${VALID}, ${WINNERS} SELECT auction, price, bidder FROM winners WHERE place = 1`,
    "auction, price, bidder",
  ],
  q11: [
    `WITH marked AS (SELECT bidder, date_time, nr, CASE WHEN date_time - lag(date_time) OVER w <= INTERVAL 10 SECOND THEN 0 ELSE 1 END AS begun FROM bids WINDOW w AS (PARTITION BY bidder ORDER BY date_time, nr)), s AS (SELECT *, sum(begun) OVER (PARTITION BY bidder ORDER BY date_time, nr) AS number FROM marked) SELECT bidder, min(date_time), count(*) FROM s GROUP BY bidder, number`,
    'bidder, "start", bids',
  ],
  q12: [`SELECT bidder, ${SLOT}, count(*) FROM bids GROUP BY ALL`, 'bidder, "start", bids'],
  q13: [
    "SELECT b.auction, b.bidder, b.price, a.category FROM bids b ASOF JOIN auctions a ON b.auction = a.id AND b.date_time >= a.date_time",
    "auction, bidder, price, category",
  ],
  q14: [
    "SELECT auction, round(0.908 * price, 3), CASE WHEN hour(date_time) < 8 THEN 'night' ELSE 'day' END, length(url) FROM bids WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000",
    "auction, round(price, 3), day, length",
  ],
  q15: [
    `SELECT ${BANDS}, count(DISTINCT bidder) FILTER (price < 10000), count(DISTINCT auction) FROM bids`,
    "bids, low, high, bidders, low_bidders, auctions",
  ],
  q16: [
    `SELECT channel, ${BANDS}, count(DISTINCT auction) FROM bids GROUP BY 1`,
    "channel, bids, low, high, bidders, auctions",
  ],
  q17: [
    "SELECT auction, count(*), min(price), max(price), round(avg(price), 3), sum(price) FROM bids GROUP BY 1",
    "auction, bids, least, most, round(mean, 3), sum",
  ],
  q18: [
    "SELECT bidder, auction, price, channel, date_time FROM bids QUALIFY row_number() OVER (PARTITION BY bidder, auction ORDER BY date_time DESC, nr DESC) = 1",
    "bidder, auction, price, channel, date_time",
  ],
  q19: [
    `SELECT auction, '[' || array_to_string(list(price ORDER BY price DESC)[1:10], ',') || ']' FROM bids GROUP BY 1`,
    "auction, prices",
  ],
  q20: [
    "SELECT b.auction, b.bidder, b.price, a.item, a.seller, a.reserve FROM bids b JOIN auctions a ON b.auction = a.id WHERE a.category = 10",
    "auction, bidder, price, item, seller, reserve",
  ],
  q21: [
    "SELECT auction, channel, CASE lower(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1' WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3' ELSE regexp_extract(url, 'channel_id=([0-9]+)', 1) END FROM bids",
    "auction, channel, id",
  ],
  q22: [
    "SELECT auction, split_part(url, '/', 4), split_part(url, '/', 5), split_part(url, '/', 6) FROM bids",
    "auction, dir1, dir2, dir3",
  ],
};

let folder: TestFolder;
let run: RunSummary;
let outDir: string;

beforeAll(async () => {
  folder = await makeTestFolder("nexmark");
  await writeEvents(EVENTS, join(folder.path, "data"), RATE);
  const example = await readFile(join(ROOT, "examples/nexmark/ipdm.yaml"), "utf8");
  const smaller = example.replaceAll("events: 100000, rate: 10000", `events: ${EVENTS}, rate: ${RATE}`);
  await writeFile(join(folder.path, "ipdm.yaml"), smaller);
  ({ run, outDir } = await go(4096));
});
afterAll(() => folder.remove());

async function go(batchRows: number): Promise<{ readonly run: RunSummary; readonly outDir: string }> {
  const out = folder.fresh("out");
  return { run: await runConfig({ configPath: join(folder.path, "ipdm.yaml"), outDir: out, batchRows }), outDir: out };
}

describe("the queries of Nexmark", () => {
  it("say what DuckDB says over the same events, which are written a second time for it", async () => {
    const table = (name: string, view: string): string =>
      `CREATE VIEW ${view} AS SELECT *, row_number() OVER () AS nr FROM read_json('${join(folder.path, "data", `${name}.ndjson`)}', columns = {${COLUMNS[name]}})`;
    const views = Object.keys(COLUMNS).map((name) => table(name, name));
    const found: Record<string, readonly unknown[]> = {};
    const statements = Object.entries(QUERIES).flatMap(([query, [sql, ours]]) => {
      const file = run.outputs.find(({ name }) => name === query)?.file ?? "";
      return [
        `CREATE TABLE theirs_${query} AS ${sql}`,
        `CREATE TABLE ours_${query} AS SELECT ${ours} FROM read_csv('${file}', header = true, nullstr = '')`,
      ];
    });
    const counts = Object.keys(QUERIES).map(
      (query) =>
        `SELECT '${query}', (SELECT count(*) FROM (FROM ours_${query} EXCEPT ALL FROM theirs_${query})), (SELECT count(*) FROM (FROM theirs_${query} EXCEPT ALL FROM ours_${query})), (SELECT count(*) > 0 FROM ours_${query})`,
    );
    for (const [query, ...rest] of await duckdb(...views, ...statements, counts.join(" UNION ALL ")))
      found[String(query)] = rest.map(Number);
    expect(found).toEqual(Object.fromEntries(Object.keys(QUERIES).map((query) => [query, [0, 0, 1]])));
  });

  it("have the same result in other batches, and the receipt holds", async () => {
    const again = await go(500);
    expect(again.run.result).toBe(run.result);
    await audit(outDir);
  });
});

const COLUMNS: Readonly<Record<string, string>> = {
  persons: "id: 'BIGINT', name: 'VARCHAR', city: 'VARCHAR', state: 'VARCHAR', date_time: 'TIMESTAMPTZ'",
  auctions:
    "id: 'BIGINT', item: 'VARCHAR', initial_bid: 'BIGINT', reserve: 'BIGINT', date_time: 'TIMESTAMPTZ', expires: 'TIMESTAMPTZ', seller: 'BIGINT', category: 'BIGINT'",
  bids: "auction: 'BIGINT', bidder: 'BIGINT', price: 'BIGINT', channel: 'VARCHAR', url: 'VARCHAR', date_time: 'TIMESTAMPTZ'",
};
