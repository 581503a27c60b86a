import * as dagCbor from "@ipld/dag-cbor";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../../src/batch/batch.ts";
import type { Value } from "../../../../src/batch/column.ts";
import { rowValues } from "../../../../src/batch/rows.ts";
import type { ColumnType, Schema } from "../../../../src/batch/schema.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { BatchWriter } from "../../../../src/batch/writer.ts";
import { rawBlock } from "../../../../src/dag/block.ts";
import { sha256 } from "../../../../src/node.ts";
import type { AggregateKind, WindowPlan } from "../../../../src/streams/window/plan.ts";
import { outputSchema } from "../../../../src/streams/window/plan.ts";
import { WindowAggregate } from "../../../../src/streams/window/window-aggregate.ts";
import { WindowRows } from "../../../../src/streams/window/window-rows.ts";
import { SavedStates } from "../../../support/saved-states.ts";

function table(type: ColumnType, nullable = true): Schema {
  return schemaOf([
    { name: "t", type: "timestamp", nullable: true },
    { name: "k", type: "dict", nullable: true },
    { name: "v", type, nullable },
  ]);
}

const plan: WindowPlan = {
  time: "t",
  outOfOrderUs: 0,
  sizeUs: 10,
  latenessUs: 0,
  keys: ["k"],
  aggregates: (["count", "sum", "min", "max", "mean"] as const).map((kind) =>
    kind === "count" ? { name: kind, kind } : { name: kind, kind, column: "v" },
  ),
};

function batch(schema: Schema, ...rows: readonly (readonly Value[])[]): Batch {
  const writer = new BatchWriter(schema);
  for (const row of rows) writer.push(row);
  return writer.take();
}

function values(batches: readonly Batch[]): Value[][] {
  return batches.flatMap((one) => Array.from({ length: one.rows }, (_, row) => rowValues(one, row)));
}

function aggregated(kind: AggregateKind, type: ColumnType, given: readonly Value[]): Value | undefined {
  const schema = table(type);
  const window = new WindowAggregate({ ...plan, aggregates: [{ name: "a", kind, column: "v" }] }, schema);
  window.push(batch(schema, ...given.map((value) => [1n, "a", value])));
  return values(window.end().rows)[0]?.[3];
}

const i64 = table("i64");
const counting: WindowPlan = { ...plan, keys: [], aggregates: [{ name: "n", kind: "count" }] };

/** Counts and late rows of a sequence of event times, one batch a row. */
function decide(
  times: readonly (number | bigint)[],
  change: Partial<WindowPlan> = {},
): { fired: Value[][]; late: Value[]; rest: Value[][] } {
  const window = new WindowAggregate({ ...counting, ...change }, i64);
  const fired: Value[][] = [];
  const late: Value[] = [];
  for (const time of times) {
    const step = window.push(batch(i64, [BigInt(time), "a", 1n]));
    fired.push(...values(step.rows));
    late.push(...values(step.late).map((row) => row[0] ?? null));
  }
  return { fired, late, rest: values(window.end().rows) };
}

