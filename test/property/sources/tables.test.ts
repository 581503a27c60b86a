import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import type { Field } from "../../../src/batch/schema.ts";
import { COLUMN_TYPES, schemaOf } from "../../../src/batch/schema.ts";
import { formatTimestamp, parseTimestamp } from "../../../src/batch/text/timestamp.ts";
import { toHex } from "../../../src/core/bytes.ts";
import { openSource } from "../../../src/sources/port.ts";
import { collect, declared, folder, rowsOf, write } from "../../contract/sources/table.ts";

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }).filter((value) => value.isWellFormed()),
  fc.constantFrom("", ",", '"', "\r\n", "a\nb", " ", "\uFEFF", "NaN", "1", "true"),
);

function valueOf(field: Field): fc.Arbitrary<Value> {
  const value = ((): fc.Arbitrary<Value> => {
    switch (field.type) {
      case "bool":
        return fc.boolean();
      case "i8":
        return fc.integer({ min: -128, max: 127 });
      case "i16":
        return fc.integer({ min: -32_768, max: 32_767 });
      case "i32":
        return fc.integer();
      case "u8":
        return fc.integer({ min: 0, max: 255 });
      case "u16":
        return fc.integer({ min: 0, max: 65_535 });
      case "u32":
        return fc.integer({ min: 0, max: 4_294_967_295 });
      case "i64":
      case "timestamp":
        return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
      case "u64":
        return fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
      case "f32":
        return fc.float();
      case "f64":
        return fc.double();
      case "utf8":
      case "dict":
        return text;
      case "binary":
        return fc.uint8Array({ maxLength: 9 });
      case "fixed":
        return fc.uint8Array({ minLength: field.width ?? 1, maxLength: field.width ?? 1 });
    }
  })();
  return field.nullable ? fc.option(value, { nil: null }) : value;
}

// A byte order mark at the start of a column's name does not survive the Parquet footer's reader.
const field = fc.record({
  type: fc.constantFrom(...COLUMN_TYPES),
  nullable: fc.boolean(),
  name: text.filter(
    (name) =>
      name !== "" &&
      Buffer.byteLength(name) < 256 &&
      !/^\d+$/.test(name) &&
      name !== "__proto__" &&
      !name.startsWith("\uFEFF"),
  ),
});

const table = fc.uniqueArray(field, { minLength: 1, maxLength: 5, selector: ({ name }) => name }).chain((fields) => {
  const schema = schemaOf(fields.map((one): Field => (one.type === "fixed" ? { ...one, width: 3 } : one)));
  return fc.record({
    schema: fc.constant(schema),
    rows: fc.array(fc.tuple(...schema.fields.map(valueOf)), { maxLength: 40 }),
  });
});

describe("any table", () => {
  for (const format of ["parquet", "ndjson", "csv"]) {
    it(`comes back from a ${format} file as it went in, whatever the batches`, async () => {
      await using dir = await folder();
      let files = 0;
      await fc.assert(
        fc.asyncProperty(
          table,
          fc.integer({ min: 1, max: 50 }),
          fc.integer({ min: 1, max: 50 }),
          async ({ schema, rows }, cut, batchRows) => {
            const file = await write(join(dir.path, `${files++}.${format}`), schema, rows, cut);
            await using source = await openSource({ file, columns: declared(schema) }, { worker: false });
            const batches = await collect(source, { batchRows });
            expect(rowsOf(batches)).toEqual(rows);
            const boundary = Math.floor(rows.length / batchRows / 2);
            const rest = await collect(source, { batchRows, fromRow: boundary * batchRows });
            expect(rest.map(({ bytes }) => toHex(bytes))).toEqual(
              batches.slice(boundary).map(({ bytes }) => toHex(bytes)),
            );
          },
        ),
        { numRuns: 60, verbose: 0 },
      );
    });
  }
});

describe("timestamps", () => {
  it("survive text exactly over the whole 64-bit range", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (micros) => {
        expect(BigInt(parseTimestamp(formatTimestamp(micros)) ?? "0.5")).toBe(micros);
      }),
      { numRuns: 2000 },
    );
  });

  it("agree with the platform's calendar to the millisecond", () => {
    fc.assert(
      fc.property(fc.date({ noInvalidDate: true }), (date) => {
        expect(BigInt(parseTimestamp(date.toISOString()) ?? "0.5")).toBe(BigInt(date.getTime()) * 1000n);
        expect(new Date(formatTimestamp(BigInt(date.getTime()) * 1000n)).getTime()).toBe(date.getTime());
      }),
      { numRuns: 2000 },
    );
  });
});
