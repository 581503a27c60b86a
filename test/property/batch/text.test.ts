import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { type Field, type Schema, schemaOf } from "../../../src/batch/schema.ts";
import { isBlank, JsonRowReader } from "../../../src/batch/text/json-row.ts";
import { readNdjson } from "../../../src/batch/text/ndjson-text.ts";
import { RowWriter } from "../../../src/batch/text/row-writer.ts";
import type { TextFormat } from "../../../src/batch/text/spelling.ts";
import { TextBytes } from "../../../src/batch/text/text-bytes.ts";
import { formatTimestamp } from "../../../src/batch/text/timestamp.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { toHex, utf8 } from "../../../src/core/bytes.ts";

const ROOM = 1 << 24;
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).filter((value) => value.isWellFormed()),
  fc.constantFrom(
    "",
    ",",
    '"',
    "\\",
    "\r\n",
    "a\u0000b\u001f\u007f\u2028",
    "\uFEFF",
    "x\uFEFF",
    "NaN",
    "null",
    "Zürich",
    "x".repeat(90),
  ),
);
const near = (bits: number): fc.Arbitrary<bigint> =>
  fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.bigInt({ min: -1_000_000n, max: 1_000_000n }),
    fc.bigInt({ min: -3n, max: 3n }).map((value) => 2n ** BigInt(bits) + value),
    fc.bigInt({ min: -3n, max: 3n }).map((value) => -(2n ** BigInt(bits)) + value),
  );
const VALUES: Record<string, fc.Arbitrary<Value>> = {
  bool: fc.boolean(),
  i8: fc.integer({ min: -128, max: 127 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  i32: fc.oneof(fc.integer(), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1, 0)),
  i64: fc.oneof(near(31), near(32), near(53)),
  u8: fc.integer({ min: 0, max: 255 }),
  u16: fc.integer({ min: 0, max: 65_535 }),
  u32: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(2 ** 31, 2 ** 32 - 1)),
  u64: fc.oneof(near(53), near(63), fc.constant(2n ** 64n - 1n)).map((value) => BigInt.asUintN(64, value)),
  f32: fc.float(),
  f64: fc.oneof(fc.double(), fc.integer(), fc.constantFrom(-0, 1e21, 2 ** 53, 0.1, 1234.5678, Number.NaN)),
  timestamp: fc.oneof(near(53), near(40), fc.bigInt({ min: -(10n ** 15n), max: 2n * 10n ** 15n })),
  utf8: text,
  dict: text,
  binary: fc.uint8Array({ maxLength: 9 }),
  fixed: fc.uint8Array({ minLength: 3, maxLength: 3 }),
};

function tableOf(types: readonly string[]): fc.Arbitrary<{ schema: Schema; rows: Value[][] }> {
  return fc
    .uniqueArray(fc.record({ name: text.filter((name) => name !== ""), type: fc.constantFrom(...types) }), {
      minLength: 1,
      maxLength: 5,
      selector: ({ name }) => name,
    })
    .chain((columns) => {
      const fields = columns.map(
        ({ name, type }) => ({ name, type, nullable: true, ...(type === "fixed" ? { width: 3 } : {}) }) as Field,
      );
      const row = fc.tuple(
        ...fields.map(({ type }) => fc.option(VALUES[type] as fc.Arbitrary<Value>, { nil: null, freq: 6 })),
      );
      return fc.record({ schema: fc.constant(schemaOf(fields)), rows: fc.array(row, { maxLength: 12 }) });
    });
}

function batchOf(schema: Schema, rows: readonly (readonly Value[])[]): Batch {
  const writer = new BatchWriter(schema);
  for (const row of rows) writer.push(row);
  return writer.take();
}

function written(format: TextFormat, batch: Batch): Uint8Array<ArrayBuffer> {
  const writer = new RowWriter(format, batch.schema);
  const out = new TextBytes(16);
  out.raw(writer.header);
  const write = writer.rowsOf(batch, out);
  for (let row = 0; row < batch.rows; row++) expect(write(row)).toBe(true);
  return out.view().slice();
}

/** A cell as text, the plain way. */
function cell(value: Value, type: string, quoted: (text: string) => string, word: (text: string) => string): string {
  if (type === "timestamp") return word(formatTimestamp(value as bigint));
  if (value instanceof Uint8Array) return word(`0x${toHex(value)}`);
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" && !Number.isFinite(value)) return word(String(value));
  return Object.is(value, -0) ? "-0" : String(value);
}

