import { existsSync, readFileSync } from "node:fs";
import { lastValueFrom, type Observable, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import type { Schema } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { Flow, Row } from "../../../src/streams/index.ts";
import {
  aggregate,
  col,
  columns,
  count,
  distinct,
  eventTime,
  filter,
  hop,
  keyBy,
  max,
  min,
  project,
  select,
  session,
  source,
  topN,
  toRows,
  tumble,
  when,
  windowJoin,
  withColumns,
} from "../../../src/streams/index.ts";

const folder = new URL("../../../../shared/data/streams/", import.meta.url);
const present = existsSync(folder);
if (!present) console.warn("skipped: the reference streams are not at ../shared/data/streams");

type Line = Readonly<Record<string, string | number>>;

function lines(path: string): Line[] {
  const text = readFileSync(new URL(path, folder), "utf8").trim();
  return text.split("\n").map((line) => JSON.parse(line) as Line);
}

/** Microseconds of a date, which may have a space for its T and no zone. */
function micros(text: string | number): bigint {
  const iso = String(text).replace(" ", "T");
  return BigInt(Date.parse(/Z|[+-]\d\d:\d\d$/.test(iso) ? iso : `${iso}Z`)) * 1000n;
}

function stream(
  schema: Schema,
  rows: readonly (readonly Value[])[],
  batchRows: number,
  name: string,
): Observable<Flow> {
  function* batches(): Generator<Batch> {
    const writer = new BatchWriter(schema);
    for (const row of rows) {
      writer.push(row);
      if (writer.rows === batchRows) yield writer.take();
    }
    if (writer.rows > 0) yield writer.take();
  }
  return source({ [Symbol.iterator]: batches }, { name, schema });
}

const rowsOf = async (found: Observable<Flow>): Promise<Row[]> => lastValueFrom(found.pipe(toRows(), toArray()));
const second = (time: unknown): string => new Date(Number((time as bigint) / 1000n)).toISOString().replace("Z", "");
const short = (time: unknown): string => second(time).replace(".000", "");
const sorted = (rows: readonly Line[]): string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();

describe.skipIf(!present)("Arroyo's expected results", () => {
  const impulse = (batchRows: number): Observable<Flow> =>
    stream(
      columns({ at: "timestamp", counter: "i64" }),
      lines("arroyo/impulse.json").map((line) => [micros(line["timestamp"] ?? 0), Number(line["counter"])]),
      batchRows,
      "impulse",
    ).pipe(eventTime("at", { outOfOrder: "0s" }));
  const cars = (batchRows: number): Observable<Flow> =>
    stream(
      columns({ at: "timestamp", driver: "i64", event: "dict" }),
      lines("arroyo/cars.json").map((line) => [
        micros(line["timestamp"] ?? 0),
        Number(line["driver_id"]),
        String(line["event_type"]),
      ]),
      batchRows,
      "cars",
    ).pipe(eventTime("at", { outOfOrder: "1h" }));

  for (const batchRows of [1, 64, 4096]) {
    it(`session_window, in batches of ${batchRows}`, async () => {
      const found = await rowsOf(
        impulse(batchRows).pipe(
          withColumns({ user_id: when(col("counter").mod(10).eq(0), 0n, col("counter")) }),
          keyBy("user_id"),
          session("20s"),
          aggregate({ rows: count() }),
        ),
      );
      const told = found.map(({ start, end, user_id, rows }) => ({
        start: short(start),
        end: short(end),
        user_id: Number(user_id),
        rows: Number(rows),
      }));
      expect(sorted(told)).toEqual(sorted(lines("arroyo/expected/session_window.json")));
    });

    it(`sliding_window_end, in batches of ${batchRows}`, async () => {
      const found = await rowsOf(
        impulse(batchRows).pipe(
          hop("10s", "2s"),
          aggregate({ count: count(), min: min("counter"), max: max("counter") }),
        ),
      );
      const told = found.map((row) => ({
        start: short(row["start"]),
        end: short(row["end"]),
        count: Number(row["count"]),
        min: Number(row["min"]),
        max: Number(row["max"]),
      }));
      expect(sorted(told)).toEqual(sorted(lines("arroyo/expected/sliding_window_end.json")));
    });

    it(`windowed_inner_join, in batches of ${batchRows}`, async () => {
      const hourly = (event: string): Observable<Flow> =>
        cars(batchRows).pipe(
          filter(col("event").eq(event)),
          tumble("1h"),
          aggregate({ drivers: distinct("driver") }),
          eventTime("start", { outOfOrder: "0s" }),
          keyBy("start"),
        );
      const found = await rowsOf(
        windowJoin({ dropoffs: hourly("dropoff").pipe(tumble("1h")), pickups: hourly("pickup") }),
      );
      const told = found.map((row) => ({
        hour: short(row["start"]),
        drivers: Number(row["drivers"]),
        pickups: Number(row["pickups_drivers"]),
      }));
      expect(sorted(told)).toEqual(sorted(lines("arroyo/expected/windowed_inner_join.json")));
    });
  }
});

describe.skipIf(!present)("Nexmark's expected results", () => {
  const bids = (): Observable<Flow> =>
    stream(
      columns({ at: "timestamp", auction: "i64" }),
      lines("nexmark/bid.jsonl").map((line) => [micros(line["date_time"] ?? 0), Number(line["auction"])]),
      7,
      "bids",
    ).pipe(eventTime("at", { outOfOrder: "4s" }));
  const persons = (): Observable<Flow> =>
    stream(
      columns({ at: "timestamp", id: "i64", name: "utf8" }),
      lines("nexmark/person.jsonl").map((line) => [
        micros(line["date_time"] ?? 0),
        Number(line["id"]),
        String(line["name"]),
      ]),
      7,
      "persons",
    ).pipe(eventTime("at", { outOfOrder: "4s" }));
  const auctions = (): Observable<Flow> =>
    stream(
      columns({ at: "timestamp", seller: "i64" }),
      lines("nexmark/auction.jsonl").map((line) => [micros(line["date_time"] ?? 0), Number(line["seller"])]),
      5,
      "auctions",
    ).pipe(eventTime("at", { outOfOrder: "4s" }));
  const expected = (path: string): string[] =>
    readFileSync(new URL(path, folder), "utf8")
      .trim()
      .split("\n")
      .map((line) => line.trim())
      .sort();

  it("q5: the auctions with most bids in each window of 10 s every 2 s", async () => {
    const counts = (): Observable<Flow> =>
      bids().pipe(
        keyBy("auction"),
        hop("10s", "2s"),
        aggregate({ num: count() }),
        eventTime("start", { outOfOrder: "0s" }),
      );
    const most = counts().pipe(
      topN(1, { by: "num", per: ["start", "end"] }),
      select("start", "num"),
      eventTime("start", { outOfOrder: "0s" }),
      keyBy("start", "num"),
    );
    const found = await rowsOf(windowJoin({ counts: counts().pipe(keyBy("start", "num"), tumble("2s")), most }));
    expect(found.map((row) => `${String(row["auction"])}\t${String(row["num"])}`).sort()).toEqual(
      expected("nexmark/expected-q5.txt"),
    );
  });

  it("q8: who registered and sold in the same window of 10 s", async () => {
    const sellers = auctions().pipe(keyBy("seller"), tumble("10s"), aggregate({ n: count() }));
    const found = await rowsOf(
      windowJoin({
        persons: persons().pipe(keyBy("id"), tumble("10s")),
        sellers: sellers.pipe(
          project({ at: "start", seller: "seller" }),
          eventTime("at", { outOfOrder: "0s" }),
          keyBy("seller"),
        ),
      }).pipe(withColumns({ starttime: col("at").truncate("10s") })),
    );
    const told = found.map(
      (row) =>
        `${String(row["id"])}\t${String(row["name"])}\t${second(row["starttime"]).slice(0, 19).replace("T", " ")}`,
    );
    expect(told.sort()).toEqual(expected("nexmark/expected-q8.txt"));
  });
});