describe("watermark and lateness", () => {
  it("fires a window when the watermark is its end, not one microsecond before", () => {
    expect(decide([0, 9]).fired).toEqual([]);
    expect(decide([0, 10]).fired).toEqual([[0n, 10n, 1n]]);
    expect(decide([0, 12], { outOfOrderUs: 3 }).fired).toEqual([]);
    expect(decide([0, 13], { outOfOrderUs: 3 }).fired).toEqual([[0n, 10n, 1n]]);
  });

  it("calls a row late when the watermark before it is its window's end, and not one microsecond before", () => {
    expect(decide([12, 9], { outOfOrderUs: 3 }).late).toEqual([]);
    expect(decide([13, 9], { outOfOrderUs: 3 }).late).toEqual([9n]);
    expect(decide([13, 10], { outOfOrderUs: 3 }).late).toEqual([]);
  });

  it("keeps a window open for the lateness allowed, and fires it once, then", () => {
    const late = { latenessUs: 5 };
    expect(decide([1, 14, 9], late)).toEqual({
      fired: [],
      late: [],
      rest: [
        [0n, 10n, 2n],
        [10n, 20n, 1n],
      ],
    });
    expect(decide([1, 15, 9], late)).toEqual({ fired: [[0n, 10n, 1n]], late: [9n], rest: [[10n, 20n, 1n]] });
  });

  it("decides inside a batch as between batches", () => {
    const window = new WindowAggregate(counting, i64);
    const step = window.push(batch(i64, [1n, "a", 1n], [10n, "a", 1n], [2n, "b", 7n], [11n, "a", 1n]));
    expect(values(step.rows)).toEqual([[0n, 10n, 1n]]);
    expect(values(step.late)).toEqual([[2n, "b", 7n]]);
    expect(window.watermark).toBe(11);
    expect(window.rowsIn).toBe(4);
  });

  it("rounds window starts down before the epoch, and shifts them by the offset", () => {
    expect(decide([-11, -10, -1, 0]).fired).toEqual([
      [-20n, -10n, 1n],
      [-10n, 0n, 2n],
    ]);
    expect(decide([-11, -10, -1, 0], { offsetUs: 3 }).rest).toEqual([[-7n, 3n, 2n]]);
    expect(decide([2, 3], { offsetUs: -7 }).fired).toEqual([[-7n, 3n, 1n]]);
  });

  it("moves the watermark to infinity at the end: what comes then is late", async () => {
    const window = new WindowAggregate(counting, i64);
    expect(window.watermark).toBe(Number.NEGATIVE_INFINITY);
    expect(window.end()).toEqual({ rows: [], late: [] });
    expect(values(window.push(batch(i64, [5n, "a", 1n])).late)).toEqual([[5n, "a", 1n]]);
    const states = new SavedStates();
    const restored = await WindowAggregate.restore(counting, i64, states.source(states.keep(window.save(sha256))));
    expect(values(restored.push(batch(i64, [99n, "a", 1n])).late)).toHaveLength(1);
  });

  it("takes a watermark from outside, which never goes back", () => {
    const window = new WindowAggregate(counting, i64);
    window.push(batch(i64, [5n, "a", 1n]));
    expect(values(window.advance(10).rows)).toEqual([[0n, 10n, 1n]]);
    window.advance(3);
    expect(values(window.push(batch(i64, [6n, "a", 1n])).late)).toHaveLength(1);
  });

  it("names the row without a time, and a time it cannot hold", () => {
    const window = new WindowAggregate(counting, i64);
    window.push(batch(i64, [5n, "a", 1n], [5n, "a", 1n]));
    const nulls = batch(i64, [5n, "a", 1n], [null, "a", 1n]);
    expect(() => window.push(nulls)).toThrow(expect.objectContaining({ code: "TIME_NULL", where: "row 3" }));
    for (const time of [2n ** 53n, -(2n ** 53n), 2n ** 63n - 1n]) {
      expect(() => decide([5n, time]), String(time)).toThrow(
        expect.objectContaining({ code: "TIME_RANGE", where: "row 1", facts: expect.objectContaining({ row: 1 }) }),
      );
    }
    expect(decide([2n ** 53n - 20n]).rest).toHaveLength(1);
  });
});

