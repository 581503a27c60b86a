import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { BATCH_BYTES_TARGET, BATCH_ROWS_MAX } from "../../../src/batch/limits.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { EVENTS_MAX, NEXMARK, NEXMARK_TABLES, type NexmarkTable } from "../../../src/sources/generated/kind.ts";
import { eventOf, rowsOf } from "../../../src/sources/generated/nexmark-events.ts";
import { nexmarkBatch } from "../../../src/sources/generated/nexmark-tables.ts";
import { openGenerated } from "../../../src/sources/generated/open.ts";
import { nexmarkEvent } from "../../support/nexmark-events.ts";

const table = fc.constantFrom(...NEXMARK_TABLES);
const events = fc.integer({ min: 1, max: 3000 });
const specOf = (name: NexmarkTable, count: number, rate = 10_000) => ({
  generator: NEXMARK,
  table: name,
  events: count,
  rate,
});

/** A row as the plain events say it. */
function expected({ schema }: Batch, n: number, rate: number): Value[] {
  return Object.values(nexmarkEvent(n, rate).row).map((value, i) => {
    if (schema.fields[i]?.type === "timestamp") return BigInt(Date.parse(String(value))) * 1000n;
    return typeof value === "number" ? BigInt(value) : value;
  });
}

async function rowsFrom(name: NexmarkTable, count: number, batchRows: number, fromRow: number): Promise<Value[][]> {
  const rows: Value[][] = [];
  await using source = openGenerated(specOf(name, count), { worker: false });
  for await (const batch of source.batches({ batchRows, fromRow }))
    for (let row = 0; row < batch.rows; row++) rows.push(rowValues(batch, row));
  return rows;
}

describe("generated rows", () => {
  it("are those of the plain events, wherever they begin, in the layout that a writer makes", () => {
    fc.assert(
      fc.property(
        table,
        fc.oneof(fc.nat(100_000), fc.integer({ min: 2 ** 25, max: 2 ** 26 })),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(1, 100, 9_999, 1_000_000),
        (name, from, count, rate) => {
          const batch = nexmarkBatch(name, from, count, rate);
          const writer = new BatchWriter(batch.schema);
          for (let row = 0; row < count; row++) {
            const values = expected(batch, eventOf(name, from + row), rate);
            expect(rowValues(batch, row)).toEqual(values);
            writer.push(values);
          }
          expect(Buffer.compare(batch.bytes, writer.take().bytes)).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are as many as there are events of the table, in any batches and from any row on", async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        events,
        fc.integer({ min: 1, max: 700 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (name, count, batchRows, part) => {
          const whole = await rowsFrom(name, count, 4096, 0);
          expect(whole).toHaveLength(rowsOf(name, count));
          const kind = name.slice(0, -1);
          let found = 0;
          for (let n = 0; n < count; n++) if (nexmarkEvent(n, 1).kind === kind) found++;
          expect(whole).toHaveLength(found);
          const from = Math.floor(part * found);
          expect(await rowsFrom(name, count, batchRows, from)).toEqual(whole.slice(from));
        },
      ),
      { numRuns: 15 },
    );
  });

  it("never come to be others under the same name, and fill no batch to its limit of bytes", () => {
    const digests = NEXMARK_TABLES.map((name) => {
      const { bytes } = nexmarkBatch(name, 1_000_000, BATCH_ROWS_MAX, 10_000);
      expect(bytes.length).toBeLessThan(BATCH_BYTES_TARGET / 2);
      return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    });
    expect(digests).toEqual(["4a90175ff7b0fdc5", "13b4c5c3300bef9b", "05bf3e25314c716c"]);
  });

  it("are refused where this version cannot make them", () => {
    for (const spec of [
      { ...specOf("bids", 5), generator: "nexmark/2" },
      { ...specOf("bids", 5), table: "offers" },
      specOf("bids", 0),
      specOf("bids", EVENTS_MAX + 1),
      specOf("bids", 5, 0),
    ])
      expect(() => openGenerated(spec)).toThrow(expect.objectContaining({ code: "GENERATOR_UNKNOWN" }));
  });
});
