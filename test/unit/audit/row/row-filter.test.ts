import { describe, expect, it } from "vitest";
import { parseRowFilter, rowMatcher } from "../../../../src/audit/row/row-filter.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { BatchWriter } from "../../../../src/batch/writer.ts";

describe("what a row has to hold", () => {
  it("is read as people type it", () => {
    expect(parseRowFilter("tx=0xAB, logIndex=3")).toEqual([
      { column: "tx", text: "0xAB" },
      { column: "logIndex", text: "3" },
    ]);
    expect(parseRowFilter('name="a, ""b""",none=,empty=""')).toEqual([
      { column: "name", text: 'a, "b"' },
      { column: "none", text: null },
      { column: "empty", text: "" },
    ]);
    for (const text of ["", "a", "=1", "a=1,b", 'a="x', 'a="x"y'])
      expect(() => parseRowFilter(text), text).toThrow(expect.objectContaining({ code: "USAGE" }) as Error);
  });

  it("is compared by value, of every type", () => {
    const schema = schemaOf([
      { name: "big", type: "u64", nullable: true },
      { name: "small", type: "i16", nullable: true },
      { name: "hash", type: "fixed", nullable: true, width: 2 },
      { name: "at", type: "timestamp", nullable: true },
      { name: "text", type: "utf8", nullable: true },
      { name: "ok", type: "bool", nullable: true },
      { name: "share", type: "f64", nullable: true },
    ]);
    const writer = new BatchWriter(schema);
    writer.push([2n ** 64n - 1n, -7, Uint8Array.of(0xab, 1), 978_307_200_000_000n, "x", true, 0.5]);
    writer.push([null, null, null, null, null, null, null]);
    const batch = writer.take();
    const holds = (text: string, row = 0): boolean => rowMatcher(schema, parseRowFilter(text))(batch, row);
    const right = "big=18446744073709551615,small=-7,hash=0xAB01,at=2001-01-01T00:00:00Z,text=x,ok=true,share=0.5";
    expect(holds(right)).toBe(true);
    expect(holds(right, 1)).toBe(false);
    for (const part of right.split(",")) expect(holds(`${part.split("=")[0] ?? ""}=`, 1), part).toBe(true);
    for (const other of ["big=1", "small=7", "hash=0xab02", "at=2001-01-02T00:00:00Z", "text=", "ok=false", "share=1"])
      expect(holds(other), other).toBe(false);
  });
});