describe("aggregates", () => {
  it("skip nulls, and are null over no values; count() counts rows", () => {
    const window = new WindowAggregate(
      { ...plan, aggregates: [...plan.aggregates, { name: "some", kind: "count", column: "v" }] },
      i64,
    );
    window.push(batch(i64, [1n, "a", null], [2n, "b", 4n], [3n, "b", null], [4n, "b", -1n], [5n, null, 0n]));
    expect(values(window.end().rows)).toEqual([
      [0n, 10n, "a", 1n, null, null, null, null, 0n],
      [0n, 10n, "b", 3n, 3n, -1n, 4n, 1.5, 2n],
      [0n, 10n, null, 1n, 0n, 0n, 0n, 0, 1n],
    ]);
  });

  it("keep the type of the column in min and max", () => {
    expect(aggregated("max", "u8", [3, 255, 0])).toBe(255);
    expect(aggregated("min", "i8", [3, -128, 0])).toBe(-128);
    expect(aggregated("max", "u64", [1n, 2n ** 64n - 1n, 5n])).toBe(2n ** 64n - 1n);
    expect(aggregated("min", "u64", [2n ** 63n, 2n ** 63n - 1n])).toBe(2n ** 63n - 1n);
    expect(aggregated("min", "i64", [-(2n ** 63n), 2n ** 63n - 1n])).toBe(-(2n ** 63n));
    expect(aggregated("max", "timestamp", [-5n, -7n])).toBe(-5n);
    expect(aggregated("max", "f32", [0.5, -1.5])).toBe(0.5);
    expect(aggregated("max", "i64", [2n ** 32n, 2n ** 32n - 1n, 2n ** 31n])).toBe(2n ** 32n);
  });

  it("treat NaN as larger than every number", () => {
    expect(aggregated("max", "f64", [1, Number.NaN, 2])).toBeNaN();
    expect(aggregated("min", "f64", [Number.NaN, 2, 1])).toBe(1);
    expect(aggregated("min", "f64", [Number.NaN])).toBeNaN();
    expect(aggregated("max", "f64", [Number.NEGATIVE_INFINITY])).toBe(Number.NEGATIVE_INFINITY);
  });

  it("sum integers exactly past 2^53, and floats in row order", () => {
    const big = 2n ** 53n - 1n;
    expect(aggregated("sum", "i64", [big, 1n, 1n, 1n])).toBe(big + 3n);
    expect(aggregated("sum", "i64", [2n ** 62n, 2n ** 62n, -(2n ** 62n), 5n])).toBe(2n ** 62n + 5n);
    expect(aggregated("sum", "u64", [2n ** 63n - 1n, 0n])).toBe(2n ** 63n - 1n);
    expect(aggregated("sum", "i64", [-big, 2n ** 53n + 1n])).toBe(2n);
    expect(aggregated("mean", "i64", [2n ** 62n, 2n ** 62n])).toBe(2 ** 62);
    expect(aggregated("sum", "f64", [0.1, 0.2, 0.3])).toBe(0.1 + 0.2 + 0.3);
    expect(aggregated("sum", "f64", [0.3, 0.2, 0.1])).toBe(0.3 + 0.2 + 0.1);
    expect(aggregated("mean", "i32", [1, 2])).toBe(1.5);
  });

  it("refuse a sum that leaves 64 bits", () => {
    expect(() => aggregated("sum", "i64", [2n ** 63n - 1n, 1n])).toThrow(
      expect.objectContaining({ code: "AGGREGATE_OVERFLOW", where: expect.stringMatching(/^window 1970-01-01/) }),
    );
    expect(() => aggregated("sum", "u64", [2n ** 63n])).toThrow(
      expect.objectContaining({ code: "AGGREGATE_OVERFLOW" }),
    );
  });
});

