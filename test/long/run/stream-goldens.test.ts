import { existsSync, readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunSummary } from "../../../src/run/options.ts";
import { runConfig } from "../../../src/run/run.ts";
import { audit } from "../../support/audit.ts";
import { makeTestFolder, type TestFolder } from "../../support/folder.ts";

const DATA = fileURLToPath(new URL("../../../../shared/data/streams/", import.meta.url));
const present = existsSync(DATA);
if (!present) console.warn("skipped: the reference streams are not at ../shared/data/streams");

const cars = (outOfOrder: string): string =>
  `{ file: ${DATA}arroyo/cars.json, columns: { timestamp: timestamp, driver_id: i64, event_type: utf8 }, time: { column: timestamp, outOfOrder: ${outOfOrder} } }`;
const nexmark = (table: string, columns: string): string =>
  `{ file: ${DATA}nexmark/${table}.jsonl, columns: { ${columns}, date_time: timestamp }, time: { column: date_time, outOfOrder: 4s } }`;
const drivers = (event: string): string =>
  `{ input: hourly-cars, filter: "event_type = '${event}'", window: { tumble: 1h }, aggregate: { drivers: distinct(driver_id) }, time: { column: start } }`;

const CONFIG = `name: goldens
sources:
  cars: ${cars("0s")}
  hourly-cars: ${cars("1h")}
  impulse: { file: ${DATA}arroyo/impulse.json, columns: { timestamp: timestamp, counter: i64 }, time: { column: timestamp } }
  bids: ${nexmark("bid", "auction: i64")}
  persons: ${nexmark("person", "id: i64, name: utf8")}
  auctions: ${nexmark("auction", "seller: i64")}
tasks:
  tight: { input: cars, window: { tumble: 1h }, aggregate: { count: count() } }
  types: { input: cars, window: { tumble: 1h }, key: [event_type], aggregate: { count: count() } }
  dropoffs: ${drivers("dropoff")}
  pickups: ${drivers("pickup")}
  both: { input: [dropoffs, pickups], join: { on: [start], window: { tumble: 1h } } }
  users: { input: impulse, select: { timestamp: timestamp, user_id: "when(counter % 10 = 0, 0, counter)" } }
  sessions: { input: users, window: { session: 20s }, key: [user_id], aggregate: { rows: count() } }
  sliding: { input: impulse, window: { hop: 10s, every: 2s }, aggregate: { count: count(), min: min(counter), max: max(counter) } }
  q5: { input: bids, window: { hop: 10s, every: 2s }, key: [auction], aggregate: { num: count() }, top: { rows: 1, by: num, per: [start, end], ties: true } }
  registered: { input: persons, window: { tumble: 10s }, key: [id], aggregate: { name: first(name) }, time: { column: start } }
  sellers: { input: auctions, window: { tumble: 10s }, key: [seller], aggregate: { n: count() }, time: { column: start } }
  q8: { input: [registered, sellers], join: { on: { id: seller }, window: { tumble: 10s } } }
outputs:
  tight: { input: tight, file: tight.ndjson }
  types: { input: types, file: types.ndjson }
  both: { input: both, file: both.ndjson }
  sessions: { input: sessions, file: sessions.ndjson }
  sliding: { input: sliding, file: sliding.ndjson }
  q5: { input: q5, file: q5.ndjson }
  q8: { input: q8, file: q8.ndjson }
`;

type Row = Readonly<Record<string, string | number>>;

let folder: TestFolder;
let run: RunSummary;

beforeAll(async () => {
  folder = await makeTestFolder("goldens");
  if (!present) return;
  await writeFile(join(folder.path, "ipdm.yaml"), CONFIG);
  run = await go(4096);
});
afterAll(() => folder.remove());

const go = (batchRows: number): Promise<RunSummary> =>
  runConfig({ configPath: join(folder.path, "ipdm.yaml"), outDir: folder.fresh("out"), batchRows });

const rowsIn = (text: string): Row[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Row);
const expected = (name: string): Row[] => rowsIn(readFileSync(`${DATA}arroyo/expected/${name}.json`, "utf8"));
const table = async (name: string): Promise<Row[]> =>
  rowsIn(await readFile(run.outputs.find((output) => output.name === name)?.file ?? "", "utf8"));
/** An instant as the reference files write it. */
const at = (instant: string | number | undefined): string =>
  new Date(String(instant)).toISOString().replace(/(\.000)?Z$/, "");
const sorted = (rows: readonly Row[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
const lines = (name: string): string[] => readFileSync(`${DATA}nexmark/${name}.txt`, "utf8").trim().split("\n").sort();

describe.skipIf(!present)("a configuration gives the expected results of", () => {
  it("Arroyo: tight_watermark, hourly_by_event_type, windowed_inner_join, session_window, sliding_window_end", async () => {
    const found = {
      tight_watermark: (await table("tight")).map(({ end, count }) => ({ timestamp: at(end), count })),
      hourly_by_event_type: (await table("types")).map(({ start, event_type, count }) => ({
        hour: at(start),
        event_type,
        count,
      })),
      windowed_inner_join: (await table("both")).map(({ start, drivers, pickups_drivers }) => ({
        hour: at(start),
        drivers,
        pickups: pickups_drivers,
      })),
      session_window: (await table("sessions")).map((row) => ({
        ...row,
        start: at(row["start"]),
        end: at(row["end"]),
      })),
      sliding_window_end: (await table("sliding")).map((row) => ({
        ...row,
        start: at(row["start"]),
        end: at(row["end"]),
      })),
    };
    for (const [name, rows] of Object.entries(found))
      expect(sorted(rows as Row[]), name).toEqual(sorted(expected(name)));
  });

  it("Nexmark: q5 and q8", async () => {
    expect((await table("q5")).map(({ auction, num }) => `${auction}\t${num}`).sort()).toEqual(lines("expected-q5"));
    const q8 = (await table("q8")).map(({ id, name, start }) => `${id}\t${name}\t${at(start).replace("T", " ")}`);
    expect(q8.sort()).toEqual(lines("expected-q8"));
  });

  it("the same in other batches, with a receipt that holds", async () => {
    const again = await go(500);
    expect(again.result).toBe(run.result);
    await audit(join(again.receipt, ".."));
  });
});
