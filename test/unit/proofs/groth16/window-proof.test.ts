import { describe, expect, it } from "vitest";
import { WINDOW_64X64, WINDOW_128X32 } from "../../../../circuits/manifest.ts";
import { SCALAR_ORDER } from "../../../../proofs/groth16/field.ts";
import {
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
    const { circuit, pieces } = chunkWindow(values);
    expect(circuit).toBe(WINDOW_128X32);
    expect(pieces.map((piece) => piece.length)).toEqual([128, 128, 1]);
    expect(pieces.flat().map(Number)).toEqual(values);
  });

  it("takes the wider circuit where one value asks for it", () => {
    for (const value of [HIGHEST + 1, LOWEST - 1, 2n ** 63n - 1n, -(2n ** 63n)]) {
      const { circuit, pieces } = chunkWindow([...new Array<number>(64).fill(1), value].map(BigInt));
      expect(circuit).toBe(WINDOW_64X64);
      expect(pieces.map((piece) => piece.length)).toEqual([64, 1]);
    }
  });

  it("throws PROOF_VALUE_OUT_OF_RANGE and never rounds or cuts", () => {
    expect(chunkWindow([LOWEST, HIGHEST, -0]).pieces).toEqual([[BigInt(LOWEST), BigInt(HIGHEST), 0n]]);
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 63]) {
      expect(() => chunkWindow([value] as number[])).toThrow(
        expect.objectContaining({ code: "PROOF_VALUE_OUT_OF_RANGE" }),
      );
    }
    expect(() => chunkWindow([2n ** 63n])).toThrow(
      expect.objectContaining({ code: "PROOF_VALUE_OUT_OF_RANGE", facts: { row: 0, value: "9223372036854775808" } }),
    );
  });

  it("throws PROOF_WINDOW_EMPTY", () => {
    expect(() => chunkWindow([])).toThrow(expect.objectContaining({ code: "PROOF_WINDOW_EMPTY" }));
  });
});

describe("commitWindowChunk", () => {
  it("is fixed for all time", () => {
    expect(commitWindowChunk(WINDOW_128X32, [1, -2, 3], 42n)).toBe(VECTOR);
  });

  it("binds values, order, count and salt", () => {
    const base = commitWindowChunk(WINDOW_128X32, [1, 2, 3], 7n);
    expect(commitWindowChunk(WINDOW_128X32, [1n, 2n, 3n], 7n)).toBe(base);
    // The lowest value is packed as zero, like padding: the count tells them apart.
    const others = [
      [1, 2],
      [1, 2, 4],
      [2, 1, 3],
      [1, 2, 3, LOWEST],
      [1, 2, 3, 0],
    ];
    for (const values of others) expect(commitWindowChunk(WINDOW_128X32, values, 7n)).not.toBe(base);
    expect(commitWindowChunk(WINDOW_128X32, [1, 2, 3], 8n)).not.toBe(base);
  });

  it("differs for a change at either end of any packed element", () => {
    const rows = Array.from({ length: 128 }, (_, i) => i - 64);
    const ends = rows.keys().filter((i) => i % 7 === 0 || i % 7 === 6 || i === 127);
    const seen = new Set(ends.map((i) => commitWindowChunk(WINDOW_128X32, rows.with(i, 1000), 1n)));
    expect(seen.add(commitWindowChunk(WINDOW_128X32, rows, 1n)).size).toBe(39);
  });

  it("is another in the wider circuit, for all 64 values of 64 bits", () => {
    const rows = Array.from({ length: 64 }, (_, i) => 2n ** 62n - BigInt(i));
    const base = commitWindowChunk(WINDOW_64X64, rows, 1n);
    const seen = new Set(rows.keys().map((i) => commitWindowChunk(WINDOW_64X64, rows.with(i, -(2n ** 63n)), 1n)));
    expect(seen.add(base).size).toBe(65);
    expect(commitWindowChunk(WINDOW_64X64, [1n], 1n)).not.toBe(commitWindowChunk(WINDOW_128X32, [1n], 1n));
    expect(() => commitWindowChunk(WINDOW_128X32, [2n ** 31n], 1n)).toThrow(
      expect.objectContaining({ code: "PROOF_VALUE_OUT_OF_RANGE" }),
    );
  });

  it("throws PROOF_CHUNK_TOO_LARGE for more rows than the circuit has", () => {
    expect(() => commitWindowChunk(WINDOW_128X32, new Array<number>(129).fill(1), 1n)).toThrow(
      expect.objectContaining({ code: "PROOF_CHUNK_TOO_LARGE" }),
    );
  });
});

describe("a claim", () => {
  it("comes back from public inputs, with its signs", () => {
    const { claim } = windowChunk(WINDOW_128X32, [-5, 3, -9], 1n, 2n);
    expect(claim).toMatchObject({ context: 2n, count: 3, sum: -11n, min: -9n, max: 3n });
    const inputs = publicInputsOf(claim);
    expect(inputs.slice(2)).toEqual([3n, SCALAR_ORDER - 11n, SCALAR_ORDER - 9n, 3n]);
    expect(claimOf(WINDOW_128X32, inputs)).toEqual(claim);
  });

  it("is refused when no window could have it", () => {
    const good = [1n, 2n, 3n, SCALAR_ORDER - 11n, SCALAR_ORDER - 9n, 3n];
    expect(claimOf(WINDOW_128X32, good)).toBeDefined();
    const wrongs = [
      good.slice(1),
      [...good, 0n],
      good.with(0, SCALAR_ORDER),
      good.with(2, 0n),
      good.with(2, 129n),
      good.with(2, -1n),
    ];
    const ranges = [good.with(5, 2n ** 31n), good.with(4, 4n), good.with(3, 100n), good.with(3, SCALAR_ORDER - 28n)];
    for (const wrong of [...wrongs, ...ranges]) expect(claimOf(WINDOW_128X32, wrong)).toBeUndefined();
  });
});

describe("combineChunks", () => {
  it("adds counts and sums and takes the extremes", () => {
    const values = Array.from({ length: 300 }, (_, i) => ((i * 7919) % 1000) - 500);
    const chunks = chunkWindow(values).pieces.map((chunk) => windowChunk(WINDOW_128X32, chunk, 1n, 1n).claim);
    expect(combineChunks(chunks)).toEqual({
      count: 300,
      sum: BigInt(values.reduce((sum, value) => sum + value, 0)),
      min: BigInt(Math.min(...values)),
      max: BigInt(Math.max(...values)),
    });
  });

  it("keeps sums exact beyond 2^53", () => {
    const chunk = { count: 128, sum: 128n * BigInt(HIGHEST), min: BigInt(HIGHEST), max: BigInt(HIGHEST) };
    expect(combineChunks(new Array(100_000).fill(chunk)).sum).toBe(12_800_000n * BigInt(HIGHEST));
  });
});

const VECTOR = 13997317605642801688038173823994089807020372713194658402049032522921419774869n;
