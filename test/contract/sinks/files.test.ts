import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { tableFromIPC } from "apache-arrow";
import { parquetMetadata } from "hyparquet";
import { describe, expect, it } from "vitest";
import type { Schema } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { utf8 } from "../../../src/core/bytes.ts";
import { writeWhole } from "../../../src/sinks/atomic-file.ts";
import { openSink } from "../../../src/sinks/port.ts";
import { batchesOf, EVERY_TYPE, everyTypeRow, folder, write } from "../sources/table.ts";
import { readBack } from "./read-back.ts";

const ROWS = Array.from({ length: 500 }, (_, i) => everyTypeRow(i));

for (const format of ["parquet", "ndjson", "jsonl", "csv", "sqlite", "arrow"] as const) {
  describe(`a ${format} sink`, () => {
    for (const field of EVERY_TYPE.fields) {
      it(`keeps values of ${field.type}, with nulls and without`, async () => {
        await using dir = await folder();
        const column = EVERY_TYPE.fields.indexOf(field);
        for (const nullable of [true, false]) {
          const schema: Schema = schemaOf([{ ...field, nullable }]);
          const rows = ROWS.map((row) => [row[column] ?? null]).filter(([value]) => nullable || value !== null);
          const file = await write(join(dir.path, `${field.type}-${nullable}.${format}`), schema, rows);
          expect(await readBack(file, schema)).toEqual(rows);
        }
      });
    }

    it("writes the same bytes however the rows are cut", async () => {
      await using dir = await folder();
      const files = await Promise.all(
        [1, 7, 500].map((cut) => write(join(dir.path, String(cut), `t.${format}`), EVERY_TYPE, ROWS, cut)),
      );
      const [first, ...others] = await Promise.all(files.map((file) => readFile(file)));
      for (const other of others) expect(other).toEqual(first);
    });

    it("writes a table without rows", async () => {
      await using dir = await folder();
      const file = await write(join(dir.path, `none.${format}`), EVERY_TYPE, []);
      expect(await readBack(file, EVERY_TYPE)).toEqual([]);
    });

    it("creates its folder, reports what it wrote, and replaces an older file only when it is complete", async () => {
      await using dir = await folder();
      const file = join(dir.path, "new", "deep", `t.${format}`);
      await write(file, EVERY_TYPE, ROWS.slice(0, 3));
      const before = await readFile(file);
      const sink = await openSink({ file, schema: EVERY_TYPE });
      for (const batch of batchesOf(EVERY_TYPE, ROWS, 50)) await sink.write(batch);
      expect(await readFile(file)).toEqual(before);
      const written = await sink.close();
      expect(written).toEqual({ file, rows: 500, bytes: (await readFile(file)).length });
      expect(await readdir(join(dir.path, "new", "deep"))).toEqual([`t.${format}`]);
      await expect(sink.close()).rejects.toMatchObject({ code: "SINK_CLOSED" });
      await sink.abort();
    });

    it("leaves nothing behind when it is aborted or disposed of", async () => {
      await using dir = await folder();
      {
        await using sink = await openSink({ file: join(dir.path, `t.${format}`), schema: EVERY_TYPE });
        for (const batch of batchesOf(EVERY_TYPE, ROWS, 50)) await sink.write(batch);
      }
      expect(await readdir(dir.path)).toEqual([]);
    });

    it("refuses batches of another schema, and is aborted then", async () => {
      await using dir = await folder();
      const sink = await openSink({ file: join(dir.path, `t.${format}`), schema: EVERY_TYPE });
      const other = schemaOf([{ name: "x", type: "i64", nullable: false }]);
      const [batch] = batchesOf(other, [[1n]], 1);
      if (batch === undefined) throw new Error("no batch");
      await expect(sink.write(batch)).rejects.toMatchObject({ code: "SINK_SCHEMA_MISMATCH" });
      expect(await readdir(dir.path)).toEqual([]);
    });
  });
}

describe("a Parquet file's row groups", () => {
  it("hold 65,536 rows, fewer only where they reach their bytes", async () => {
    await using dir = await folder();
    const narrow = schemaOf([{ name: "n", type: "i64", nullable: false }]);
    const wide = schemaOf([{ name: "t", type: "utf8", nullable: false }]);
    const groups = async (file: string): Promise<number[]> =>
      parquetMetadata(new Uint8Array(await readFile(file))).row_groups.map((group) => Number(group.num_rows));
    const many = Array.from({ length: 70_000 }, (_, i) => [BigInt(i)]);
    expect(await groups(await write(join(dir.path, "n.parquet"), narrow, many, 999))).toEqual([65_536, 4464]);
    // 262,140 bytes of text and 4 of its offset: 128 such rows are 32 MiB.
    const large = Array.from({ length: 130 }, () => ["x".repeat(262_140)]);
    expect(await groups(await write(join(dir.path, "t.parquet"), wide, large, 50))).toEqual([128, 2]);
  });
});

