import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import type { Schema } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { toHex } from "../../../src/core/bytes.ts";
import { openSource } from "../../../src/sources/port.ts";
import { collect, declared, EVERY_TYPE, everyTypeRow, folder, readRows, rowsOf, write } from "./table.ts";

const ROWS = Array.from({ length: 1234 }, (_, i) => everyTypeRow(i));

for (const format of ["parquet", "ndjson", "csv"] as const) {
  // Text files share what they do in their threads.
  for (const worker of format === "csv" ? [false] : [false, true]) {
    describe(`a ${format} source ${worker ? "in its own thread" : "in place"}`, () => {
      it("gives the rows that were written", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS);
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        expect(source.schema).toEqual(EVERY_TYPE);
        expect(rowsOf(await collect(source))).toEqual(ROWS);
      });

      it("cuts exactly batchRows rows a batch", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS);
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        for (const batchRows of worker ? [7, 1234] : [1, 7, 1000, 1234, 4096]) {
          const batches = await collect(source, { batchRows });
          const last = 1234 % batchRows;
          expect(batches.slice(0, -1).every((batch) => batch.rows === batchRows)).toBe(true);
          expect(batches.at(-1)?.rows).toBe(last === 0 ? batchRows : last);
          expect(rowsOf(batches)).toEqual(ROWS);
        }
      });

      it("resumes at a batch boundary with the batches that a full read gives", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS);
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        const whole = await collect(source, { batchRows: 100 });
        for (const boundary of worker ? [5] : [1, 5, 12]) {
          const rest = await collect(source, { batchRows: 100, fromRow: 100 * boundary });
          expect(rest.map((batch) => toHex(batch.bytes))).toEqual(
            whole.slice(boundary).map((batch) => toHex(batch.bytes)),
          );
        }
        expect(await collect(source, { fromRow: 1234 })).toEqual([]);
        expect(await collect(source, { fromRow: 99_999 })).toEqual([]);
      });

      it("tells how far it read, where that tells how much is left", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS);
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        const read: number[] = [];
        const { bytes } = await source.content();
        await collect(source, { onRead: (position) => read.push(position) });
        if (format === "parquet") expect(read).toEqual([]);
        else expect(read.at(-1)).toBe(bytes);
        expect(read).toEqual(read.toSorted((a, b) => a - b));
      });

      it("refuses batch sizes outside 1 to 4096", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS.slice(0, 3));
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        for (const batchRows of [0, 4097, 1.5, Number.NaN]) {
          await expect(async () => collect(source, { batchRows })).rejects.toMatchObject({
            code: "BATCH_ROWS_INVALID",
          });
        }
      });

      it("stops with the signal's reason, before and between batches, and when the source is closed", async () => {
        await using dir = await folder();
        const file = await write(join(dir.path, `t.${format}`), EVERY_TYPE, ROWS);
        await using source = await openSource({ file, columns: declared(EVERY_TYPE) }, { worker });
        const reason = new Error("enough");
        await expect(collect(source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
        const controller = new AbortController();
        const seen: number[] = [];
        const reading = (async () => {
          for await (const batch of source.batches({ batchRows: 10, signal: controller.signal })) {
            seen.push(batch.rows);
            if (seen.length === 3) controller.abort(reason);
          }
        })();
        await expect(reading).rejects.toBe(reason);
        expect(seen).toEqual([10, 10, 10]);
        await source.close();
        await expect(collect(source)).rejects.toMatchObject({ name: "AbortError" });
      });
    });
  }
}

describe("batch cutting", () => {
  const wide: Schema = schemaOf([
    { name: "text", type: "utf8", nullable: true },
    { name: "n", type: "i64", nullable: true },
  ]);
  const rows: Value[][] = Array.from({ length: 300 }, (_, i) => ["x".repeat((i * 7919) % 30_000), BigInt(i)]);

  it("closes a batch early by the same rule in every format", async () => {
    await using dir = await folder();
    const cuts = await Promise.all(
      ["parquet", "ndjson", "csv"].map(async (format) => {
        const file = await write(join(dir.path, `t.${format}`), wide, rows);
        await using source = await openSource({ file, columns: declared(wide) }, { worker: false });
        const batches = await collect(source);
        expect(rowsOf(batches)).toEqual(rows);
        return batches.map((batch) => toHex(batch.bytes).length / 2);
      }),
    );
    expect(cuts[0]?.length).toBeGreaterThan(3);
    expect(cuts[1]).toEqual(cuts[0]);
    expect(cuts[2]).toEqual(cuts[0]);
    expect(Math.max(...(cuts[0] ?? []))).toBeLessThan(1024 * 1024 + 40_000);
  });

  it("closes a batch after the row that brings it to 1 MiB, not before and not later", async () => {
    await using dir = await folder();
    const schema = schemaOf([{ name: "text", type: "utf8", nullable: true }]);
    // 1020 bytes of text and 4 of its offset: 1024 such rows are 1 MiB.
    const even = Array.from({ length: 2500 }, (_, i) => [String(i).padEnd(1020, "x")]);
    for (const format of ["parquet", "ndjson", "csv"]) {
      const file = await write(join(dir.path, `even.${format}`), schema, even);
      await using source = await openSource({ file, columns: declared(schema) }, { worker: false });
      expect((await collect(source)).map((batch) => batch.rows)).toEqual([1024, 1024, 452]);
      expect((await collect(source, { fromRow: 1024 })).map((batch) => batch.rows)).toEqual([1024, 452]);
    }
  });

  it("does not depend on how the file's rows were grouped", async () => {
    await using dir = await folder();
    const one = await write(join(dir.path, "one.parquet"), wide, rows, 1);
    const all = await write(join(dir.path, "all.parquet"), wide, rows, 300);
    expect(await readFile(one)).toEqual(await readFile(all));
  });
});

describe("content", () => {
  it("is the digest and size of the bytes as given", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.csv.gz");
    const bytes = gzipSync("a\n1\n2\n");
    await writeFile(file, bytes);
    await using source = await openSource({ file });
    const content = await source.content();
    expect(content.bytes).toBe(bytes.length);
    expect(toHex(content.sha256)).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(await readRows({ file })).toEqual([[1n], [2n]]);
  });
});