const csvText = (value: string): string =>
  value === "" || /[",\r\n\uFEFF]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;

/** What `readNdjson` is to give, by `JSON.parse` alone. */
function readPlainly(bytes: Uint8Array, schema: Schema): string {
  let lines: string[];
  try {
    lines = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes).split("\n");
  } catch {
    return "not UTF-8";
  }
  const reader = new JsonRowReader(schema, true);
  const writer = new BatchWriter(schema);
  for (const [i, line] of lines.entries()) {
    const fault = isBlank(line) ? undefined : reader.push(writer, line);
    if (fault !== undefined) return `${i + 1}: ${fault.message}`;
  }
  return toHex(writer.take().bytes);
}

function readQuickly(bytes: Uint8Array<ArrayBuffer>, schema: Schema): string {
  const read = readNdjson(bytes, schema, ROOM);
  if (read instanceof Batch) return toHex(read.bytes);
  return read.message.endsWith("not UTF-8") ? "not UTF-8" : `${read.line}: ${read.message}`;
}

describe("rows as text", () => {
  it("are NDJSON as JSON.stringify would write it", () => {
    fc.assert(
      fc.property(tableOf(Object.keys(VALUES)), ({ schema, rows }) => {
        const batch = batchOf(schema, rows);
        const plain = Array.from({ length: batch.rows }, (_, row) => {
          const cells = rowValues(batch, row).map((value, i) => {
            const { name, type } = schema.fields[i] as Field;
            const shown = value === null ? "null" : cell(value, type, JSON.stringify, (word) => `"${word}"`);
            return `${JSON.stringify(name)}:${shown}`;
          });
          return `{${cells.join(",")}}\n`;
        });
        expect(new TextDecoder("utf-8", { ignoreBOM: true }).decode(written("ndjson", batch))).toBe(plain.join(""));
      }),
      { numRuns: 400 },
    );
  });

  it("are CSV with quotes where a cell needs them", () => {
    fc.assert(
      fc.property(tableOf(Object.keys(VALUES)), ({ schema, rows }) => {
        const batch = batchOf(schema, rows);
        const header = `${schema.fields.map(({ name }) => csvText(name)).join(",")}\n`;
        const plain = Array.from({ length: batch.rows }, (_, row) => {
          const cells = rowValues(batch, row).map((value, i) =>
            value === null ? "" : cell(value, (schema.fields[i] as Field).type, csvText, (word) => word),
          );
          return `${cells.join(",")}\n`;
        });
        const bytes = new TextDecoder("utf-8", { ignoreBOM: true }).decode(written("csv", batch));
        expect(bytes).toBe(header + plain.join(""));
      }),
      { numRuns: 400 },
    );
  });

  it("come back from NDJSON as they were", () => {
    fc.assert(
      fc.property(tableOf(Object.keys(VALUES)), ({ schema, rows }) => {
        const batch = batchOf(schema, rows);
        expect(readQuickly(written("ndjson", batch), schema)).toBe(toHex(batch.bytes));
      }),
      { numRuns: 400 },
    );
  });

  it("stop at a row that is longer than it may be", () => {
    const schema = schemaOf([{ name: "text", type: "utf8", nullable: true }]);
    const batch = batchOf(schema, [["short"], ["x".repeat(100)]]);
    const write = new RowWriter("ndjson", schema).rowsOf(batch, new TextBytes(), 100);
    expect([write(0), write(1)]).toEqual([true, false]);
  });
});

