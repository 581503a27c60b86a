import { lastValueFrom, type Observable, toArray } from "rxjs";
import { describe, expect, it } from "vitest";
import { parseExpression } from "../../../src/streams/expressions/parse.ts";
import type { Flow, Row, Step } from "../../../src/streams/index.ts";
import {
  aggregate,
  col,
  columns,
  count,
  custom,
  dedup,
  drain,
  eventTime,
  explain,
  filter,
  fromArrow,
  globalWindow,
  instant,
  intervalJoin,
  isBatch,
  join,
  keyBy,
  map,
  mapBatch,
  rowSource,
  scan,
  select,
  sum,
  temporalJoin,
  topN,
  toRows,
  tumble,
  union,
  windowJoin,
  withColumns,
} from "../../../src/streams/index.ts";

const schema = columns({ at: "timestamp", who: "utf8", big: "i64?", x: "f64" });
const rows = [
  { at: 1n, who: "a", big: 2n ** 60n, x: 1 },
  { at: 2n, who: "a", x: 2 },
];
/** What a program without types gives. */
const wrong = (value: unknown): never => value as never;
const stream = (name = "input"): Observable<Flow> =>
  rowSource(rows, schema, { name }).pipe(eventTime("at", { outOfOrder: "1s" }), keyBy("who")) as Observable<Flow>;
const out = (found: Observable<Flow>): Promise<Row[]> => lastValueFrom(found.pipe(toRows(), toArray()));

