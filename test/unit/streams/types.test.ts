import { describe, expect, it } from "vitest";
import {
  aggregate,
  col,
  columns,
  count,
  eventTime,
  filter,
  intervalJoin,
  keyBy,
  max,
  project,
  type Row,
  rowSource,
  sum,
  topN,
  toRows,
  tumble,
  union,
  withColumns,
} from "../../../src/streams/index.ts";

const flights = columns({ date: "timestamp", origin: "utf8", delay: "i32", note: "utf8?" });
const stream = rowSource([{ date: 1n, origin: "ATL", delay: 3 }], flights);

// The compiler checks this file: every @ts-expect-error is a mistake that it must find.
describe("typed columns", () => {
  it("make a wrong column or a wrong type an error of the compiler", () => {
    const daily = stream.pipe(
      filter(col("delay").gte(0).and(col("origin").ne("JFK"))),
      withColumns({ hour: col("date").truncate("1h"), late: col("delay").gt(15) }),
      eventTime("date", { outOfOrder: "0s" }),
      keyBy("origin"),
      tumble("1d"),
      aggregate({ flights: count(), worst: max("delay"), all: sum("delay") }),
    );
    const rows: (row: Row<{ start: "timestamp"; origin: "utf8"; flights: "i64"; worst: "i32" }>) => number = (row) =>
      row.worst + Number(row.flights);
    daily.pipe(toRows()).subscribe(({ start, origin, flights: n, worst }) => {
      const typed: readonly [bigint, string, bigint, number] = [start, origin, n, worst];
      expect(rows({ start, origin, flights: n, worst })).toBe(4);
      return typed;
    });
    // @ts-expect-error there is no column dealy
    stream.pipe(filter(col("dealy").gt(15)));
    // @ts-expect-error a text is not compared with a number
    stream.pipe(filter(col("origin").gt(15)));
    // @ts-expect-error a number is not compared with a text
    stream.pipe(filter(col("delay").eq("late")));
    // @ts-expect-error the event time is a timestamp
    stream.pipe(eventTime("delay", { outOfOrder: "0s" }));
    // @ts-expect-error there is no column destination
    stream.pipe(keyBy("destination"));
    // @ts-expect-error there is no column destination
    stream.pipe(project({ to: "destination" }));
    // @ts-expect-error delay was left out
    stream.pipe(project({ from: "origin" }), filter(col("delay").gt(1)));
    // @ts-expect-error distance is no column
    stream.pipe(keyBy("origin"), tumble("1d"), aggregate({ far: max("distance") }));
    // @ts-expect-error the best by what?
    daily.pipe(topN(3, { by: "delay" }));
    // @ts-expect-error out-of-orderness has no default
    expect(() => eventTime("date", {})).toThrow(/ways to move the watermark/);
    // @ts-expect-error a row has no column depature
    stream.pipe(filter((row) => row.depature === 1n));
    // @ts-expect-error a column type that does not exist
    expect(() => columns({ x: "int" })).toThrow(/cannot be of type/);
  });

  it("follow joins", () => {
    const prepared = stream.pipe(eventTime("date", { outOfOrder: "0s" }), keyBy("origin"));
    const sales = rowSource(
      [{ at: 1n, shop: "ATL", paid: 2.5 }],
      columns({ at: "timestamp", shop: "utf8", paid: "f64" }),
    );
    const joined = intervalJoin(
      { flights: prepared, sales: sales.pipe(eventTime("at", { outOfOrder: "0s" }), keyBy("shop")) },
      { after: "1h" },
    );
    joined.pipe(filter(col("paid").gt(1)), toRows()).subscribe((row) => {
      const paid: number = row.paid;
      // @ts-expect-error neither input has a column payed
      const wrong: keyof typeof row = "payed";
      expect([paid, wrong]).toEqual([2.5, "payed"]);
    });
    // @ts-expect-error neither input has a column payed
    joined.pipe(filter(col("payed").gt(1)));
    // @ts-expect-error neither input has a column payed
    joined.pipe(project({ x: "payed" }));
    const daily = union({ one: prepared, two: prepared }).pipe(tumble("1d"), aggregate({ n: count() }));
    // @ts-expect-error the day's table has no column delay
    daily.pipe(filter(col("delay").gt(1)));
    // @ts-expect-error inputs of a union have the same columns
    union({ prepared, sales });
  });
});
