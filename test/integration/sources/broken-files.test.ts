import { chmod, mkdir, readFile, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../src/batch/schema.ts";
import { IpdmError } from "../../../src/core/errors.ts";
import type { SourceSpec } from "../../../src/sources/port.ts";
import { openSource } from "../../../src/sources/port.ts";
import { collect, EVERY_TYPE, everyTypeRow, folder, readRows, rowsOf, write } from "../../contract/sources/table.ts";

/** Writes bytes under a name and tries to read all rows: the error that comes, or the rows. */
async function attempt(name: string, bytes: string | Uint8Array, spec: Partial<SourceSpec> = {}): Promise<unknown> {
  await using dir = await folder();
  const file = join(dir.path, name);
  await writeFile(file, bytes);
  return await readRows({ file, ...spec }).catch((error: unknown) => error);
}

describe("opening", () => {
  it("names a missing file, and what else is in the way", async () => {
    await using dir = await folder();
    await mkdir(join(dir.path, "d.csv"));
    await symlink(join(dir.path, "nowhere.csv"), join(dir.path, "dangling.csv"));
    await writeFile(join(dir.path, "plain.csv"), "a\n1\n");
    const open = (name: string): Promise<unknown> =>
      openSource({ file: join(dir.path, name) }).catch((error: unknown) => error);
    expect(await open("absent.csv")).toMatchObject({
      code: "SOURCE_MISSING",
      kind: "config",
      where: join(dir.path, "absent.csv"),
    });
    expect(await open("dangling.csv")).toMatchObject({ code: "SOURCE_MISSING" });
    expect(await open("plain.csv/x.csv")).toMatchObject({ code: "SOURCE_MISSING" });
    expect(await open("d.csv")).toMatchObject({ code: "SOURCE_UNREADABLE", kind: "config" });
    expect(await open("table.txt")).toMatchObject({ code: "SOURCE_FORMAT_UNKNOWN", kind: "config" });
    expect(await open("table.parquet.gz")).toMatchObject({ code: "SOURCE_FORMAT_UNKNOWN", kind: "config" });
    expect(await openSource({ file: "/dev/zero", format: "csv" }).catch((error: unknown) => error)).toMatchObject({
      code: "SOURCE_UNREADABLE",
    });
  });

  it.skipIf(process.getuid?.() === 0)("says when it has no permission", async () => {
    await using dir = await folder();
    const file = join(dir.path, "secret.csv");
    await writeFile(file, "a\n1\n");
    await chmod(file, 0);
    await expect(openSource({ file })).rejects.toMatchObject({ code: "SOURCE_UNREADABLE", kind: "config" });
  });

  it("names unknown types and columns", async () => {
    expect(await attempt("t.csv", "a,b\n1,2\n", { columns: { a: "int" as never } })).toMatchObject({
      code: "COLUMN_TYPE_UNKNOWN",
      hint: expect.stringMatching(/^did you mean i64\? column types: /),
    });
    expect(await attempt("t.csv", "a,b\n1,2\n", { columns: { c: "i64" } })).toMatchObject({
      code: "COLUMN_MISSING",
      hint: "columns here: a, b",
    });
  });

  it("notices that the file was written after it was opened", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.csv");
    await writeFile(file, "a\n1\n");
    await using source = await openSource({ file }, { worker: false });
    await utimes(file, 1, 1);
    await expect(collect(source)).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
    await expect(source.content()).rejects.toMatchObject({ code: "SOURCE_CHANGED" });
  });
});

