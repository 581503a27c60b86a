import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBatch, fieldOf } from "../../../src/batch/batch.ts";
import { DESCRIPTOR, DESCRIPTOR_BYTES, HEADER, HEADER_BYTES } from "../../../src/batch/format.ts";
import { COLUMNS_MAX, NAME_BYTES_MAX } from "../../../src/batch/limits.ts";
import { RowEncoder, rowValues } from "../../../src/batch/rows.ts";
import {
  COLUMN_TYPES,
  type Field,
  findField,
  sameSchema,
  schemaOf,
  schemaToIpld,
  typeCode,
  typeWidth,
} from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";

const error = (code: string): unknown => expect.objectContaining({ code });
const field = (name: string, type: Field["type"] = "i64", nullable = true): Field => ({ name, type, nullable });

describe("a schema", () => {
  it.each([
    ["no column", []],
    ["too many columns", Array.from({ length: COLUMNS_MAX + 1 }, (_, i) => field(`c${i}`))],
    ["a column without a name", [field("")]],
    ["a name that is too long", [field("ü".repeat(NAME_BYTES_MAX / 2 + 1))]],
    ["a name twice", [field("a"), field("a")]],
    ["a fixed column without a width", [field("a", "fixed")]],
    ["a fixed column of no bytes", [{ ...field("a", "fixed"), width: 0 }]],
    ["a fixed column of half a byte", [{ ...field("a", "fixed"), width: 1.5 }]],
    ["a fixed column that is too wide", [{ ...field("a", "fixed"), width: 65_537 }]],
  ])("has not %s", (_, fields) => {
    expect(() => schemaOf(fields)).toThrow(error("SCHEMA_INVALID"));
  });

  it("finds its columns, and names those it has when asked for another", () => {
    const schema = schemaOf([field("a"), field("b", "utf8")]);
    expect(findField(schema, "b")?.type).toBe("utf8");
    expect(findField(schema, "c")).toBeUndefined();
    expect(() => fieldOf(schema, "c")).toThrow(
      expect.objectContaining({ code: "COLUMN_MISSING", hint: "columns here: a, b" }),
    );
    expect(() => new BatchWriter(schema).take().column("c")).toThrow(error("COLUMN_MISSING"));
  });

  it("is the same only in every name, type, nullability, width and place", () => {
    const fixed: Field = { ...field("f", "fixed"), width: 4 };
    const schema = schemaOf([field("a"), fixed]);
    expect(sameSchema(schema, schemaOf([field("a"), { ...fixed }]))).toBe(true);
    for (const other of [
      [field("a")],
      [fixed, field("a")],
      [field("b"), fixed],
      [field("a", "u64"), fixed],
      [field("a", "i64", false), fixed],
      [field("a"), { ...fixed, width: 5 }],
    ]) {
      expect(sameSchema(schema, schemaOf(other))).toBe(false);
    }
    expect(schemaToIpld(schema)).toEqual([
      { name: "a", type: "i64", nullable: true },
      { name: "f", type: "fixed", nullable: true, width: 4 },
    ]);
  });

  it("numbers its types from one and knows their widths", () => {
    expect(COLUMN_TYPES.map(typeCode)).toEqual(COLUMN_TYPES.map((_, i) => i + 1));
    expect(COLUMN_TYPES.map((type) => typeWidth({ ...field("a", type), width: 3 }))).toEqual([
      0, 1, 2, 4, 8, 1, 2, 4, 8, 4, 8, 8, 0, 4, 0, 3,
    ]);
  });
});

describe("a batch writer", () => {
  it.each([
    ["a text in a number", field("a"), "1"],
    ["a fraction in a 64-bit column", field("a"), 1.5],
    ["an integer of 65 bits", field("a"), 2n ** 64n],
    ["a value out of range", field("a", "u8"), 256],
    ["a fraction", field("a", "i32"), 0.5],
    ["a null where none may be", field("a", "i64", false), null],
    ["bytes of another width", { ...field("a", "fixed"), width: 2 }, new Uint8Array(3)],
    ["a number in a text", field("a", "utf8"), 1],
    ["a number in a bool", field("a", "bool"), 1],
  ])("refuses %s", (_, of, value) => {
    expect(() => new BatchWriter(schemaOf([of])).push([value])).toThrow(error("VALUE_MISFIT"));
  });

  it("has no row form for NaN and infinities", () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const writer = new BatchWriter(schemaOf([field("a", "f64")]));
      writer.push([value]);
      expect(() => new RowEncoder().encode(writer.take(), 0)).toThrow(error("ROW_NOT_ENCODABLE"));
    }
  });
});

