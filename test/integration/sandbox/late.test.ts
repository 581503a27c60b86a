import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import type { ColumnType } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { openLane } from "../../../src/sandbox/lane.ts";
import type { ModuleHandle } from "../../../src/sandbox/port.ts";
import { checkRowsProperty } from "../../../src/sandbox/rows-property.ts";
import { compileModule } from "../../../tools/build-modules.ts";
import { specOf } from "../../support/wat-module.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const context = { firstRow: 0, seed: new Uint8Array(32) };
const lane = openLane();
let late: ModuleHandle;

beforeAll(async () => {
  const bytes = await compileModule(root, "examples/flights/module/late.ts");
  late = await lane.load(specOf(bytes, { memoryBytesMax: 64 * 1024 * 1024 }));
});
afterAll(() => lane.close());

type DelayType = "i64" | "i32" | "i16" | "i8";
const HOUR_US = 3_600_000_000n;

function schemaWith(delay: ColumnType, nullable: boolean): ReturnType<typeof schemaOf> {
  return schemaOf([
    { name: "date", type: "timestamp", nullable },
    { name: "delay", type: delay, nullable: true },
    { name: "distance", type: "i64", nullable },
    { name: "origin", type: "dict", nullable },
    { name: "destination", type: "utf8", nullable },
  ]);
}

/** What the module is to do, written the plain way. */
function expected(batch: Batch): Batch {
  const nullable = batch.schema.fields[0]?.nullable === true;
  const writer = new BatchWriter(schemaOf([...batch.schema.fields, { name: "hour", type: "i32", nullable }]));
  for (let row = 0; row < batch.rows; row++) {
    const values = rowValues(batch, row);
    const [date, delay] = values;
    if (delay === null || Number(delay) < 15) continue;
    const hour =
      date === null
        ? null
        : Number(BigInt.asIntN(64, (((date as bigint) % (24n * HOUR_US)) + 24n * HOUR_US) % (24n * HOUR_US)) / HOUR_US);
    writer.push([...values, hour]);
  }
  return writer.take();
}

const codes = fc.constantFrom("ATL", "SAV", "MCI", "MDW", "Zürich ✈", "");

function rowsOf(delay: DelayType, nullable: boolean): fc.Arbitrary<Value[]> {
  const maybe = <T extends Value>(value: fc.Arbitrary<T>, isNullable = nullable): fc.Arbitrary<Value> =>
    isNullable ? fc.option(value, { freq: 8, nil: null }) : value;
  const minutes = fc.integer({ min: -60, max: 120 }).map((value) => (delay === "i64" ? BigInt(value) : value));
  return fc.tuple(
    maybe(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    maybe(minutes, true),
    maybe(fc.bigInt({ min: 0n, max: 5000n })),
    maybe(codes),
    maybe(codes),
  );
}

describe("the module late", () => {
  it("gives the bytes of the same filter written in TypeScript", async () => {
    const cases = fc
      .record({ delay: fc.constantFrom<DelayType>("i64", "i32", "i16", "i8"), nullable: fc.boolean() })
      .chain(({ delay, nullable }) =>
        fc.array(rowsOf(delay, nullable), { maxLength: 200 }).map((rows) => ({ delay, nullable, rows })),
      );
    await fc.assert(
      fc.asyncProperty(cases, async ({ delay, nullable, rows }) => {
        const writer = new BatchWriter(schemaWith(delay, nullable));
        for (const row of rows) writer.push(row);
        const batch = writer.take();
        const output = await late.process(batch, context);
        expect(Buffer.from(output.bytes).equals(expected(batch).bytes)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("counts hours of days before 1970", async () => {
    const writer = new BatchWriter(schemaWith("i64", false));
    const times = [-1n, -HOUR_US, -HOUR_US - 1n, -24n * HOUR_US, 0n, HOUR_US - 1n, 25n * HOUR_US];
    for (const time of times) writer.push([time, 15n, 1n, "ATL", "SAV"]);
    const output = await late.process(writer.take(), context);
    expect([...(output.column("hour").values as Int32Array)]).toEqual([23, 23, 22, 0, 0, 0, 1]);
  });

  it("treats rows one by one", async () => {
    const writer = new BatchWriter(schemaWith("i32", true));
    const rows = fc.sample(rowsOf("i32", true), { numRuns: 4096, seed: 7 });
    for (const row of rows) writer.push(row);
    await checkRowsProperty(late, writer.take(), 4);
  });

  it("says which column is missing", async () => {
    const writer = new BatchWriter(schemaOf([{ name: "Verspätung", type: "i64", nullable: false }]));
    await expect(late.process(writer.take(), context)).rejects.toThrow("the input has no column delay");
  });
});