describe("reading NDJSON", () => {
  const pieces = [
    "0",
    "-0",
    "-0.0",
    "00",
    "01",
    "1.",
    "1.0",
    "1.50",
    "0.1",
    "12345678901234.5",
    "123456789012345",
    "1234567890123456",
    "9007199254740993",
    "-9223372036854775808",
    "9223372036854775808",
    "1e3",
    "1E-2",
    "-",
    "--1",
    "300",
    "-1",
    "null",
    "nul",
    "true",
    "false",
    "tru",
    '"x"',
    '"ü"',
    '"\\n"',
    '"\\u0041"',
    '"',
    '"a\tb"',
    "[1]",
    "{}",
    " 1",
    "1 ",
    "+1",
    ".5",
    "NaN",
    '"NaN"',
    '"2001-01-01T00:00:00Z"',
    '"2001-01-01T23:59:59.5Z"',
    '"2001-01-01T24:00:00Z"',
    '"2001-02-30T00:00:00Z"',
    '"0x00ff"',
    '"2001-01-01T00:00:00.1234567Z"',
    '"2001-01-01T00:00:00+01:00"',
    '"2001-01-01"',
    '"2001-01-01T00:00Z"',
    '"2001-01-01T00:60:00Z"',
  ];
  const types = ["bool", "i8", "u8", "i32", "i64", "u64", "f64", "f32", "timestamp", "utf8", "dict", "binary"];
  const schema = fc
    .uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 3 })
    .map((chosen) => schemaOf(chosen.map((type) => ({ name: type, type, nullable: true }) as Field)));
  const line = fc.record({
    values: fc.array(fc.constantFrom(...pieces), { minLength: 3, maxLength: 3 }),
    shape: fc.constantFrom(
      "usual",
      "usual",
      "usual",
      "spaced",
      "reversed",
      "short",
      "extra",
      "twice",
      "behind",
      "blank",
      "cut",
    ),
  });

  function lineOf({ fields }: Schema, { values, shape }: { values: string[]; shape: string }): string {
    const members = fields.map(({ name }, i) => `"${name}":${values[i]}`);
    const usual = `{${members.join(",")}}`;
    switch (shape) {
      case "spaced":
        return ` {${members.join(" , ")} }\t`;
      case "reversed":
        return `{${members.toReversed().join(",")}}`;
      case "short":
        return `{${members.slice(1).join(",")}}`;
      case "extra":
        return `{${[...members, '"more":1'].join(",")}}`;
      case "twice":
        return `{${[...members, members[0]].join(",")}}`;
      case "behind":
        return `${usual}${usual}`;
      case "blank":
        return " ";
      case "cut":
        return usual.slice(0, -1);
      default:
        return usual;
    }
  }

  it("gives what JSON.parse line by line gives, for any line", () => {
    fc.assert(
      fc.property(schema, fc.array(line, { minLength: 1, maxLength: 3 }), fc.boolean(), (columns, lines, isEnded) => {
        const bytes = utf8(lines.map((one) => lineOf(columns, one)).join("\n") + (isEnded ? "\n" : ""));
        expect(readQuickly(bytes, columns)).toBe(readPlainly(bytes, columns));
      }),
      { numRuns: 5000 },
    );
  });

  it("gives what JSON.parse line by line gives, for any damage", () => {
    const damage = fc.record({
      at: fc.nat(300),
      byte: fc.oneof(fc.constantFrom(...utf8('{}":,-.0\n\\ n')), fc.nat(255)),
      how: fc.nat(2),
    });
    const usual = tableOf(types.filter((type) => type !== "fixed"));
    fc.assert(
      fc.property(usual, fc.array(damage, { maxLength: 2 }), ({ schema: columns, rows }, damages) => {
        let bytes: Uint8Array<ArrayBuffer> = written("ndjson", batchOf(columns, rows.slice(0, 3)));
        for (const { at, byte, how } of damages) {
          const place = bytes.length === 0 ? 0 : at % bytes.length;
          bytes = new Uint8Array([
            ...bytes.subarray(0, place),
            ...(how < 2 ? [byte] : []),
            ...bytes.subarray(how === 0 ? place : place + 1),
          ]);
        }
        expect(readQuickly(bytes, columns)).toBe(readPlainly(bytes, columns));
      }),
      { numRuns: 5000 },
    );
  });

  it("names the line of bytes that are not UTF-8, and of the row that is too much", () => {
    const wide = schemaOf([{ name: "x", type: "fixed", nullable: true, width: 65_536 }]);
    expect(readNdjson(new Uint8Array([...utf8('{"x":null}\n'), 0xff]), wide, ROOM)).toMatchObject({
      line: 2,
      message: "the line is not UTF-8",
    });
    const many = readNdjson(utf8("{}\n".repeat(40)), wide, 16 * 65_536);
    expect(many).toMatchObject({ line: 17, message: expect.stringContaining("1048576 bytes") as string });
  });
});