describe("a batch block", () => {
  const schema = schemaOf([
    field("n"),
    field("t", "utf8"),
    field("d", "dict"),
    field("b", "bool"),
    { ...field("f", "fixed"), width: 2 },
  ]);
  const rows = [
    [1n, "ü", "x", true, Uint8Array.of(1, 2)],
    [null, null, null, null, null],
    [-3n, "", "y", false, Uint8Array.of(3, 4)],
  ];
  const block = (): Uint8Array<ArrayBuffer> => {
    const writer = new BatchWriter(schema);
    for (const row of rows) writer.push(row);
    return writer.take().bytes.slice();
  };
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = block();
    new DataView(bytes.buffer).setUint32(at, value, true);
    return bytes;
  };
  const descriptor = (column: number, at: number): number => HEADER_BYTES + column * DESCRIPTOR_BYTES + at;

  it("reads back, wherever in a buffer it lies", () => {
    const shifted = new Uint8Array(block().length + 1);
    shifted.set(block(), 1);
    for (const bytes of [block(), shifted.subarray(1)]) {
      const batch = decodeBatch(bytes);
      expect(sameSchema(batch.schema, schema)).toBe(true);
      expect(rows.map((_, i) => rowValues(batch, i))).toEqual(rows);
    }
  });

  it.each([
    ["nothing", new Uint8Array()],
    ["another header", changed(HEADER.magic, 1)],
    ["another version", changed(HEADER.version, 2)],
    ["another length", changed(HEADER.length, 64)],
    ["more rows than there are", changed(HEADER.rows, 4)],
    ["no columns", changed(HEADER.columns, 0)],
    ["more columns than there can be", changed(HEADER.columns, 1 << 20)],
    ["an unknown type", changed(descriptor(0, DESCRIPTOR.type), 99)],
    ["unknown flags", changed(descriptor(0, DESCRIPTOR.flags), 2)],
    ["a width where none belongs", changed(descriptor(0, DESCRIPTOR.width), 8)],
    ["another count of nulls", changed(descriptor(0, DESCRIPTOR.nulls), 2)],
    ["nulls where none may be", changed(descriptor(0, DESCRIPTOR.flags), 0)],
    ["data beyond the end", changed(descriptor(0, DESCRIPTOR.dataOffset), 1 << 30)],
    ["data in the header", changed(descriptor(0, DESCRIPTOR.dataOffset), 1)],
    ["data out of line", changed(descriptor(0, DESCRIPTOR.dataOffset), HEADER_BYTES + 8)],
    ["data of another length", changed(descriptor(0, DESCRIPTOR.dataLength), 16)],
    ["offsets of another length", changed(descriptor(1, DESCRIPTOR.offsetsLength), 8)],
    ["a dictionary where none belongs", changed(descriptor(0, DESCRIPTOR.entries), 1)],
    ["more dictionary entries than there are", changed(descriptor(2, DESCRIPTOR.entries), 5)],
    [
      "a name twice",
      changed(
        descriptor(1, DESCRIPTOR.nameOffset),
        new DataView(block().buffer).getUint32(descriptor(0, DESCRIPTOR.nameOffset), true),
      ),
    ],
  ] as [string, Uint8Array][])("is not one with %s", (_, bytes) => {
    expect(() => decodeBatch(bytes)).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(BATCH_MALFORMED|SCHEMA_INVALID)$/) as string }),
    );
  });

  it("with any bit turned over is refused, or still safe to read", () => {
    const bytes = block();
    fc.assert(
      fc.property(fc.nat(bytes.length * 8 - 1), (bit) => {
        const bent = block();
        bent[bit >> 3] = (bent[bit >> 3] as number) ^ (1 << (bit & 7));
        try {
          const batch = decodeBatch(bent);
          for (let row = 0; row < batch.rows; row++) rowValues(batch, row);
        } catch (thrown) {
          expect((thrown as { code: string }).code).toMatch(/^(BATCH_MALFORMED|SCHEMA_INVALID)$/);
        }
      }),
      { numRuns: 1500 },
    );
  });
});
