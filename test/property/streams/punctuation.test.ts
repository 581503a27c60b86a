import fc from "fast-check";
import { lastValueFrom, type Observable, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Flow, Row } from "../../../src/streams/index.ts";
import {
  aggregate,
  columns,
  count,
  dedup,
  eventTime,
  intervalJoin,
  keyBy,
  rowSource,
  scan,
  source,
  toRows,
  tumble,
  union,
} from "../../../src/streams/index.ts";
import { batchesOf } from "./reference.ts";

const schema = columns({ at: "timestamp", id: "i64", mark: "timestamp?" });
type R = readonly [at: number, mark: number | null];
const rows = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 60 }), fc.option(fc.integer({ min: 0, max: 40 }), { nil: null, freq: 1 })),
  { maxLength: 20 },
);

const stream = (name: string, given: readonly R[], batchRows: number): Observable<Flow> =>
  rowSource(
    given.map(([at, mark], i) => ({ at: BigInt(at), id: BigInt(i), mark: mark === null ? null : BigInt(mark) })),
    schema,
    { name, batchRows, credits: 1 },
  ).pipe(eventTime("at", { punctuated: "mark" }), keyBy()) as Observable<Flow>;
const out = (found: Observable<Flow>): Promise<Row[]> => lastValueFrom(found.pipe(toRows(), toArray()));

/** Rows of both inputs one by one in the order of their merge, each with the watermark that it meets: the least of both. */
function merged(
  left: readonly R[],
  right: readonly R[],
): { side: 0 | 1; row: number; at: number; watermark: number }[] {
  const inputs = [left, right].map((given) =>
    given.flatMap(([at, mark], row) =>
      mark === null
        ? [{ row, at, mark }]
        : [
            { row, at, mark: null },
            { row, at: mark, mark },
          ],
    ),
  );
  const promised = [-Infinity, -Infinity];
  const tops = [-Infinity, -Infinity];
  const queues = inputs.map((items, side) =>
    items.filter(({ mark }) => {
      if (mark === null) return true;
      const isNew = mark > (tops[side] as number);
      if (isNew) tops[side] = mark;
      return isNew;
    }),
  ) as [(typeof inputs)[number], (typeof inputs)[number]];
  const found: ReturnType<typeof merged> = [];
  let watermark = -Infinity;
  while (queues[0].length + queues[1].length > 0) {
    const [a, b] = queues;
    const side = b[0] === undefined || (a[0] !== undefined && a[0].at <= b[0].at) ? 0 : 1;
    const item = queues[side].shift() as (typeof a)[number];
    if (item.mark === null) {
      found.push({ side, row: item.row, at: item.at, watermark });
      continue;
    }
    promised[side] = item.mark;
    const least = Math.min(...promised.map((each, i) => (queues[i]?.length === 0 && i !== side ? Infinity : each)));
    watermark = Math.max(watermark, least);
  }
  return found;
}

describe("punctuated inputs", () => {
  it("are brought together with the least of their watermarks, whatever the batches", async () => {
    await fc.assert(
      fc.asyncProperty(
        rows,
        rows,
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        async (left, right, a, b) => {
          const order = merged(left, right);
          const late: Batch[] = [];
          const counted = await out(
            union({ left: stream("left", left, a), right: stream("right", right, b) }).pipe(
              tumble("10us", { late: { next: (batch) => void late.push(batch) } }),
              aggregate({ n: count() }),
            ),
          );
          const kept = order.filter(({ at, watermark }) => Math.floor(at / 10) * 10 + 10 > watermark);
          expect(late.reduce((sum, { rows: n }) => sum + n, 0)).toBe(order.length - kept.length);
          expect(counted.reduce((sum, { n }) => sum + Number(n), 0)).toBe(kept.length);
          const pairs = await out(
            intervalJoin(
              { left: stream("left", left, b).pipe(keyBy("id")), right: stream("right", right, a).pipe(keyBy("id")) },
              { before: "60us", after: "60us" },
            ),
          );
          const timely = order.filter(({ at, watermark }) => at >= watermark);
          const expected = timely.filter(
            ({ side, row }) => side === 0 && timely.some((other) => other.side === 1 && other.row === row),
          );
          expect(pairs.map(({ id }) => Number(id)).sort((x, y) => x - y)).toEqual(
            expected.map(({ row }) => row).sort((x, y) => x - y),
          );
        },
      ),
      { numRuns: 200 },
    );
  });

  it("move the time-to-live of keys by their marks alone", async () => {
    const given: R[] = [
      [10, null],
      [50, null],
      [11, null],
      [12, 30],
      [13, 60],
      [14, null],
      [71, null],
    ];
    const scanned = await out(stream("one", given, 2).pipe(scan({ n: count() }, { ttl: "5us" })));
    expect(scanned.map(({ n }) => Number(n))).toEqual([1, 2, 3, 4, 1, 1, 1]);
    const kept = await out(stream("one", given, 3).pipe(dedup({ within: "20us" })));
    expect(kept.map(({ at }) => Number(at))).toEqual([10, 50, 71]);
  });

  it("are not mixed with others", async () => {
    const other = source(batchesOf(schema, [[1n, 1n, null]], 1), { name: "other" }).pipe(
      eventTime("at", { outOfOrder: "0s" }),
      keyBy("id"),
    ) as Observable<Flow>;
    await expect(out(union({ one: stream("one", [[1, 1]], 1), other }))).rejects.toMatchObject({
      code: "WINDOW_UNDESCRIBED",
    });
  });
});
