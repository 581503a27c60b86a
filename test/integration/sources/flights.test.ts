import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import type { Column } from "../../../src/batch/column.ts";
import { dictionaryOf, wordsOf, wordsToNumber } from "../../../src/batch/column.ts";
import { openSink } from "../../../src/sinks/port.ts";
import { openSource } from "../../../src/sources/port.ts";
import { declared, EVERY_TYPE, everyTypeRow, folder, write } from "../../contract/sources/table.ts";

const FLIGHTS = fileURLToPath(new URL("../../../node_modules/vega-datasets/data/flights-3m.parquet", import.meta.url));

async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects() as Record<string, unknown>[];
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

interface Totals {
  rows: number;
  delay: number;
  distance: number;
  date: bigint;
  readonly origins: Map<string, number>;
  readonly destinations: Map<string, number>;
}

/** Counts rows of each text of a dictionary column. */
function tally(into: Map<string, number>, column: Column, rows: number): void {
  const texts = dictionaryOf(column);
  for (let row = 0; row < rows; row++) {
    const text = texts[Number(column.values[row])] as string;
    into.set(text, (into.get(text) ?? 0) + 1);
  }
}

describe("three million flights", () => {
  it("add up to what an independent engine computes from the same file, within bounded memory", async () => {
    await using source = await openSource({ file: FLIGHTS });
    expect(source.rows).toBe(3_000_000);
    expect(source.schema.fields.map(({ name, type, nullable }) => `${name}:${type}:${nullable}`)).toEqual([
      "date:timestamp:true",
      "delay:i64:true",
      "distance:i64:true",
      "origin:dict:true",
      "destination:dict:true",
    ]);
    const totals: Totals = { rows: 0, delay: 0, distance: 0, date: 0n, origins: new Map(), destinations: new Map() };
    const before = process.memoryUsage.rss();
    let peak = 0;
    for await (const batch of source.batches({ batchRows: 4096 })) {
      totals.rows += batch.rows;
      let date = 0;
      const dates = wordsOf(batch.column("date"));
      const delays = wordsOf(batch.column("delay"));
      const distances = wordsOf(batch.column("distance"));
      for (let row = 0; row < batch.rows; row++) {
        totals.delay += wordsToNumber(delays, row);
        totals.distance += wordsToNumber(distances, row);
        date += wordsToNumber(dates, row) / 1_000_000;
      }
      totals.date += BigInt(date);
      tally(totals.origins, batch.column("origin"), batch.rows);
      tally(totals.destinations, batch.column("destination"), batch.rows);
      peak = Math.max(peak, process.memoryUsage.rss() - before);
    }
    expect(peak).toBeLessThan(300 * 1024 * 1024);
    const [sums] = await query(
      `select count(*) n, sum(delay) delay, sum(distance) distance, sum(epoch_us(date) // 1000000) date from '${FLIGHTS}'`,
    );
    expect([BigInt(totals.rows), BigInt(totals.delay), BigInt(totals.distance), totals.date]).toEqual([
      sums?.["n"],
      sums?.["delay"],
      sums?.["distance"],
      sums?.["date"],
    ]);
    for (const [column, found] of [
      ["origin", totals.origins],
      ["destination", totals.destinations],
    ] as const) {
      const rows = await query(`select ${column} as name, count(*) n from '${FLIGHTS}' group by 1`);
      expect(found).toEqual(new Map(rows.map((row) => [row["name"] as string, Number(row["n"])])));
    }
  });

  it("hold the same rows at sampled places", async () => {
    await using source = await openSource({
      file: FLIGHTS,
      columns: { origin: "utf8", date: "timestamp", delay: "i64" },
    });
    for (const fromRow of [0, 272_726, 272_727, 1_500_000, 2_999_990]) {
      const [expected] = await query(
        `select list(origin order by r) o, list(epoch_us(date) order by r) t, list(delay order by r) d from
         (select *, file_row_number r from read_parquet('${FLIGHTS}', file_row_number = true) where file_row_number between ${fromRow} and ${fromRow + 9})`,
      );
      const batches = source.batches({ batchRows: 10, fromRow });
      const next = await batches.next();
      await batches.return?.();
      if (next.done === true) throw new Error(`no batch at row ${fromRow}`);
      const batch = next.value;
      const list = (name: string): unknown => (expected as Record<string, { items: unknown }>)[name]?.items;
      const decoder = new TextDecoder();
      const { offsets, values } = batch.column("origin");
      expect(
        Array.from({ length: batch.rows }, (_, row) =>
          decoder.decode((values as Uint8Array).subarray(offsets?.[row], offsets?.[row + 1])),
        ),
      ).toEqual(list("o"));
      expect([...(batch.column("date").values as BigInt64Array)]).toEqual(list("t"));
      expect([...(batch.column("delay").values as BigInt64Array)]).toEqual(list("d"));
    }
  });

  it("keep a Parquet, CSV and NDJSON copy equal to the original for an independent reader", async () => {
    await using dir = await folder();
    await using source = await openSource({ file: FLIGHTS });
    const sinks = await Promise.all(
      ["parquet", "csv", "ndjson"].map((ending) =>
        openSink({ file: join(dir.path, `copy.${ending}`), schema: source.schema }),
      ),
    );
    let rows = 0;
    for await (const batch of source.batches({ batchRows: 4096 })) {
      for (const sink of sinks) await sink.write(batch);
      rows += batch.rows;
      if (rows >= 100_000) break;
    }
    for (const sink of sinks) await sink.close();
    const columns = "date::timestamp as date, delay, distance, origin, destination";
    for (const reader of [
      `'${join(dir.path, "copy.parquet")}'`,
      `'${join(dir.path, "copy.csv")}'`,
      `read_json('${join(dir.path, "copy.ndjson")}')`,
    ]) {
      const [difference] = await query(
        `set timezone = 'UTC'; select count(*) n from ((select ${columns} from '${FLIGHTS}' limit ${rows}) except all (select ${columns} from ${reader}))`,
      );
      expect(difference?.["n"]).toBe(0n);
    }
  });
});

describe("a Parquet file of every type", () => {
  it("reads the same in an independent engine", async () => {
    await using dir = await folder();
    const file = await write(
      join(dir.path, "t.parquet"),
      EVERY_TYPE,
      Array.from({ length: 1000 }, (_, i) => everyTypeRow(i)),
    );
    const [row] = await query(
      `select count(*) n, count(a64) a64, min(a64) low, max(b64) high, max(b32) high32, min(a8) low8, count(distinct text) texts, max(octet_length("hash, of ""it""")) width from '${file}'`,
    );
    const values = (column: string): unknown[] => {
      const index = EVERY_TYPE.fields.findIndex((field) => field.name === column);
      return Array.from({ length: 1000 }, (_, i) => everyTypeRow(i)[index]).filter((value) => value !== null);
    };
    expect(row).toEqual({
      n: 1000n,
      a64: BigInt(values("a64").length),
      low: -(2n ** 63n),
      high: 2n ** 64n - 1n,
      high32: 4_294_967_295,
      low8: -128,
      texts: BigInt(new Set(values("text")).size),
      width: 5n,
    });
    expect(Object.keys(declared(EVERY_TYPE))).toHaveLength(16);
  });
});
