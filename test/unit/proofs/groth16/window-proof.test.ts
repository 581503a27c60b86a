import { describe, expect, it } from "vitest";
import { SCALAR_ORDER } from "../../../../proofs/groth16/field.ts";
import {
  chunkCount,
  chunkWindow,
  claimOf,
  combineChunks,
  commitWindowChunk,
  publicInputsOf,
  windowChunk,
} from "../../../../proofs/groth16/window-proof.ts";

const LOWEST = -(2 ** 31);
const HIGHEST = 2 ** 31 - 1;

describe("chunkWindow", () => {
  it("cuts in row order, all full but the last", () => {
    const values = Array.from({ length: 257 }, (_, i) => i);
    expect(chunkWindow(values).map((chunk) => chunk.length)).toEqual([128, 128, 1]);
    expect(chunkWindow(values).flat().map(Number)).toEqual(values);
    expect([1, 128, 129].map((rows) => chunkCount(rows))).toEqual([1, 1, 2]);
  });

  it("throws PROOF_VALUE_OUT_OF_RANGE and never rounds or cuts", () => {
    expect(chunkWindow([LOWEST, HIGHEST, -0])).toEqual([[BigInt(LOWEST), BigInt(HIGHEST), 0n]]);
    for (const value of [HIGHEST + 1, LOWEST - 1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      expect(() => chunkWindow([1, value])).toThrow(expect.objectContaining({ code: "PROOF_VALUE_OUT_OF_RANGE" }));
    }
    expect(() => chunkWindow([2n ** 31n])).toThrow(
      expect.objectContaining({ code: "PROOF_VALUE_OUT_OF_RANGE", facts: { row: 0, value: "2147483648" } }),
    );
  });

  it("throws PROOF_WINDOW_EMPTY", () => {
    expect(() => chunkWindow([])).toThrow(expect.objectContaining({ code: "PROOF_WINDOW_EMPTY" }));
  });
});

describe("commitWindowChunk", () => {
  it("is fixed for all time", () => {
    expect(commitWindowChunk([1, -2, 3], 42n)).toBe(VECTOR);
  });

  it("binds values, order, count and salt", () => {
    const base = commitWindowChunk([1, 2, 3], 7n);
    expect(commitWindowChunk([1n, 2n, 3n], 7n)).toBe(base);
    // The lowest value is packed as zero, like padding: the count tells them apart.
    const others = [
      [1, 2],
      [1, 2, 4],
      [2, 1, 3],
      [1, 2, 3, LOWEST],
      [1, 2, 3, 0],
    ];
    for (const values of others) expect(commitWindowChunk(values, 7n)).not.toBe(base);
    expect(commitWindowChunk([1, 2, 3], 8n)).not.toBe(base);
  });

  it("differs for a change at either end of any packed element", () => {
    const rows = Array.from({ length: 128 }, (_, i) => i - 64);
    const ends = rows.keys().filter((i) => i % 7 === 0 || i % 7 === 6 || i === 127);
    const seen = new Set(ends.map((i) => commitWindowChunk(rows.with(i, 1000), 1n)));
    expect(seen.add(commitWindowChunk(rows, 1n)).size).toBe(39);
  });

  it("throws PROOF_CHUNK_TOO_LARGE for more rows than the circuit has", () => {
    expect(() => commitWindowChunk(new Array<number>(129).fill(1), 1n)).toThrow(
      expect.objectContaining({ code: "PROOF_CHUNK_TOO_LARGE" }),
    );
  });
});

describe("a claim", () => {
  it("comes back from public inputs, with its signs", () => {
    const { claim } = windowChunk([-5, 3, -9], 1n, 2n);
    expect(claim).toMatchObject({ context: 2n, count: 3, sum: -11n, min: -9, max: 3 });
    const inputs = publicInputsOf(claim);
    expect(inputs.slice(2)).toEqual([3n, SCALAR_ORDER - 11n, SCALAR_ORDER - 9n, 3n]);
    expect(claimOf(inputs)).toEqual(claim);
  });

  it("is refused when no window could have it", () => {
    const good = [1n, 2n, 3n, SCALAR_ORDER - 11n, SCALAR_ORDER - 9n, 3n];
    expect(claimOf(good)).toBeDefined();
    const wrongs = [
      good.slice(1),
      [...good, 0n],
      good.with(0, SCALAR_ORDER),
      good.with(2, 0n),
      good.with(2, 129n),
      good.with(2, -1n),
    ];
    const ranges = [good.with(5, 2n ** 31n), good.with(4, 4n), good.with(3, 100n), good.with(3, SCALAR_ORDER - 28n)];
    for (const wrong of [...wrongs, ...ranges]) expect(claimOf(wrong)).toBeUndefined();
  });
});

describe("combineChunks", () => {
  it("adds counts and sums and takes the extremes", () => {
    const values = Array.from({ length: 300 }, (_, i) => ((i * 7919) % 1000) - 500);
    const chunks = chunkWindow(values).map((chunk) => windowChunk(chunk, 1n, 1n).claim);
    expect(combineChunks(chunks)).toEqual({
      count: 300,
      sum: BigInt(values.reduce((sum, value) => sum + value, 0)),
      min: Math.min(...values),
      max: Math.max(...values),
    });
  });

  it("keeps sums exact beyond 2^53", () => {
    const chunk = { count: 128, sum: 128n * BigInt(HIGHEST), min: HIGHEST, max: HIGHEST };
    expect(combineChunks(new Array(100_000).fill(chunk)).sum).toBe(12_800_000n * BigInt(HIGHEST));
  });
});

const VECTOR = 13997317605642801688038173823994089807020372713194658402049032522921419774869n;
