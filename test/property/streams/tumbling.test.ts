import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import type { Field } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { sha256 } from "../../../src/node.ts";
import type { WindowPlan } from "../../../src/streams/window/plan.ts";
import { WindowAggregate } from "../../../src/streams/window/window-aggregate.ts";
import { WindowRows } from "../../../src/streams/window/window-rows.ts";
import { SavedStates } from "../../support/saved-states.ts";
import type { TestRow } from "./reference.ts";
import { batchesOf, leavesOf, reference, rowsOf } from "./reference.ts";

const FIELDS: readonly Field[] = [
  { name: "t", type: "timestamp", nullable: false },
  { name: "city", type: "dict", nullable: true },
  { name: "code", type: "i64", nullable: true },
  { name: "note", type: "utf8", nullable: false },
  { name: "flag", type: "bool", nullable: true },
  { name: "hash", type: "fixed", nullable: false, width: 2 },
  { name: "at", type: "u64", nullable: false },
  { name: "v", type: "i64", nullable: false },
  { name: "n", type: "i16", nullable: true },
  { name: "u", type: "u64", nullable: true },
  { name: "f", type: "f64", nullable: true },
  { name: "s", type: "timestamp", nullable: true },
];
const schema = schemaOf(FIELDS);
const KEYS = ["city", "code", "note", "flag", "hash", "at"];

const wide = fc.oneof(
  fc.bigInt({ min: -300n, max: 300n }),
  fc.constantFrom(2n ** 53n - 1n, 2n ** 53n, -(2n ** 53n) - 1n, 2n ** 61n, -(2n ** 61n)),
);
const row: fc.Arbitrary<TestRow> = fc.tuple(
  fc.oneof(fc.bigInt({ min: -60n, max: 60n }), fc.bigInt({ min: -500n, max: 500n })),
  fc.option(fc.constantFrom("LAX", "JFK", "", "Zürich", "東京"), { nil: null }),
  fc.option(fc.constantFrom(0n, 7n, -1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n)), { nil: null }),
  fc.constantFrom("a", "b", "long enough to matter", "é"),
  fc.option(fc.boolean(), { nil: null }),
  fc.constantFrom(Uint8Array.of(0, 0), Uint8Array.of(255, 1), Uint8Array.of(1, 255)),
  fc.constantFrom(0n, 5n, 2n ** 63n, 2n ** 64n - 1n),
  wide,
  fc.option(fc.integer({ min: -32_768, max: 32_767 }), { nil: null }),
  fc.option(fc.bigInt({ min: 0n, max: 2n ** 58n }), { nil: null }),
  fc.option(fc.double({ min: 0.001, max: 1e6, noInteger: true, noNaN: true }), { nil: null }),
  fc.option(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), { nil: null }),
);

const plans: fc.Arbitrary<WindowPlan> = fc.record({
  time: fc.constant("t"),
  outOfOrderUs: fc.constantFrom(0, 1, 13, 40n),
  sizeUs: fc.constantFrom(1, 7, 10, 64n),
  offsetUs: fc.constantFrom(0, 3, -3, 100n),
  latenessUs: fc.constantFrom(0, 1, 25n),
  keys: fc.subarray(KEYS, { maxLength: 3 }),
  aggregates: fc.constant([
    { name: "rows", kind: "count" as const },
    { name: "ns", kind: "count" as const, column: "n" },
    ...(["sum", "min", "max", "mean"] as const).flatMap((kind) =>
      ["v", "n", "u", "f"].map((column) => ({ name: `${kind}_${column}`, kind, column })),
    ),
    { name: "first", kind: "min" as const, column: "s" },
    { name: "last", kind: "max" as const, column: "s" },
  ]),
});

async function run(
  plan: WindowPlan,
  batches: readonly Batch[],
  cuts: readonly number[] = [],
): Promise<{ rows: Batch[]; late: Batch[]; state: string }> {
  const states = new SavedStates();
  let window = new WindowAggregate(plan, schema);
  const rows: Batch[] = [];
  const late: Batch[] = [];
  for (const [i, batch] of batches.entries()) {
    if (cuts.includes(i))
      window = await WindowAggregate.restore(plan, schema, states.source(states.keep(window.save(sha256))));
    const step = window.push(batch);
    rows.push(...step.rows);
    late.push(...step.late);
  }
  const state = window.save(sha256).root.cid.toString();
  rows.push(...window.end().rows);
  return { rows, late, state };
}

describe("WindowAggregate", () => {
  it("gives what the definition gives", async () => {
    await fc.assert(
      fc.asyncProperty(plans, fc.array(row, { maxLength: 60 }), async (plan, rows) => {
        const expected = reference(plan, schema, rows);
        const found = await run(plan, batchesOf(schema, rows, 5));
        expect(rowsOf(found.late)).toEqual(expected.late);
        expect(rowsOf(found.rows)).toEqual(expected.rows);
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same rows, late rows and state however the input is cut, and across saved states", async () => {
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        fc.array(fc.nat(39)),
        async (plan, rows, sizes, cuts) => {
          const whole = await run(plan, batchesOf(schema, rows, rows.length));
          for (const [batches, at] of [
            [batchesOf(schema, rows, 1), []],
            [batchesOf(schema, rows, ...sizes), []],
            [batchesOf(schema, rows, ...sizes), cuts],
          ] as const) {
            const other = await run(plan, batches, at);
            expect(leavesOf(other.rows)).toEqual(leavesOf(whole.rows));
            expect(leavesOf(other.late)).toEqual(leavesOf(whole.late));
            expect(other.state).toBe(whole.state);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("is explained by WindowRows: its values fold to the output row", async () => {
    await fc.assert(
      fc.asyncProperty(
        plans,
        fc.array(row, { minLength: 1, maxLength: 60 }),
        fc.constantFrom("v", "n", "u"),
        async (plan, rows, column) => {
          const batches = batchesOf(schema, rows, 7);
          const out = rowsOf((await run(plan, batches)).rows);
          const keys = plan.keys.length;
          const watch = new WindowRows(plan, schema, {
            column,
            windows: out.map((values) => ({ start: values[0] as bigint, keys: values.slice(2, 2 + keys) })),
          });
          for (const batch of batches) watch.push(batch);
          const at = (name: string): number =>
            2 + keys + plan.aggregates.findIndex((aggregate) => aggregate.name === name);
          watch.result().forEach(({ rows: count, values }, i) => {
            const expected = out[i] ?? [];
            expect(BigInt(count)).toBe(expected[at("rows")]);
            expect(values.length === 0 ? null : values.reduce((a, b) => a + b, 0n)).toEqual(
              expected[at(`sum_${column}`)],
            );
            const max = values.length === 0 ? null : values.reduce((a, b) => (b > a ? b : a));
            expect(max).toEqual(
              column === "n" && max !== null ? BigInt(expected[at("max_n")] as number) : expected[at(`max_${column}`)],
            );
          });
        },
      ),
      { numRuns: 100 },
    );
  });
});