describe("outputSchema", () => {
  it("lists bounds, keys and aggregates", () => {
    expect(
      outputSchema(plan, table("i32", false)).fields.map(({ name, type, nullable }) => [name, type, nullable]),
    ).toEqual([
      ["start", "timestamp", false],
      ["end", "timestamp", false],
      ["k", "dict", true],
      ["count", "i64", false],
      ["sum", "i64", false],
      ["min", "i32", false],
      ["max", "i32", false],
      ["mean", "f64", false],
    ]);
  });

  it("says what is wrong with a plan", () => {
    const wrong: readonly [string, Partial<WindowPlan>, Schema][] = [
      ["COLUMN_MISSING", { keys: ["x"] }, i64],
      ["COLUMN_MISSING", { time: "x" }, i64],
      ["COLUMN_MISSING", { aggregates: [{ name: "a", kind: "count", column: "x" }] }, i64],
      ["TIME_COLUMN_TYPE", { time: "v" }, i64],
      ["KEY_TYPE", { keys: ["v"] }, table("f64")],
      ["AGGREGATE_TYPE", {}, table("utf8")],
      ["AGGREGATE_TYPE", { aggregates: [{ name: "a", kind: "sum", column: "t" }] }, i64],
      ["WINDOW_INVALID", { sizeUs: 0 }, i64],
      ["WINDOW_INVALID", { latenessUs: -1 }, i64],
      ["WINDOW_INVALID", { outOfOrderUs: 0.5 }, i64],
      ["WINDOW_INVALID", { aggregates: [{ name: "a", kind: "sum" }] }, i64],
      ["SCHEMA_INVALID", { aggregates: [{ name: "end", kind: "count" }] }, i64],
    ];
    for (const [code, change, schema] of wrong) {
      expect(() => outputSchema({ ...plan, ...change }, schema), code).toThrow(
        expect.objectContaining({ code, kind: "config" }),
      );
    }
  });
});

describe("state", () => {
  it("is one small block for thousands of keys, and restores", async () => {
    const window = new WindowAggregate(plan, i64);
    window.push(batch(i64, ...Array.from({ length: 2000 }, (_, i) => [BigInt(i % 20), `k${i}`, BigInt(i)])));
    const states = new SavedStates();
    const saved = window.save(sha256);
    expect(saved.root.bytes.length).toBeLessThan(2000 * 60);
    expect(saved.fresh).toEqual([]);
    const again = await WindowAggregate.restore(plan, i64, states.source(states.keep(saved)));
    expect(again.save(sha256).root.cid).toEqual(saved.root.cid);
    expect(values(again.end().rows)).toEqual(values(window.end().rows));
  });

  it("forgets keys that no window needs, and none that one needs", () => {
    const counts = new WindowAggregate({ ...plan, outOfOrderUs: 10, aggregates: [{ name: "n", kind: "count" }] }, i64);
    const wave = (i: number): Value[][] =>
      Array.from({ length: 5000 }, (_, n) => [BigInt(10 * i + (n % 10)), `k${5000 * i + n}`, 1n]);
    let rows = 0;
    const check = (batches: readonly Batch[]): void => {
      for (const one of batches) for (let row = 0; row < one.rows; row++) if (rowValues(one, row)[3] === 2n) rows++;
    };
    for (let i = 0; i < 35; i++) {
      check(counts.push(batch(i64, ...wave(i))).rows);
      check(counts.push(batch(i64, ...wave(i))).rows);
    }
    expect(counts.keysKnown).toBeLessThan(115_000);
    check(counts.end().rows);
    expect(rows).toBe(35 * 5000);
  });

  it("forgets the keys of late rows", () => {
    const keyed = new WindowAggregate({ ...counting, keys: ["k"] }, i64);
    keyed.push(batch(i64, [1000n, "now", 1n]));
    for (let i = 0; i < 35; i++) {
      const late = Array.from({ length: 4000 }, (_, n): Value[] => [1n, `k${4000 * i + n}`, 1n]);
      expect(keyed.push(batch(i64, ...late)).late[0]?.rows).toBe(4000);
    }
    expect(keyed.keysKnown).toBeLessThan(75_000);
    expect(values(keyed.end().rows)).toEqual([[1000n, 1010n, "now", 1n]]);
  });

  it("takes a watermark only where event times can be", () => {
    for (const time of [0.5, 2 ** 60, Number.NaN]) {
      expect(() => new WindowAggregate(counting, i64).advance(time)).toThrow(
        expect.objectContaining({ code: "TIME_RANGE" }),
      );
    }
  });

  it("restores keys that begin with a byte order mark as what they are", async () => {
    const rows = (from: bigint) => batch(i64, [from, "\u{feff}x", 1n], [from, "x", 2n]);
    const straight = new WindowAggregate(plan, i64);
    straight.push(rows(1n));
    const states = new SavedStates();
    const stopped = await WindowAggregate.restore(plan, i64, states.source(states.keep(straight.save(sha256))));
    for (const window of [straight, stopped]) window.push(rows(2n));
    const table = values(straight.end().rows);
    expect(table.map((row) => row[2])).toEqual(["x", "\u{feff}x"]);
    expect(values(stopped.end().rows)).toEqual(table);
  });

  it("refuses a state that is not one, and batches of another schema", async () => {
    const taken = dagCbor.decode<object>(new WindowAggregate(plan, i64).save(sha256).root.bytes);
    for (const state of [null, {}, { ...taken, windows: 1 }, { ...taken, seen: "x" }, { ...taken, more: 1 }]) {
      const states = new SavedStates();
      const root = states.keep({ root: rawBlock(sha256, dagCbor.encode(state)), fresh: [] });
      await expect(WindowAggregate.restore(plan, i64, states.source(root))).rejects.toMatchObject({
        code: "WINDOW_SNAPSHOT_MALFORMED",
      });
    }
    const window = new WindowAggregate(plan, i64);
    window.push(batch(i64, [1n, "a", 1n], [1n, "b", 1n]));
    const twice = dagCbor.decode<{ keys: { bytes: Uint8Array } }>(window.save(sha256).root.bytes);
    twice.keys.bytes.copyWithin(3, 0, 3);
    const states = new SavedStates();
    const root = states.keep({ root: rawBlock(sha256, dagCbor.encode(twice)), fresh: [] });
    await expect(WindowAggregate.restore(plan, i64, states.source(root))).rejects.toMatchObject({
      code: "WINDOW_SNAPSHOT_MALFORMED",
      message: "not a window's snapshot: order of keys",
    });
    expect(() => window.push(batch(table("i32"), [1n, "a", 1]))).toThrow(
      expect.objectContaining({ code: "SCHEMA_MISMATCH" }),
    );
  });

  it("cuts output into batches of the size asked for", () => {
    const window = new WindowAggregate(plan, i64, { batchRows: 300 });
    window.push(batch(i64, ...Array.from({ length: 1000 }, (_, i) => [1n, `k${i}`, 1n])));
    expect(window.end().rows.map((one) => one.rows)).toEqual([300, 300, 300, 100]);
  });
});

