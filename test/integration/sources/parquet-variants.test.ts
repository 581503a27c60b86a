import { createHash } from "node:crypto";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import { openSource } from "../../../src/sources/port.ts";
import { collect, folder, readRows, rowsOf } from "../../contract/sources/table.ts";

const ROWS = 10_000;
const SELECT = `
  select i::tinyint % 100 a8, (i % 30000)::smallint a16, i::integer a32, (i * 1000003)::bigint a64, (i % 200)::utinyint b8, (i % 60000)::usmallint b16,
    i::uinteger b32, (i * 7919)::ubigint b64, (i / 8)::float as single, (i / 3)::double as dbl, (i % 3 = 0) as flag,
    make_timestamp(978307200000000 + i * 60000000) micros, make_timestamp_ms(978307200000 + i) millis, make_timestamp_ns(978307200000000000 + i * 1000) nanos,
    date '2001-01-01' + (i % 400)::integer as day, 'text ' || (i % 50) word, 'unique ü ' || i as own, ('raw' || i)::blob raw,
    (i * 10)::decimal(9, 0) whole, uuid '00000000-0000-0000-0000-000000000001' id,
    case when i % 5 = 0 then null else i end holes, case when i % 7 = 0 then null else 'h' || (i % 9) end word_holes, null::integer as empty,
    case when i % 2 = 0 then null else i % 3 = 0 end flag_holes
  from (select (range % 100)::bigint j, range i from range(${ROWS}))`.replaceAll(
  "i::tinyint % 100",
  "(i % 100)::tinyint",
);

/** What the rows above must be, computed here. */
function expected(i: number): Value[] {
  const id = new Uint8Array(16);
  id[15] = 1;
  return [
    i % 100,
    i % 30_000,
    i,
    BigInt(i) * 1_000_003n,
    i % 200,
    i % 60_000,
    i,
    BigInt(i) * 7919n,
    Math.fround(i / 8),
    i / 3,
    i % 3 === 0,
    978_307_200_000_000n + BigInt(i) * 60_000_000n,
    (978_307_200_000n + BigInt(i)) * 1000n,
    978_307_200_000_000n + BigInt(i),
    978_307_200_000_000n + BigInt(i % 400) * 86_400_000_000n,
    `text ${i % 50}`,
    `unique ü ${i}`,
    new TextEncoder().encode(`raw${i}`),
    i * 10,
    id,
    i % 5 === 0 ? null : BigInt(i),
    i % 7 === 0 ? null : `h${i % 9}`,
    null,
    i % 2 === 0 ? null : i % 3 === 0,
  ];
}

const variants = [
  "compression uncompressed",
  "compression snappy",
  "compression gzip",
  "compression zstd",
  "compression brotli",
  "compression lz4_raw",
  "compression snappy, row_group_size 2048",
  "compression snappy, parquet_version v2",
  "compression zstd, parquet_version v2, dictionary_size_limit 1",
  "compression uncompressed, dictionary_size_limit 1",
];

describe("Parquet files of another writer", () => {
  for (const variant of variants) {
    it(`are read exactly: ${variant}`, async () => {
      await using dir = await folder();
      const file = join(dir.path, "t.parquet");
      const instance = await DuckDBInstance.create(":memory:", { threads: "1" });
      const connection = await instance.connect();
      await connection.run(`copy (${SELECT}) to '${file}' (format parquet, ${variant})`);
      connection.closeSync();
      instance.closeSync();
      const rows = await readRows({ file });
      expect(rows).toHaveLength(ROWS);
      const bad = rows.findIndex((row, i) => digest(row) !== digest(expected(i)));
      if (bad !== -1) expect(rows[bad]).toEqual(expected(bad));
      await using source = await openSource(
        { file, columns: { own: "dict", holes: "i64", flag_holes: "bool" } },
        { worker: false },
      );
      const some = rowsOf(await collect(source, { batchRows: 999, fromRow: 999 * 5 }));
      expect(some).toEqual(rows.slice(999 * 5).map((row) => [row[16], row[20], row[23]]));
    });
  }

  it("give other types where nothing is lost", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.parquet");
    const instance = await DuckDBInstance.create(":memory:");
    const connection = await instance.connect();
    await connection.run(`copy (${SELECT}) to '${file}' (format parquet)`);
    const rows = await readRows({
      file,
      columns: { a8: "i64", b16: "i32", b8: "u64", single: "f64", day: "i32", word: "utf8", a64: "timestamp" },
    });
    expect(rows[5]).toEqual([5n, 5, 5n, 0.625, 11_328, "text 5", 5_000_015n]);
    for (const columns of [
      { a64: "i32" },
      { a8: "u16" },
      { word: "i64" },
      { dbl: "f32" },
      { micros: "i64" },
    ] as const) {
      await expect(openSource({ file, columns })).rejects.toMatchObject({
        code: "SOURCE_COLUMN_MISMATCH",
        kind: "config",
      });
    }
    await connection.run(`copy (select make_timestamp_ns(1500) t) to '${file}' (format parquet)`);
    await expect(readRows({ file })).rejects.toMatchObject({
      code: "SOURCE_COLUMN_UNSUPPORTED",
      kind: "config",
      message: expect.stringContaining("column t is no column of microseconds: the timestamp 1500 ns"),
      hint: expect.stringContaining("microseconds"),
      facts: { column: "t" },
    });
    await connection.run(`copy (select 1.5::decimal(9,2) d, time '10:00' t) to '${file}' (format parquet)`);
    await expect(readRows({ file })).rejects.toMatchObject({
      code: "SOURCE_COLUMN_UNSUPPORTED",
      facts: { column: "d" },
    });
    await expect(readRows({ file, columns: { t: "i64" } })).rejects.toMatchObject({
      code: "SOURCE_COLUMN_UNSUPPORTED",
      facts: { column: "t" },
    });
    connection.closeSync();
    instance.closeSync();
  });
});

function digest(row: readonly Value[]): string {
  const text = row
    .map((value) => `${typeof value}:${value instanceof Uint8Array ? [...value].join(".") : String(value)}`)
    .join("|");
  return createHash("sha256").update(text).digest("hex");
}
