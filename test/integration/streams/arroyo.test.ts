import { existsSync, readFileSync } from "node:fs";
import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { Row } from "../../../src/streams/index.ts";
import { aggregate, count, eventTime, keyBy, source, toRows, tumble } from "../../../src/streams/index.ts";

const folder = new URL("../../../../shared/data/streams/arroyo/", import.meta.url);
const present = existsSync(folder);
if (!present) console.warn("skipped: the reference streams are not at ../shared/data/streams/arroyo");

const schema = schemaOf([
  { name: "timestamp", type: "timestamp", nullable: false },
  { name: "event_type", type: "dict", nullable: false },
]);

function lines(path: string): Record<string, string | number>[] {
  return readFileSync(new URL(path, folder), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, string | number>);
}

function* cars(batchRows: number): Generator<Batch> {
  const writer = new BatchWriter(schema);
  for (const car of lines("cars.json")) {
    writer.push([BigInt(Date.parse(String(car["timestamp"]))) * 1000n, String(car["event_type"])]);
    if (writer.rows === batchRows) yield writer.take();
  }
  if (writer.rows > 0) yield writer.take();
}

function text(time: unknown): string {
  return new Date(Number((time as bigint) / 1000n)).toISOString().slice(0, 19);
}

function sorted(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(Object.entries(row as object).sort(([a], [b]) => (a < b ? -1 : 1)))).sort();
}

async function hourly(batchRows: number, ...keys: readonly string[]): Promise<{ rows: Row[]; late: number }> {
  let late = 0;
  const stream = source(cars(batchRows)).pipe(
    eventTime("timestamp", { outOfOrder: "0s" }),
    keyBy(...keys),
    tumble("1h", { late: { next: (batch) => void (late += batch.rows) } }),
    aggregate({ count: count() }),
    toRows(),
    toArray(),
  );
  return { rows: await lastValueFrom(stream), late };
}

describe.skipIf(!present)("Arroyo's expected results", () => {
  for (const batchRows of [1, 100, 4096]) {
    it(`tight_watermark, in batches of ${batchRows}`, async () => {
      const { rows, late } = await hourly(batchRows);
      expect(sorted(rows.map((row) => ({ timestamp: text(row["end"]), count: Number(row["count"]) })))).toEqual(
        sorted(lines("expected/tight_watermark.json")),
      );
      expect(rows.reduce((sum, row) => sum + Number(row["count"]), late)).toBe(7932);
    });

    it(`hourly_by_event_type, in batches of ${batchRows}`, async () => {
      const { rows } = await hourly(batchRows, "event_type");
      const found = rows.map((row) => ({
        hour: text(row["start"]),
        event_type: row["event_type"],
        count: Number(row["count"]),
      }));
      expect(sorted(found)).toEqual(sorted(lines("expected/hourly_by_event_type.json")));
    });
  }
});