describe("WindowRows", () => {
  it("gives the values of watched windows in row order, without late rows", () => {
    const windows = [
      { start: 0n, keys: ["a"] },
      { start: 0, keys: [null] },
      { start: 10, keys: ["zz"] },
    ];
    const watch = new WindowRows(plan, i64, { column: "v", windows });
    watch.push(batch(i64, [1n, "a", 3n], [2n, "b", 4n], [3n, "a", null], [4n, null, 5n]));
    watch.push(batch(i64, [5n, "a", -1n]));
    watch.advance(9);
    watch.push(batch(i64, [9n, "b", -1n]));
    watch.advance(10);
    watch.push(batch(i64, [6n, "a", 8n], [10n, "a", 9n], [6n, "a", 8n]));
    expect(watch.result()).toEqual([
      { start: 0, keys: ["a"], rows: 3, values: [3n, -1n] },
      { start: 0, keys: [null], rows: 1, values: [5n] },
      { start: 10, keys: ["zz"], rows: 0, values: [] },
    ]);
  });

  it("refuses other columns and too many values", () => {
    expect(() => new WindowRows(plan, i64, { column: "k", windows: [] })).toThrow(
      expect.objectContaining({ code: "WINDOW_ROWS_COLUMN" }),
    );
    const watch = new WindowRows(plan, i64, { column: "v", windows: [{ start: 0, keys: ["a"] }], valuesMax: 1 });
    expect(() => watch.push(batch(i64, [1n, "a", 3n], [1n, "a", 3n]))).toThrow(
      expect.objectContaining({ code: "WINDOW_ROWS_LIMIT" }),
    );
  });
});
