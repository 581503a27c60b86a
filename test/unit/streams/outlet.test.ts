import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import type { Row, SourceItem } from "../../../src/streams/index.ts";
import { columns, flatMap, mapBatch, topN } from "../../../src/streams/index.ts";
import { batchesOf } from "../../property/streams/reference.ts";
import {
  best,
  bytesOf,
  everyKey,
  fast,
  INPUT,
  nothing,
  numbers,
  PIPES,
  type Pipe,
  schema,
  slow,
  spread,
} from "../../support/slow-sinks.ts";

async function keepsToCredits(pipe: Pipe, input: readonly SourceItem[]): Promise<string[]> {
  const expected = bytesOf(await fast(pipe, input));
  let given: readonly number[] | undefined;
  for (const credits of [1, 3, 16]) {
    const seen = nothing();
    await slow(pipe, seen, { credits, input });
    expect(bytesOf(seen.batches)).toEqual(expected);
    expect(seen.waiting).toBeLessThanOrEqual(credits);
    expect(seen.pool?.peak).toBeLessThanOrEqual(credits + 1);
    expect(seen.pool?.inFlight).toBe(0);
    // The source waits until all that its last batch comes to has come out.
    expect(seen.given).toEqual((given ??= seen.given));
  }
  return expected;
}

describe("operators that make many batches of one: at most credits + 1 are anywhere, and all come out as they do", () => {
  it.each(Object.entries(PIPES))("%s", async (_, pipe) => {
    expect((await keepsToCredits(pipe, INPUT)).length).toBeGreaterThan(75);
  });

  it("flatMap, which cuts what it makes by rows and by bytes", async () => {
    const input = batchesOf(
      schema,
      [1n, 2n, 3n, 4n].map((n) => [n, n, n]),
      1,
      3,
    );
    expect((await fast(spread, input)).map(({ rows }) => rows)).toEqual([
      ...[4096, 4096, 10_000 - 2 * 4096],
      ...[...Array.from({ length: 7 }, () => 4096), 30_000 - 7 * 4096],
    ]);
    await keepsToCredits(spread, input);
    const wide = columns({ text: "utf8" });
    const texts: Pipe = (stream) =>
      stream.pipe(flatMap(() => Array.from({ length: 200 }, () => ({ text: "x".repeat(20_000) })), wide)) as never;
    expect((await fast(texts, input.slice(0, 1))).map(({ rows }) => rows)).toEqual([64, 64, 64, 8]);
  });

  it("topN", async () => {
    const rows = Array.from({ length: 20_000 }, (_, n): Value[] => [BigInt(n)]);
    expect(await keepsToCredits(best, batchesOf(numbers, rows, 9000))).toHaveLength(5);
    const groups: Pipe = (input) => input.pipe(topN(9000, { by: "n", order: "asc", per: ["n"] })) as never;
    expect(await keepsToCredits(groups, batchesOf(numbers, rows, 9000))).toHaveLength(8);
  });

  it("mapBatch", async () => {
    const several: Pipe = (input) =>
      input.pipe(
        mapBatch(
          function* (batch) {
            for (let copy = 0; copy < 30; copy++) yield batch;
          },
          { concurrency: 2 },
        ),
      );
    for (const credits of [1, 3, 16]) {
      const seen = nothing();
      await slow(several, seen, { credits, input: everyKey(1, 2, 3, 4, 5) });
      expect(seen.batches).toHaveLength(150);
      expect(seen.waiting).toBeLessThanOrEqual(credits);
      expect(seen.pool?.peak).toBeLessThanOrEqual(credits + 1);
      expect(seen.pool?.inFlight).toBe(0);
    }
  });

  it("one behind the other, where there is a credit for each", async () => {
    const times = (length: number) =>
      flatMap((row: Row) => Array.from({ length }, () => ({ n: row["n"] as bigint })), numbers);
    const chain: Pipe = (input) => (PIPES["tumble"] as Pipe)(input).pipe(times(1500), times(3)) as never;
    const input = batchesOf(
      schema,
      [0, 1, 2, 3, 4, 5].map((key): Value[] => [1n, BigInt(key), 0n]),
      6,
    );
    const expected = bytesOf(await fast(chain, input));
    expect(expected.length).toBeGreaterThan(7);
    for (const credits of [1, 2, 3, 16]) {
      const seen = nothing();
      await slow(chain, seen, { credits, input });
      expect(bytesOf(seen.batches)).toEqual(expected);
      expect(seen.pool?.peak).toBeLessThanOrEqual(Math.max(credits, 3) + 1);
      expect(seen.pool?.inFlight).toBe(0);
    }
  });
});
