import type { Observable } from "rxjs";
import { from, lastValueFrom, Subject, tap, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { rowValues } from "../../../src/batch/rows.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import type { CreditPool, Flow, Row } from "../../../src/streams/index.ts";
import {
  aggregate,
  count,
  drain,
  eventTime,
  filterRows,
  isBatch,
  keyBy,
  mapBatch,
  max,
  mean,
  min,
  select,
  source,
  sum,
  toRows,
  tumble,
} from "../../../src/streams/index.ts";

const DAY = 86_400_000_000n;
const schema = schemaOf([
  { name: "date", type: "timestamp", nullable: false },
  { name: "origin", type: "dict", nullable: false },
  { name: "delay", type: "i64", nullable: false },
]);

function batch(...rows: readonly (readonly Value[])[]): Batch {
  const writer = new BatchWriter(schema);
  for (const row of rows) writer.push(row);
  return writer.take();
}

function numbered(rows: number): Batch[] {
  return Array.from({ length: rows }, (_, i) => batch([BigInt(i), "LAX", BigInt(i)]));
}

function delays(item: Flow): Value[] {
  return isBatch(item) ? Array.from({ length: item.rows }, (_, row) => rowValues(item, row)[2] ?? null) : [];
}

const flights: Observable<Flow> = source([
  batch([1n, "LAX", 10n], [DAY + 1n, "JFK", 7n]),
  batch([2n, "LAX", -4n], [DAY + 7_200_000_000n, "JFK", 1n], [2n * DAY, "LAX", 2n], [3n, "LAX", 99n]),
]);

describe("aggregate", () => {
  it("does what design and README show", async () => {
    const late = new Subject<Batch>();
    const lateRows = lastValueFrom(late.pipe(toRows(), toArray()));
    const perOrigin = flights.pipe(
      eventTime("date", { outOfOrder: "1h" }),
      keyBy("origin"),
      tumble("1d", { lateness: "2h", late }),
      aggregate({ flights: count(), delay: sum("delay"), worst: max("delay") }),
    );
    const rows: Row[] = await lastValueFrom(perOrigin.pipe(toRows(), toArray()));
    expect(rows).toEqual([
      { start: 0n, end: DAY, origin: "LAX", flights: 2n, delay: 6n, worst: 10n },
      { start: DAY, end: 2n * DAY, origin: "JFK", flights: 2n, delay: 8n, worst: 7n },
      { start: 2n * DAY, end: 3n * DAY, origin: "LAX", flights: 1n, delay: 2n, worst: 2n },
    ]);
    expect(await lateRows).toEqual([{ date: 3n, origin: "LAX", delay: 99n }]);
  });

  it("works on a plain Observable of batches, and may be subscribed again", async () => {
    const means = from([batch([1n, "LAX", 10n], [2n, "JFK", 1n])]).pipe(
      eventTime("date", { outOfOrder: "0s" }),
      tumble("10us", { offset: "5us" }),
      aggregate({ mean: mean("delay"), least: min("delay"), some: count("delay") }),
      toRows(),
      toArray(),
    );
    const expected = [{ start: -5n, end: 5n, mean: 5.5, least: 1n, some: 2n }];
    expect(await lastValueFrom(means)).toEqual(expected);
    expect(await lastValueFrom(means)).toEqual(expected);
  });

  it("ends on the end item, once, and hears watermarks", async () => {
    const feed = new Subject<Flow>();
    const items: Flow[] = [];
    feed
      .pipe(eventTime("date", { outOfOrder: "0s" }), tumble("10us"), aggregate({ n: count() }))
      .subscribe((item) => items.push(item));
    feed.next(batch([1n, "LAX", 1n]));
    expect(items.filter(isBatch)).toHaveLength(0);
    feed.next({ kind: "watermark", timeUs: 10 });
    expect(items.filter(isBatch)).toHaveLength(1);
    feed.next(batch([11n, "LAX", 1n]));
    feed.next({ kind: "end" });
    feed.next({ kind: "end" });
    feed.complete();
    expect(items.filter(isBatch)).toHaveLength(2);
    expect(items.filter((item) => !isBatch(item)).map((item) => (item as { kind: string }).kind)).toEqual([
      "header",
      "end",
    ]);
  });

  it("fails the stream, and the late observer, with named errors", async () => {
    await expect(lastValueFrom(flights.pipe(keyBy("origin"), aggregate({ n: count() })))).rejects.toMatchObject({
      code: "WINDOW_UNDESCRIBED",
    });
    const late = new Subject<Batch>();
    const heard = lastValueFrom(late, { defaultValue: undefined });
    const broken = flights.pipe(
      eventTime("date", { outOfOrder: "0s" }),
      tumble("1d", { late }),
      aggregate({ n: sum("origin") }),
    );
    await expect(lastValueFrom(broken)).rejects.toMatchObject({ code: "AGGREGATE_TYPE" });
    await expect(heard).rejects.toMatchObject({ code: "AGGREGATE_TYPE" });
    expect(() => tumble("1 day")).toThrow(expect.objectContaining({ code: "DURATION_INVALID" }));
  });
});

describe("rows", () => {
  it("filters, selects and maps", async () => {
    const rows = flights.pipe(
      filterRows((row) => (row["delay"] as bigint) > 1n),
      select("delay", "origin"),
      toRows(),
      toArray(),
    );
    expect(await lastValueFrom(rows)).toEqual(
      [10n, 7n, 2n, 99n].map((delay, i) => ({ delay, origin: ["LAX", "JFK", "LAX", "LAX"][i] })),
    );
    const none = flights.pipe(
      filterRows(() => false),
      toArray(),
    );
    expect((await lastValueFrom(none)).some(isBatch)).toBe(false);
    await expect(lastValueFrom(flights.pipe(select("x")))).rejects.toMatchObject({ code: "COLUMN_MISSING" });
  });

  it("hands an untouched batch on as it is", async () => {
    const one = batch([1n, "LAX", 10n], [2n, "JFK", 1n]);
    const items = await lastValueFrom(
      from([one]).pipe(
        filterRows(() => true),
        toArray(),
      ),
    );
    expect(items.filter(isBatch)[0]).toBe(one);
  });

  it("maps batches concurrently and keeps their order", async () => {
    const gates = numbered(5).map(() => Promise.withResolvers<void>());
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const mapped = source(numbered(5)).pipe(
      mapBatch(
        async (one) => {
          const at = Number(delays(one)[0]);
          order.push(at);
          most = Math.max(most, ++running);
          if (at === 1) gates[0]?.resolve();
          if (at < 2) await gates[at === 0 ? 0 : 4]?.promise;
          if (at === 4) gates[4]?.resolve();
          running--;
          return at === 2 ? undefined : at === 3 ? [one, one] : one;
        },
        { concurrency: 3 },
      ),
      toArray(),
    );
    const items = await lastValueFrom(mapped);
    expect(items.flatMap(delays)).toEqual([0n, 1n, 3n, 3n, 4n]);
    expect(items.map((item) => (isBatch(item) ? "batch" : item.kind)).at(-1)).toBe("end");
    expect(most).toBeLessThanOrEqual(3);
    expect(order).toEqual([0, 1, 2, 3, 4]);
  });

  it("fails when a batch fails, and aborts the others", async () => {
    let seen: AbortSignal | undefined;
    const failing = source(numbered(3)).pipe(
      mapBatch((one, signal) => {
        seen = signal;
        if (delays(one)[0] === 1n) throw new Error("broken");
        return one;
      }),
    );
    await expect(drain(failing)).rejects.toThrow("broken");
    expect(seen?.aborted).toBe(true);
  });
});

describe("credits", () => {
  async function peaks(
    credits: number,
    through: (stream: Observable<Flow>) => Observable<Flow>,
  ): Promise<{ ahead: number; pool: CreditPool | undefined }> {
    let pulled = 0;
    let done = 0;
    let ahead = 0;
    let pool: CreditPool | undefined;
    const told = (item: Flow): void => {
      if (!isBatch(item) && item.kind === "header") pool = item.credits as CreditPool;
    };
    async function* pull(): AsyncGenerator<Batch> {
      for (const one of numbered(50)) {
        pulled++;
        ahead = Math.max(ahead, pulled - done);
        yield one;
      }
    }
    await drain(through(source(pull(), { credits }).pipe(tap(told))), async () => {
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
      done++;
    });
    expect(done).toBe(50);
    return { ahead, pool };
  }

  it("keep the source at most that many batches ahead of the sink", async () => {
    for (const credits of [1, 4, 16]) {
      const { ahead, pool } = await peaks(credits, (stream) => stream);
      expect(ahead).toBeLessThanOrEqual(credits + 1);
      expect(ahead).toBeGreaterThanOrEqual(credits);
      expect(pool?.peak).toBeLessThanOrEqual(credits + 1);
      expect(pool?.inFlight).toBe(0);
    }
  });

  it("are held through asynchronous stages", async () => {
    const { ahead, pool } = await peaks(4, (stream) =>
      stream.pipe(
        filterRows(() => true),
        mapBatch(async (one) => one, { concurrency: 2 }),
      ),
    );
    expect(ahead).toBeLessThanOrEqual(5);
    expect(pool?.peak).toBeLessThanOrEqual(5);
    expect(pool?.inFlight).toBe(0);
  });

  it("must be a whole number from 1", () => {
    for (const credits of [0, -1, 1.5, Number.NaN])
      expect(() => source([], { credits })).toThrow(expect.objectContaining({ code: "CREDITS_INVALID" }));
  });

  it("do not keep a source alive that nobody reads", async () => {
    for (const leave of ["abort drain", "abort source", "sink fails", "unsubscribe"] as const) {
      const closed = Promise.withResolvers<void>();
      const stop = new AbortController();
      async function* endless(): AsyncGenerator<Batch> {
        try {
          for (;;) yield numbered(1)[0] as Batch;
        } finally {
          closed.resolve();
        }
      }
      const stream = source(endless(), leave === "abort source" ? { signal: stop.signal } : {});
      if (leave === "unsubscribe") {
        let seen = 0;
        const subscription = stream.subscribe(() => {
          if (++seen === 4) subscription.unsubscribe();
        });
      } else {
        let seen = 0;
        const sink = (): void => {
          if (++seen < 3) return;
          if (leave === "sink fails") throw new Error("full");
          stop.abort(new Error("stop"));
        };
        const drained = drain(stream, sink, leave === "abort drain" ? { signal: stop.signal } : {});
        await expect(drained, leave).rejects.toThrow(leave === "sink fails" ? "full" : "stop");
      }
      await closed.promise;
    }
  });

  it("let the event loop turn, so that an endless source in memory can be stopped", async () => {
    const stop = new AbortController();
    function* endless(): Generator<Batch> {
      for (;;) yield numbered(1)[0] as Batch;
    }
    setImmediate(() => stop.abort(new Error("stop")));
    await expect(drain(source(endless()), undefined, { signal: stop.signal })).rejects.toThrow("stop");
  });

  it("let a failing source fail the drain", async () => {
    async function* failing(): AsyncGenerator<Batch> {
      yield numbered(1)[0] as Batch;
      throw new Error("disk");
    }
    await expect(drain(source(failing()))).rejects.toThrow("disk");
    await expect(drain(source(numbered(2)), undefined, { signal: AbortSignal.abort(new Error("no")) })).rejects.toThrow(
      "no",
    );
    await drain(source([]));
  });
});
