import * as dagCbor from "@ipld/dag-cbor";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBatch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { RowEncoder, rowValues } from "../../../src/batch/rows.ts";
import type { Field } from "../../../src/batch/schema.ts";
import { COLUMN_TYPES, sameSchema, schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";

const text = fc.string({ unit: "grapheme", maxLength: 12 });
const VALUES: Record<string, fc.Arbitrary<Value>> = {
  bool: fc.boolean(),
  i8: fc.integer({ min: -128, max: 127 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  i64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  u8: fc.integer({ min: 0, max: 255 }),
  u16: fc.integer({ min: 0, max: 65_535 }),
  u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  u64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  f64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  timestamp: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }),
  utf8: text,
  dict: fc.constantFrom("LAX", "JFK", "", "Zürich", "東京"),
  binary: fc.uint8Array({ maxLength: 9 }),
  fixed: fc.uint8Array({ minLength: 4, maxLength: 4 }),
};

const table = fc
  .array(fc.record({ type: fc.constantFrom(...COLUMN_TYPES), nullable: fc.boolean() }), { minLength: 1, maxLength: 6 })
  .chain((columns) => {
    const fields = columns.map(
      ({ type, nullable }, i): Field =>
        type === "fixed" ? { name: `c${i}`, type, nullable, width: 4 } : { name: `c${i}`, type, nullable },
    );
    const row = fc.tuple(
      ...fields.map((field) => {
        const value = VALUES[field.type] as fc.Arbitrary<Value>;
        return field.nullable ? fc.option(value, { nil: null }) : value;
      }),
    );
    return fc.record({ fields: fc.constant(fields), rows: fc.array(row, { maxLength: 40 }) });
  });

const longText = fc.string({ unit: "binary", maxLength: 60, size: "max" }).map((short) => short.repeat(40));

describe("a column's writer", () => {
  it("takes whole numbers for 64 bits as it takes bigints", () => {
    const whole = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, -1, 2 ** 32, -(2 ** 32), 2 ** 31, -(2 ** 31) - 1));
    fc.assert(
      fc.property(
        fc.constantFrom("i64" as const, "u64" as const, "timestamp" as const),
        fc.array(whole),
        (type, all) => {
          const given = type === "u64" ? all.map(Math.abs) : all;
          const schema = schemaOf([{ name: "c", type, nullable: false }]);
          const [numbers, bigints] = [new BatchWriter(schema), new BatchWriter(schema)];
          for (const value of given) numbers.push([value]);
          for (const value of given) bigints.push([BigInt(value)]);
          expect(numbers.take().bytes).toEqual(bigints.take().bytes);
        },
      ),
    );
    for (const [type, value] of [
      ["i64", 2 ** 53],
      ["i64", 0.5],
      ["u64", -1],
      ["u64", -1n],
      ["u64", true],
      ["timestamp", "1"],
    ] as const) {
      const writer = new BatchWriter(schemaOf([{ name: "c", type, nullable: false }]));
      expect(() => writer.push([value])).toThrow(expect.objectContaining({ code: "VALUE_MISFIT" }));
    }
  });

  it("writes texts as the platform's encoder does, long and short ones", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("utf8" as const, "dict" as const),
        fc.array(fc.oneof(text, longText)),
        (type, texts) => {
          const writer = new BatchWriter(schemaOf([{ name: "c", type, nullable: false }]));
          for (const each of texts) writer.push([each]);
          const decoded = decodeBatch(writer.take().bytes.slice());
          const expected = texts.map((each) =>
            new TextDecoder("utf-8", { ignoreBOM: true }).decode(new TextEncoder().encode(each)),
          );
          expect(expected.map((_, i) => rowValues(decoded, i)[0])).toEqual(expected);
        },
      ),
    );
  });

  it("repeats a value as if it were pushed as often", () => {
    fc.assert(
      fc.property(table, fc.array(fc.nat(9)), ({ fields, rows }, times) => {
        const schema = schemaOf(fields);
        const [repeated, pushed] = [new BatchWriter(schema), new BatchWriter(schema)];
        rows.forEach((row, i) => {
          const count = times[i] ?? 1;
          row.forEach((value, c) => repeated.at(c).repeat(value, count));
          repeated.endRows(count);
          for (let n = 0; n < count; n++) pushed.push(row);
        });
        expect(repeated.take().bytes).toEqual(pushed.take().bytes);
      }),
    );
  });
});

describe("batch codec", () => {
  it("gives back the rows it was given, also after a trip through its bytes", () => {
    fc.assert(
      fc.property(table, ({ fields, rows }) => {
        const writer = new BatchWriter(schemaOf(fields));
        for (const row of rows) writer.push(row);
        const batch = writer.take();
        const decoded = decodeBatch(batch.bytes.slice());
        expect(sameSchema(decoded.schema, batch.schema)).toBe(true);
        expect(decoded.rows).toBe(rows.length);
        rows.forEach((row, i) => expect(rowValues(decoded, i)).toEqual(row));
      }),
    );
  });

  it("has one form: appending parts of other batches gives the bytes of writing the rows", () => {
    fc.assert(
      fc.property(table, fc.nat(40), ({ fields, rows }, cut) => {
        const schema = schemaOf(fields);
        const parts = [rows.slice(0, cut), rows.slice(cut)].map((part) => {
          const writer = new BatchWriter(schema);
          for (const row of part) writer.push(row);
          return writer.take();
        });
        const joined = new BatchWriter(schema);
        for (const part of parts) joined.append(part);
        const whole = new BatchWriter(schema);
        for (const row of rows) whole.push(row);
        expect(joined.take().bytes).toEqual(whole.take().bytes);
      }),
    );
  });

  it("refuses or survives every single-byte change: never reads outside, never throws another error", () => {
    fc.assert(
      fc.property(table, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ fields, rows }, at, change) => {
        const writer = new BatchWriter(schemaOf(fields));
        for (const row of rows) writer.push(row);
        const bytes = writer.take().bytes.slice();
        bytes[at % bytes.length] = (bytes[at % bytes.length] as number) ^ change;
        try {
          const batch = decodeBatch(bytes);
          for (let i = 0; i < Math.min(batch.rows, 100); i++) rowValues(batch, i);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^(BATCH_MALFORMED|SCHEMA_INVALID)$/);
        }
      }),
    );
  });

  it("encodes rows as dag-cbor does, floats always as 64-bit floats", () => {
    fc.assert(
      fc.property(table, ({ fields, rows }) => {
        const writer = new BatchWriter(schemaOf(fields));
        for (const row of rows) writer.push(row);
        const batch = writer.take();
        const encoder = new RowEncoder();
        rows.forEach((row, i) => {
          const bytes = encoder.encode(batch, i);
          const decoded = dagCbor.decode<Value[]>(bytes);
          const expected = row.map((value) =>
            typeof value === "bigint" && value >= -(2n ** 53n) + 1n && value < 2n ** 53n ? Number(value) : value,
          );
          expect(decoded.map((value) => (value === 0 ? 0 : value))).toEqual(
            expected.map((value) => (value === 0 ? 0 : value)),
          );
          const hasFloat = fields.some((field) => field.type === "f32" || field.type === "f64");
          if (!hasFloat) expect(dagCbor.encode(row)).toEqual(bytes);
        });
      }),
    );
  });
});
