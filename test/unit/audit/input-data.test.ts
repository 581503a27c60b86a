import { expect, it } from "vitest";
import { difference } from "../../../src/audit/input-data.ts";
import { decodeBatch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";

function batch(...values: readonly Value[]) {
  const writer = new BatchWriter(schemaOf([{ name: "n", type: "i64", nullable: true }]));
  for (const value of values) writer.push([value]);
  return writer.take();
}

it("names the first row that differs, also where one batch ends before the other", () => {
  expect(difference(batch(1n, 2n, 3n).bytes, batch(1n, null, 3n), 100)).toMatchObject({ row: 101, rows: 1 });
  expect(difference(batch(1n, 2n).bytes, batch(1n, 2n, 3n), 100)).toMatchObject({ row: 102, rows: 1 });
  expect(difference(batch(1n, 2n, 3n).bytes, batch(1n, 2n), 100)).toMatchObject({ row: 102, rows: 1 });
});

it("does not name a row where only the layout differs", () => {
  const { bytes } = batch(1n, 2n);
  // The header's last bytes are read by nobody.
  const other = decodeBatch(bytes.with(40, 255));
  expect(difference(bytes, other, 100)).toMatchObject({
    row: 100,
    rows: 2,
    message: expect.stringContaining("laid out"),
  });
});