describe("an Arrow file's record batches", () => {
  it("say the types that other programs know, and stay small where a dictionary's long texts repeat", async () => {
    await using dir = await folder();
    const types = tableFromIPC(await readFile(await write(join(dir.path, "t.arrow"), EVERY_TYPE, ROWS))).schema.fields;
    expect(types.map(({ type }) => String(type))).toEqual([
      ...["Bool", "Int8", "Int16", "Int32", "Int64", "Uint8", "Uint16", "Uint32", "Uint64", "Float32", "Float64"],
      ...["Timestamp<MICROSECOND, UTC>", "Utf8", "Utf8", "Binary", "FixedSizeBinary[5]"],
    ]);
    const words = schemaOf([{ name: "w", type: "dict", nullable: true }]);
    const rows = Array.from({ length: 40 }, (_, i) => [i % 5 === 0 ? null : "x".repeat(2_000_000)]);
    const table = tableFromIPC(await readFile(await write(join(dir.path, "w.feather"), words, rows)));
    expect(table.batches.map(({ numRows }) => numRows)).toEqual([20, 20]);
    expect(table.getChildAt(0)?.nullCount).toBe(8);
  });
});

describe("a SQLite database", () => {
  const columns = schemaOf([
    { name: "value", type: "u64", nullable: false },
    { name: "hash", type: "fixed", nullable: true, width: 32 },
    { name: "at", type: "timestamp", nullable: true },
  ]);

  it("has a strict table named as the file, which says the columns' own types, and takes part in SQL", async () => {
    await using dir = await folder();
    const largest = 2n ** 64n - 1n;
    const hash = Uint8Array.from({ length: 32 }, (_, i) => 255 - i);
    const file = await write(join(dir.path, "my table.db"), columns, [
      [largest, hash, 1_689_269_891_000_000n],
      [7n, null, null],
    ]);
    const database = new DatabaseSync(file, { readOnly: true });
    const one = (sql: string): unknown => Object.values(database.prepare(sql).get() ?? {})[0];
    expect(one("SELECT sql FROM sqlite_schema")).toBe(
      'CREATE TABLE "my table" (\n  "value" ANY NOT NULL /* u64 */,\n  "hash" BLOB /* fixed(32) */,\n  "at" INTEGER /* timestamp */\n) STRICT',
    );
    expect(one(`SELECT group_concat(typeof(value)) FROM "my table"`)).toBe("text,integer");
    expect(one(`SELECT value FROM "my table" WHERE hash = x'${Buffer.from(hash).toString("hex")}'`)).toBe(
      String(largest),
    );
    expect(one(`SELECT datetime(at / 1000000, 'unixepoch') FROM "my table" WHERE rowid = 1`)).toBe(
      "2023-07-13 17:38:11",
    );
    database.close();
  });

  it("is not replaced while a journal beside it says that a program uses it, and refuses names that are one to it", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.sqlite");
    const open = new DatabaseSync(file);
    open.exec("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    const refused = { code: "SINK_UNWRITABLE", kind: "config", where: file };
    await expect(openSink({ file, schema: columns })).rejects.toMatchObject(refused);
    open.close();
    const sink = await openSink({ file, schema: columns });
    await writeFile(`${file}-journal`, "hot");
    await expect(sink.close()).rejects.toMatchObject(refused);
    const clash = schemaOf([
      { name: "Value", type: "i64", nullable: false },
      { name: "value", type: "i64", nullable: false },
    ]);
    await expect(openSink({ file: join(dir.path, "c.sqlite"), schema: clash })).rejects.toMatchObject({
      code: "SINK_COLUMN_CLASH",
      kind: "config",
    });
    expect((await readdir(dir.path)).sort()).toEqual(["t.sqlite", "t.sqlite-journal"]);
  });
});

describe("opening a sink", () => {
  it("names the endings it knows when it does not know this one", async () => {
    for (const file of ["x.txt", "x", "x.constructor", "x.parquet.gz"]) {
      const error = await openSink({ file, schema: EVERY_TYPE }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "SINK_UNSUPPORTED", kind: "config" });
      expect((error as { hint: string }).hint).toContain(
        ".parquet, .csv, .ndjson, .jsonl, .sqlite, .db, .arrow, .feather",
      );
    }
  });

  it("refuses a folder and a path through a file", async () => {
    await using dir = await folder();
    await mkdir(join(dir.path, "t.csv"));
    await writeFile(join(dir.path, "plain"), "");
    await expect(openSink({ file: join(dir.path, "t.csv"), schema: EVERY_TYPE })).rejects.toMatchObject({
      code: "SINK_UNWRITABLE",
    });
    await expect(openSink({ file: join(dir.path, "plain", "t.csv"), schema: EVERY_TYPE })).rejects.toMatchObject({
      code: "SINK_UNWRITABLE",
    });
  });
});

describe("a file written whole", () => {
  it("is there with its bytes and permissions, replaces the one before, and leaves nothing beside it", async () => {
    await using dir = await folder();
    const path = join(dir.path, "deep", "key");
    await writeWhole(path, utf8("one"), 0o600);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await writeWhole(path, utf8("another"));
    expect(await readFile(path, "utf8")).toBe("another");
    await expect(writeWhole(join(dir.path, "deep"), utf8("no"))).rejects.toMatchObject({ code: "SINK_UNWRITABLE" });
    expect(await readdir(dir.path, { recursive: true })).toEqual(["deep", join("deep", "key")]);
  });
});