describe("files without rows", () => {
  it("are tables where the columns are declared", async () => {
    for (const name of ["t.ndjson", "t.csv"]) {
      expect(await attempt(name, "", { columns: { a: "i64" } })).toEqual([]);
      expect(await attempt(name, "")).toMatchObject({ code: "SOURCE_SCHEMA_UNKNOWN", kind: "config" });
    }
    expect(await attempt("t.csv", "a,b\n")).toMatchObject({ code: "SOURCE_SCHEMA_UNKNOWN" });
    expect(await attempt("t.csv", "a,b", { columns: { a: "i64" } })).toEqual([]);
    expect(await attempt("t.ndjson.gz", gzipSync(""), { columns: { a: "i64" } })).toEqual([]);
    expect(await attempt("t.parquet", "")).toMatchObject({ code: "SOURCE_MALFORMED" });
  });
});

describe("broken NDJSON", () => {
  const cases: readonly (readonly [what: string, text: string | Uint8Array, code: string, line: number])[] = [
    ["a line that is no JSON", '{"a":1}\n{"a":\n', "SOURCE_MALFORMED", 2],
    ["a JSON list of rows", '[\n{"a":1}\n]\n', "SOURCE_MALFORMED", 1],
    ["a line that is a number", '{"a":1}\n\n7\n', "SOURCE_MALFORMED", 3],
    [
      "bytes that are not UTF-8",
      Buffer.concat([Buffer.from('{"a":1}\n{"a":"'), Buffer.from([0xff]), Buffer.from('"}\n')]),
      "SOURCE_MALFORMED",
      2,
    ],
    ["a nested value", '{"a":1}\n{"a":{"b":1}}\n', "SOURCE_ROW_INVALID", 2],
    ["two kinds of value", '{"a":1}\n{"a":"x"}\n', "SOURCE_ROW_INVALID", 2],
    ["half a surrogate pair", '{"a":"x"}\n{"a":"\\ud800"}\n', "SOURCE_ROW_INVALID", 2],
    ["a row unlike the first thousand", `${'{"a":1}\n'.repeat(1000)}{"a":"x"}\n`, "SOURCE_ROW_INVALID", 1001],
    ["a column that the first thousand lack", `${'{"a":1}\n'.repeat(1000)}{"a":1,"b":2}\n`, "SOURCE_ROW_INVALID", 1001],
    ["a line over the limit", `{"a":1}\n{"a":"${"x".repeat(4 * 1024 * 1024)}"}\n`, "SOURCE_LIMIT", 2],
    ["an endless line", "x".repeat(5 * 1024 * 1024), "SOURCE_LIMIT", 1],
  ];
  for (const [what, text, code, line] of cases) {
    it(`names ${what} with its line`, async () => {
      const error = await attempt("t.ndjson", text);
      expect(error).toMatchObject({ code });
      expect((error as IpdmError).where).toMatch(new RegExp(`t\\.ndjson:${line}$`));
      const zipped = await attempt("t.jsonl.gz", gzipSync(text));
      expect(zipped).toMatchObject({ code });
    });
  }

  it("tells a file that is one array how to become one object a line", async () => {
    for (const text of ['[\n  { "a": 1 }\n]\n', '[{"a":1},{"a":2}]', " [\n"])
      expect(await attempt("t.json", text)).toMatchObject({
        code: "SOURCE_MALFORMED",
        message: expect.stringMatching(/is broken at line 1: expected one JSON object a line/),
        where: expect.stringMatching(/t\.json:1$/),
        hint: expect.stringContaining("jq -c '.[]'"),
      });
    expect(await attempt("t.json", '{"a":1}\n[1]\n')).toMatchObject({
      message: expect.stringContaining("is broken at line 2: expected one JSON object a line"),
      hint: expect.not.stringContaining("jq"),
    });
  });

  it("says how to declare columns", async () => {
    const error = await attempt("t.ndjson", `${'{"a":1}\n'.repeat(1000)}{"a":1.5}\n`);
    expect(error).toMatchObject({ code: "SOURCE_ROW_INVALID", hint: expect.stringContaining("`columns`") });
    expect(await attempt("t.ndjson", `${'{"a":1}\n'.repeat(1000)}{"a":1.5}\n`, { columns: { a: "f64" } })).toHaveLength(
      1001,
    );
  });
});

