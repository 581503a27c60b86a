import fc from "fast-check";
import { lastValueFrom, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { columns, source, topN, toRows } from "../../../src/streams/index.ts";

const schema = columns({ group: "i64?", name: "dict?", rank: "i64?", share: "f64?", nr: "i32" });

const whole = fc.oneof(
  fc.bigInt({ min: -3n, max: 3n }),
  fc.constantFrom(2n ** 52n, 2n ** 53n + 1n, 2n ** 53n + 2n, -(2n ** 63n), null),
);
const share = fc.oneof(
  fc.constantFrom(0, -0, 0.5, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, null),
  fc.integer({ min: -3, max: 3 }),
);
const run = fc.record({
  group: fc.oneof(fc.bigInt({ min: 0n, max: 2n }), fc.constant(null)),
  name: fc.constantFrom("a", "b", null),
  rows: fc.array(fc.tuple(whole, share), { minLength: 1, maxLength: 6 }),
});

type Row = readonly [group: Value, name: Value, rank: Value, share: Value, nr: number];

function* cut(rows: readonly Row[], size: number): Generator<Batch> {
  const writer = new BatchWriter(schema);
  for (const row of rows) {
    writer.push(row);
    if (writer.rows === size) yield writer.take();
  }
  if (writer.rows > 0) yield writer.take();
}

/** The numbers of the rows that a sort of each group leaves. */
function expected(
  rows: readonly Row[],
  { n, by, sign, ties }: { readonly n: number; readonly by: 2 | 3; readonly sign: number; readonly ties: boolean },
): number[] {
  const groups: Row[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0]?.[0] === row[0] && last[0][1] === row[1]) last.push(row);
    else groups.push([row]);
  }
  const order = (a: Row, b: Row): number => {
    const [x, y] = [a[by], b[by]].map((value) => (Number.isNaN(value) ? null : value));
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return x === y ? 0 : (x as number) < (y as number) ? -sign : sign;
  };
  return groups.flatMap((group) => {
    const sorted = group.toSorted(order);
    const last = sorted[Math.min(n, sorted.length) - 1] as Row;
    return sorted.filter((row, i) => i < n || (ties && order(row, last) === 0)).map((row) => row[4]);
  });
}

describe("topN", () => {
  it("is what sorting each group leaves, with or without ties, in any batches", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(run, { maxLength: 8 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("rank", "share"),
        fc.constantFrom("asc", "desc"),
        fc.boolean(),
        fc.constantFrom(1, 2, 7, 4096),
        async (runs, n, by, order, ties, size) => {
          let nr = 0;
          const rows = runs.flatMap(({ group, name, rows: own }) =>
            own.map(([rank, part]): Row => [group, name, rank, part, nr++]),
          );
          const found = source(cut(rows, size), { schema }).pipe(
            topN(n, { by, order, per: ["group", "name"], ties }),
            toRows(),
            toArray(),
          );
          const plan = { n, by: by === "rank" ? 2 : 3, sign: order === "asc" ? 1 : -1, ties } as const;
          expect((await lastValueFrom(found)).map((row) => row["nr"])).toEqual(expected(rows, plan));
        },
      ),
      { numRuns: 200 },
    );
  });
});
