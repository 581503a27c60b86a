import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import type { SourceSpec } from "../../../src/sources/port.ts";
import { openSource } from "../../../src/sources/port.ts";
import { folder, readRows } from "./table.ts";

async function read(name: string, text: string | Uint8Array, columns?: SourceSpec["columns"]): Promise<Value[][]> {
  await using dir = await folder();
  const file = join(dir.path, name);
  await writeFile(file, text);
  return await readRows({ file, columns });
}

async function types(name: string, text: string): Promise<string> {
  await using dir = await folder();
  const file = join(dir.path, name);
  await writeFile(file, text);
  await using source = await openSource({ file }, { worker: false });
  return source.schema.fields.map((field) => `${field.name}:${field.type}`).join(" ");
}

describe("NDJSON", () => {
  it("tells which columns no row has, rows that are passed over included", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.ndjson");
    await writeFile(file, '{"a":1,"b":null}\n{"a":2}\n');
    await using source = await openSource({ file, columns: { a: "i64", b: "i64", c: "i64" } }, { worker: false });
    for (const fromRow of [0, 1, 2]) {
      const absent: string[] = [];
      const batches = source.batches({ batchRows: 1, fromRow, onAbsent: (columns) => absent.push(...columns) });
      for await (const batch of batches) expect(batch.rows).toBe(1);
      expect(absent).toEqual(["c"]);
    }
  });

  it("keeps every digit of 64-bit integers", async () => {
    const text =
      '{"a":9007199254740993,"b":18446744073709551615}\n{"a":-9223372036854775808,"b":0}\n{"a":1e3,"b":"18446744073709551614"}\n';
    expect(await read("t.ndjson", text, { a: "i64", b: "u64" })).toEqual([
      [9_007_199_254_740_993n, 2n ** 64n - 1n],
      [-(2n ** 63n), 0n],
      [1000n, 2n ** 64n - 2n],
    ]);
    await expect(read("t.ndjson", '{"a":9223372036854775808}\n', { a: "i64" })).rejects.toMatchObject({
      code: "SOURCE_ROW_INVALID",
    });
    await expect(read("t.ndjson", '{"a":100000000000000000000000}\n', { a: "i64" })).rejects.toMatchObject({
      code: "SOURCE_ROW_INVALID",
    });
    await expect(read("t.ndjson", '{"a":1e19}\n', { a: "u64" })).rejects.toMatchObject({ code: "SOURCE_ROW_INVALID" });
  });

  it("does not guess f64 for integers that need more than 64 bits", async () => {
    const text = '{"v":1}\n{"v":123456789012345678901234567890}\n';
    await expect(types("t.ndjson", text)).rejects.toMatchObject({
      code: "SOURCE_SCHEMA_UNKNOWN",
      where: expect.stringMatching(/:2$/),
    });
    expect(await read("t.ndjson", text, { v: "f64" })).toEqual([[1], [123_456_789_012_345_680_000_000_000_000]]);
  });

  it("refuses numbers that a column cannot hold", async () => {
    for (const [type, value] of [
      ["i8", "128"],
      ["u8", "-1"],
      ["i32", "1.5"],
      ["f32", "1e39"],
      ["f64", "1e309"],
      ["bool", "1"],
      ["dict", "1"],
      ["binary", '"0x0"'],
      ["fixed(2)", '"0x00"'],
      ["timestamp", '"2001-02-30"'],
    ] as const) {
      await expect(read("t.ndjson", `{"a":${value}}\n`, { a: type }), type).rejects.toMatchObject({
        code: "SOURCE_ROW_INVALID",
        where: expect.stringMatching(/:1$/),
      });
    }
  });

  it("takes names that objects have of themselves for what they are", async () => {
    const text = '{"__proto__":1,"constructor":2,"toString":null}\n{"hasOwnProperty":3}\n';
    expect(await read("t.jsonl", text)).toEqual([
      [1n, 2n, null, null],
      [null, null, null, 3n],
    ]);
    expect(await read("t.jsonl", "{}\n", { constructor: "i64" as const, toString: "dict" as const })).toEqual([
      [null, null],
    ]);
  });

  it("passes over blank lines, a byte order mark, carriage returns, and a missing last line feed", async () => {
    expect(await read("t.json", '\uFEFF{"a":1}\r\n\n   \r\n{"a":2}')).toEqual([[1n], [2n]]);
    expect(await read("t.json.gz", gzipSync('{"a":1}\n'))).toEqual([[1n]]);
  });

  it("leaves out columns that were not asked for, in the order asked for", async () => {
    expect(await read("t.ndjson", '{"a":1,"b":{"deep":[1]},"c":"x"}\n', { c: "utf8", a: "i8" })).toEqual([["x", 1]]);
  });

  it("finds the same lines wherever the file's reads end", async () => {
    const text = Array.from({ length: 3000 }, (_, i) => `{"n":${i},"text":"${"ü🙂".repeat(i % 150)}"}\n`).join("");
    const rows = await read("t.ndjson", text);
    expect(rows).toHaveLength(3000);
    expect(rows.every(([n, value], i) => n === BigInt(i) && value === "ü🙂".repeat(i % 150))).toBe(true);
  });
});

describe("CSV", () => {
  it("tells an empty cell from empty text", async () => {
    expect(await read("t.csv", 'a,b\n,""\n"",\nx,1\n', { a: "utf8", b: "i64" })).toEqual([
      [null, null],
      ["", null],
      ["x", 1n],
    ]);
  });

  it("reads quotes, line breaks, and both line endings", async () => {
    expect(await read("t.csv", '\uFEFFa,"b ""c"""\r\n"x\r\ny",1\n"q ""z""",2\r\n')).toEqual([
      ["x\r\ny", 1n],
      ['q "z"', 2n],
    ]);
  });

  it("takes a blank line for a null where there is one column, and for nothing elsewhere", async () => {
    expect(await read("t.csv", "a\n1\n\n2\n")).toEqual([[1n], [null], [2n]]);
    expect(await read("t.csv", "a,b\n1,2\n\n3,4\n\n")).toEqual([
      [1n, 2n],
      [3n, 4n],
    ]);
  });

  it("infers types that depend on the first thousand rows alone", async () => {
    expect(await types("t.csv", "a,b,c,d,e\n1,1.5,true,2001-01-01,007\n2,2,FALSE,2001-01-01T00:00:00Z,8\n")).toBe(
      "a:i64 b:f64 c:bool d:timestamp e:dict",
    );
    expect(await types("t.csv", `a\n${"1\n".repeat(999)}x\n`)).toBe("a:dict");
    expect(await types("t.csv", `a\n${"1\n".repeat(1000)}x\n`)).toBe("a:i64");
  });

  it("keeps every digit", async () => {
    expect(
      await read(
        "t.csv",
        "a,t\n-9223372036854775808,2001-01-01T00:00:00.000001Z\n9223372036854775807,1969-12-31 23:59:59.999999\n",
      ),
    ).toEqual([
      [-(2n ** 63n), 978_307_200_000_001n],
      [2n ** 63n - 1n, -1n],
    ]);
  });

  it("may be called anything where the format is given", async () => {
    await using dir = await folder();
    const file = join(dir.path, "table.txt");
    await writeFile(file, "a\n1\n");
    expect(await readRows({ file, format: "csv" })).toEqual([[1n]]);
  });
});