describe("broken CSV", () => {
  const cases: readonly (readonly [what: string, text: string | Uint8Array, code: string])[] = [
    ["a quote that never closes", 'a,b\n1,"x\n2,3\n', "SOURCE_MALFORMED"],
    ["a quote inside a cell", 'a,b\n1,x"y"\n', "SOURCE_MALFORMED"],
    ["text after a closing quote", 'a,b\n1,"x"y\n', "SOURCE_MALFORMED"],
    ["too few cells", "a,b\n1,2\n3\n", "SOURCE_ROW_INVALID"],
    ["too many cells", "a,b\n1,2\n3,4,5\n", "SOURCE_ROW_INVALID"],
    ["two columns of one name", "a,a\n1,2\n", "SOURCE_MALFORMED"],
    ["a column without a name", "a,\n1,2\n", "SOURCE_MALFORMED"],
    ["bytes that are not UTF-8", Buffer.from([0x61, 0x0a, 0xff, 0x0a]), "SOURCE_MALFORMED"],
    ["bytes that end inside a character", Buffer.from([0x61, 0x0a, 0xc3]), "SOURCE_MALFORMED"],
    ["a record over the limit", `a\n${"x".repeat(5 * 1024 * 1024)}\n`, "SOURCE_LIMIT"],
    ["a row unlike the first thousand", `a\n${"1\n".repeat(1000)}x\n`, "SOURCE_ROW_INVALID"],
  ];
  for (const [what, text, code] of cases) {
    it(`names ${what}`, async () => {
      expect(await attempt("t.csv", text)).toMatchObject({ code, where: expect.stringContaining("t.csv:") });
      expect(await attempt("t.csv.gz", gzipSync(text))).toMatchObject({ code });
    });
  }

  it("gives the line of a row that does not fit", async () => {
    const error = await attempt("t.csv", 'a,b\n1,"x\ny"\n\nz,w\n', { columns: { a: "i64" } });
    const hint = "correct the line, or declare the column as a type that holds such values";
    expect(error).toMatchObject({ code: "SOURCE_ROW_INVALID", where: expect.stringMatching(/t\.csv:5$/), hint });
    expect(await attempt("t.ndjson", '{"a":"x"}\n', { columns: { a: "i64" } })).toMatchObject({ hint });
  });
});

describe("broken gzip", () => {
  it("is named, whether cut, altered, or not gzip at all", async () => {
    const bytes = gzipSync(Array.from({ length: 5000 }, (_, i) => `{"a":${i}}\n`).join(""));
    const altered = Uint8Array.from(bytes, (byte, i) => (i === bytes.length >> 1 ? byte ^ 0xff : byte));
    for (const broken of [bytes.subarray(0, bytes.length - 9), altered, Buffer.from("plain text\n")]) {
      for (const name of ["t.ndjson.gz", "t.csv.gz"]) {
        expect(await attempt(name, broken, { columns: { a: "i64" } })).toMatchObject({
          code: expect.stringMatching(/^SOURCE_(MALFORMED|ROW_INVALID)$|^COLUMN_MISSING$/),
        });
      }
    }
    expect(await attempt("t.ndjson.gz", bytes.subarray(0, bytes.length - 9), { columns: { a: "i64" } })).toMatchObject({
      code: "SOURCE_MALFORMED",
    });
  });
});

