import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, it } from "vitest";
import { batchOfRow, schemaOfOutput } from "../../../../proofs/row/row-values.ts";
import { rowValues } from "../../../../src/batch/rows.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";

const SCHEMA = schemaOf([
  { name: "n", type: "u64", nullable: false },
  { name: "t", type: "utf8", nullable: true },
]);

describe("a row's bytes", () => {
  it("are read back as the values they are", () => {
    const values = [2n ** 64n - 1n, "x"];
    expect(rowValues(batchOfRow(SCHEMA, dagCbor.encode(values)), 0)).toEqual(values);
  });

  it.each([
    ["another number of columns", dagCbor.encode([1])],
    ["another type", dagCbor.encode(["1", "x"])],
    ["no value where there has to be one", dagCbor.encode([null, "x"])],
    ["a negative number without sign", dagCbor.encode([-1, "x"])],
    ["no list", dagCbor.encode({ n: 1 })],
    ["no dag-cbor", Uint8Array.of(0xff)],
    ["a longer form of the same", Uint8Array.of(0x82, 0x18, 0x01, 0xf6)],
  ])("are refused with %s", (_, bytes) => {
    expect(() => batchOfRow(SCHEMA, bytes)).toThrow(expect.objectContaining({ code: "ROW_MALFORMED" }) as Error);
  });

  it("need columns of types that there are", () => {
    const output = { task: "t", port: "main", schema: [{ name: "n", type: "u65", nullable: false }], rows: 1 };
    expect(() => schemaOfOutput({ ...output, root: new Uint8Array(32) })).toThrow(
      expect.objectContaining({ code: "NODE_MALFORMED" }) as Error,
    );
  });
});