describe("what an operator is told", () => {
  it("is refused by name before anything runs", () => {
    const said = (work: () => unknown): string => {
      try {
        work();
      } catch (error) {
        return `${String((error as { code?: unknown }).code)} ${(error as Error).message}`;
      }
      return "nothing";
    };
    expect([
      said(() => tumble(wrong(10))),
      said(() => tumble("10s", { lateness: wrong(5) })),
      said(() => tumble("10s", wrong({ latenes: "5s" }))),
      said(() => tumble("10s", { emit: wrong("upset") })),
      said(() => globalWindow(wrong({ evryRows: 5 }))),
      said(() => eventTime("at", wrong(undefined))),
      said(() => eventTime("at", wrong({ outOfOrder: "0s", monotonic: true }))),
      said(() => join({ a: stream(), b: stream() }, { kind: wrong("outer") })),
      said(() => temporalJoin({ a: stream(), b: stream() }, { kind: wrong("full") })),
      said(() => intervalJoin({ a: stream(), b: stream() }, { before: "x" })),
      said(() => topN(1, { by: "x", order: wrong("up") })),
      said(() => select("x", "x")),
      said(() => union({})),
      said(() => union({ "2": stream(), "1": stream() })),
      said(() => mapBatch((batch) => batch, { concurrency: 0 })),
      said(() => rowSource([], schema, { batchRows: 0 })),
      said(() => custom("x", wrong({ type: "int" }))),
      said(() => instant("yesterday")),
    ]).toEqual([
      "DURATION_INVALID tumble size: 10 is not a duration",
      "DURATION_INVALID tumble lateness: 5 is not a duration",
      "OPTION_INVALID tumble: there is no option latenes",
      'OPTION_INVALID tumble: emit cannot be "upset"',
      "OPTION_INVALID globalWindow: there is no option evryRows",
      "OPTION_INVALID eventTime: 0 ways to move the watermark",
      "OPTION_INVALID eventTime: 2 ways to move the watermark",
      'OPTION_INVALID join: kind cannot be "outer"',
      'OPTION_INVALID temporalJoin: kind cannot be "full"',
      'DURATION_INVALID intervalJoin before: "x" is not a duration',
      'OPTION_INVALID topN: order cannot be "up"',
      "OPTION_INVALID select: column x stands twice",
      "OPTION_INVALID union: there are no inputs",
      "OPTION_INVALID inputs: none can be named 1",
      "OPTION_INVALID mapBatch: concurrency cannot be 0",
      "OPTION_INVALID rowSource: batchRows cannot be 0",
      expect.stringMatching(/^SCHEMA_INVALID column x cannot be of type "int"/),
      'EXPRESSION_TYPE "yesterday" is no instant',
    ]);
  });

  it("is refused with its place where the columns decide", async () => {
    const failing: readonly [Observable<Flow>, string, string][] = [
      [stream().pipe(keyBy("x"), dedup()), "KEY_TYPE", "input/4 dedup: x is f64"],
      [stream().pipe(keyBy("x"), scan({ n: count() })), "KEY_TYPE", "input/4 scan: x is f64"],
      [stream().pipe(scan({})), "AGGREGATE_TYPE", "input/3 scan: a scan adds nothing"],
      [stream().pipe(topN(1, { by: "who" })), "AGGREGATE_TYPE", "input/3 topN: the best by who are not defined"],
      [stream().pipe(tumble("1s"), aggregate({ n: wrong("count()") })), "WINDOW_INVALID", "n is no aggregate"],
    ];
    for (const [found, code, message] of failing)
      await expect(out(found)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  it("names operator and row where a function of the program's own fails, with its error as the cause", async () => {
    const broken = (): never => {
      throw new RangeError("mine");
    };
    const one = columns({ a: "i64?" });
    const adding = custom("x", { type: "f64", zero: () => 0, add: broken, merge: (a) => a, value: (a) => a });
    const failing: readonly [Observable<Flow>, string, string][] = [
      [
        stream().pipe(map(broken, one)) as never,
        "FUNCTION_FAILED",
        "input/3 map: the function, at row 0, failed: RangeError: mine",
      ],
      [stream().pipe(filter(broken)), "FUNCTION_FAILED", "input/3 filterRows: the function, at row 0,"],
      [
        stream().pipe(tumble("1s"), aggregate({ s: adding })),
        "FUNCTION_FAILED",
        "input/4 aggregate: add of the aggregate over x",
      ],
      [stream().pipe(mapBatch(broken)), "FUNCTION_FAILED", "input/3 mapBatch: the function failed"],
      [
        stream().pipe(map(() => wrong({ b: 1n }), one)) as never,
        "VALUE_MISFIT",
        "input/3 map: row 0: there is no column b",
      ],
    ];
    for (const [found, code, message] of failing) {
      const error: unknown = await out(found).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code, message: expect.stringContaining(message) as string });
      if (code === "FUNCTION_FAILED") expect((error as Error).cause).toBeInstanceOf(RangeError);
    }
    const misfit = rowSource([rows[0], { at: "soon" }] as never[], schema, { name: "shop" });
    await expect(out(misfit)).rejects.toThrow(/^shop: row 1: "soon" does not fit column at/);
  });

  it("takes what is no Arrow for malformed, however short", async () => {
    await expect(out(fromArrow(Uint8Array.of(1, 2, 3)))).rejects.toMatchObject({ code: "ARROW_MALFORMED" });
  });
});

describe("exact and the same everywhere", () => {
  it("an instant has its microseconds, and is UTC where it does not say otherwise, whatever the time zone of the machine", () => {
    const zone = process.env["TZ"];
    process.env["TZ"] = "Asia/Tokyo";
    try {
      const text = "2001-01-01T00:00:00.123456";
      const micros = 978_307_200_123_456n;
      expect(instant(text).node).toMatchObject({ value: micros });
      expect(instant(`${text}+01:00`).node).toMatchObject({ value: micros - 3_600_000_000n });
      expect(parseExpression(`timestamp('${text}')`)).toMatchObject({ value: Number(micros) });
      expect(() => parseExpression("timestamp('1 Jan 2001')")).toThrow(/no date and time/);
    } finally {
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    }
  });

  it("a running count does not look at the values it counts", async () => {
    expect((await out(stream().pipe(scan({ n: count("big"), all: count() })))).map(({ n, all }) => [n, all])).toEqual([
      [1n, 1n],
      [1n, 2n],
    ]);
    await expect(out(stream().pipe(scan({ s: sum("big") })))).rejects.toMatchObject({ code: "AGGREGATE_OVERFLOW" });
  });

  it("counters tell how far the watermark is behind the rows, whatever moves it", async () => {
    const given = [
      { at: 40n, who: "a", x: 1, big: 10n },
      { at: 5_000_000n, who: "a", x: 1, big: 2_000_000n },
    ];
    const marked = rowSource(given, schema, { batchRows: 2 }).pipe(
      withColumns({ mark: col("big").cast("timestamp") }),
      eventTime("at", { punctuated: "mark" }),
      tumble("1s"),
      aggregate({ n: count() }),
    ) as Observable<Flow>;
    const lags: (number | undefined)[] = [];
    let step: Step | undefined;
    marked.subscribe((item) => {
      if (!isBatch(item) && item.kind === "header") step = item.steps?.at(-1);
      if (isBatch(item) || item.kind === "barrier") lags.push(step?.counters.watermarkLagUs);
    });
    await lastValueFrom(marked.pipe(toArray()));
    expect(lags).toEqual([3_000_000, 0]);
    const windowed = stream("a").pipe(tumble("1s", { emit: "upsert" }));
    await expect(out(windowJoin({ a: windowed }, { b: stream("b") }))).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });

  it("mapBatch is a step like others", async () => {
    const mapped = stream().pipe(
      mapBatch((batch) => batch, { concurrency: 2 }),
      filter(col("x").gt(1)),
    );
    const { text } = await explain(mapped);
    expect(text.split("\n").at(-2)).toBe("input/3 mapBatch: 2 at a time");
    let step: Step | undefined;
    await drain(mapped, () => undefined, {
      control: (item) => {
        if (item.kind === "header") step = item.steps?.find(({ name }) => name === "mapBatch");
      },
    });
    expect([step?.counters.rowsIn, step?.counters.rowsOut]).toEqual([2, 2]);
  });
});