describe("a broken Parquet file", () => {
  it("is named for every cut of its end", async () => {
    await using dir = await folder();
    const whole = await readFile(
      await write(
        join(dir.path, "w.parquet"),
        EVERY_TYPE,
        Array.from({ length: 40 }, (_, i) => everyTypeRow(i)),
      ),
    );
    for (let length = 0; length < whole.length; length += 97) {
      expect(await attempt("t.parquet", whole.subarray(0, length))).toMatchObject({ code: "SOURCE_MALFORMED" });
    }
    expect(await attempt("t.parquet", "no parquet at all, but long enough")).toMatchObject({
      code: "SOURCE_MALFORMED",
    });
  });

  it("never gives anything but rows or a named error, whatever byte is altered", async () => {
    await using dir = await folder();
    const schema = schemaOf(
      EVERY_TYPE.fields.filter(({ type }) =>
        ["bool", "i64", "timestamp", "dict", "utf8", "fixed", "f64"].includes(type),
      ),
    );
    const indices = schema.fields.map((field) => EVERY_TYPE.fields.indexOf(field));
    const rows = Array.from({ length: 60 }, (_, i) => indices.map((index) => everyTypeRow(i)[index] ?? null));
    const whole = await readFile(await write(join(dir.path, "w.parquet"), schema, rows));
    const file = join(dir.path, "t.parquet");
    let failed = 0;
    let tried = 0;
    for (let at = 4; at < whole.length - 8; at += 7) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const altered = Uint8Array.from(whole);
        altered[at] = (altered[at] as number) ^ flip;
        await writeFile(file, altered);
        const outcome = await readRows({ file }).catch((error: unknown) => error);
        tried++;
        if (Array.isArray(outcome)) continue;
        failed++;
        expect(outcome, `byte ${at} ^ ${flip}: ${String((outcome as Error).stack)}`).toBeInstanceOf(IpdmError);
        expect((outcome as IpdmError).code).toMatch(/^(SOURCE_|COLUMN_|SCHEMA_)/);
      }
    }
    expect(tried).toBeGreaterThan(400);
    expect(failed).toBeGreaterThan(100);
  });

  it("names nested columns, which may be left out", async () => {
    const { parquetWriteBuffer } = await import("hyparquet-writer");
    const bytes = new Uint8Array(
      parquetWriteBuffer({
        schema: [
          { name: "root", num_children: 3 },
          { name: "n", type: "INT32", repetition_type: "REQUIRED" },
          { name: "list", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
          { name: "list", repetition_type: "REPEATED", num_children: 1 },
          { name: "element", type: "INT32", repetition_type: "OPTIONAL" },
          { name: "after", type: "INT32", repetition_type: "REQUIRED" },
        ],
        columnData: [
          { name: "n", data: [1, 2] },
          { name: "list", data: [[1], [2, 3]] },
          { name: "after", data: [8, 9] },
        ],
      }),
    );
    expect(await attempt("t.parquet", bytes)).toMatchObject({
      code: "SOURCE_COLUMN_UNSUPPORTED",
      facts: { column: "list" },
    });
    expect(await attempt("t.parquet", bytes, { columns: { after: "i64", n: "i32" } })).toEqual([
      [8n, 1],
      [9n, 2],
    ]);
    expect(await attempt("t.parquet", bytes, { columns: { after: "dict" } })).toMatchObject({
      code: "SOURCE_COLUMN_MISMATCH",
    });
    expect(await attempt("t.parquet", bytes, { columns: { other: "i64" } })).toMatchObject({ code: "COLUMN_MISSING" });
  });
});

describe("an error in the reading thread", () => {
  it("arrives whole", async () => {
    await using dir = await folder();
    const file = join(dir.path, "t.ndjson");
    await writeFile(file, `${'{"a":1}\n'.repeat(2000)}{"a":"x"}\n`);
    await using source = await openSource({ file });
    const error = await collect(source).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(IpdmError);
    expect(error).toMatchObject({ code: "SOURCE_ROW_INVALID", where: `${file}:2001`, facts: { line: 2001 } });
    await using other = await openSource({ file, columns: { a: "i64" } });
    const seen: number[] = [];
    for await (const batch of other.batches({ batchRows: 100 })) {
      seen.push(rowsOf([batch]).length);
      if (seen.length === 3) break;
    }
    expect(seen).toEqual([100, 100, 100]);
  });
});
