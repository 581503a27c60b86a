import { CID } from "multiformats/cid";
import { describe, expect, it } from "vitest";
import { bisect } from "../../../../src/audit/diff/bisect.ts";
import type { TableView } from "../../../../src/audit/diff/table-view.ts";
import { rawBlock } from "../../../../src/dag/block.ts";
import { sha256 } from "../../../../src/node.ts";

/** A table of parts of `rows` rows each, which is another from row `other` on. */
function table(parts: number, rows: number, other: number, reads: { count: number }): TableView {
  const cid = CID.parse(rawBlock(sha256, new Uint8Array(1)).cid.toString());
  return {
    batchRows: 4096,
    leaf: "row",
    root: undefined,
    parts: Array.from({ length: parts }, (_, i) => ({ name: `t/${i}`, from: i * rows, rows, batches: [cid] })),
    prefix: (part) => {
      reads.count++;
      const end = (part + 1) * rows;
      return { rows: end, leaves: end, root: Uint8Array.of(end > other ? 1 : 0) };
    },
  };
}

describe("halving", () => {
  it.each([1, 2, 3, 100, 4096, 20_000])("finds the part of %i in twice log2 of them looks", (parts) => {
    for (const other of [0, 1, 7 * (parts >> 1) + 3, 7 * parts - 1, 7 * parts]) {
      const reads = { count: 0 };
      const [a, b] = [table(parts, 7, Number.POSITIVE_INFINITY, reads), table(parts, 7, other, reads)];
      let told = 0;
      const at = Math.floor(other / 7);
      expect(bisect(a, b, () => told++)).toEqual({ a: at, b: at });
      expect(reads.count).toBe(told);
      expect(told).toBeLessThanOrEqual(2 * (Math.ceil(Math.log2(parts)) + 1));
    }
  });

  it("compares where tables that were cut otherwise have as many rows", () => {
    const reads = { count: 0 };
    // 12 rows are common ends; row 30 is in the part from 24 on of one, from 28 of the other.
    expect(bisect(table(20, 3, 99, reads), table(15, 4, 30, reads), () => {})).toEqual({ a: 8, b: 6 });
  });

  it("begins at the beginning where nothing commits to the rows", () => {
    const reads = { count: 0 };
    const input: TableView = { ...table(9, 5, 40, reads), leaf: undefined };
    expect(bisect(input, input, () => {})).toEqual({ a: 0, b: 0 });
    expect(reads.count).toBe(0);
  });
});
