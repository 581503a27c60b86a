import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Value } from "../../../src/batch/column.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { sha256 } from "../../../src/node.ts";
import type { WindowPlan } from "../../../src/streams/window/plan.ts";
import { WindowAggregate } from "../../../src/streams/window/window-aggregate.ts";
import { SavedStates } from "../../support/saved-states.ts";
import { batchesOf, leavesOf, rowsOf } from "./reference.ts";
import { type Out, type R, WindowReference } from "./window-reference.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "who", type: "dict", nullable: true },
  { name: "amount", type: "i64", nullable: true },
]);
const base = {
  time: "at",
  keys: ["who"],
  aggregates: [
    { name: "n", kind: "count" },
    { name: "sum", kind: "sum", column: "amount" },
    { name: "most", kind: "max", column: "amount" },
  ],
} as const;
const row = fc.tuple(
  fc.bigInt({ min: -20n, max: 90n }),
  fc.option(fc.constantFrom("a", "b", "cc"), { nil: null }),
  fc.option(fc.bigInt({ min: -(2n ** 54n), max: 2n ** 54n }), { nil: null }),
);
/** Rows that mostly go forward, so that windows close and some rows are late. */
const rows = fc
  .array(fc.tuple(row, fc.integer({ min: -30, max: 30 })), { maxLength: 60, size: "max" })
  .map((all): R[] =>
    all.map(([[time, who, amount], jitter], i) => [(time % 7n) + BigInt(4 * i + jitter), who, amount]),
  );
const times = fc.record({
  outOfOrderUs: fc.nat(12),
  latenessUs: fc.nat(12),
  offsetUs: fc.integer({ min: -9, max: 9 }),
});
const emit = fc.constantFrom("final" as const, "upsert" as const, "retract" as const);
const fixed = fc.oneof(
  fc.record({ shape: fc.constant("tumble" as const), sizeUs: fc.integer({ min: 1, max: 20 }) }),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 0, max: 15 }))
    .map(([stepUs, more]) => ({ shape: "hop" as const, stepUs, sizeUs: stepUs + more })),
  fc
    .tuple(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 5 }))
    .map(([stepUs, steps]) => ({ shape: "cumulate" as const, stepUs, sizeUs: stepUs * steps })),
);
const shape: fc.Arbitrary<Partial<WindowPlan> & { sizeUs: number }> = fc.oneof(
  fc.tuple(fixed, emit).map(([each, how]) => ({ ...each, emit: how })),
  fc
    .record({ sizeUs: fc.integer({ min: 1, max: 15 }), emit: fc.constantFrom("final" as const, "retract" as const) })
    .map((each) => ({ ...each, shape: "session" as const })),
  fc.integer({ min: 1, max: 5 }).map((count) => ({ shape: "count" as const, sizeUs: 1, rows: count })),
  fc
    .tuple(
      fc.constantFrom({ shape: "tumble" as const, sizeUs: 12 }, { shape: "global" as const, sizeUs: 1 }),
      fc.oneof(
        fc.integer({ min: 1, max: 4 }).map((count) => ({ rows: count })),
        fc.integer({ min: 1, max: 20 }).map((timeUs) => ({ timeUs })),
      ),
    )
    .map(([each, trigger]) => ({ ...each, emit: "upsert" as const, trigger })),
);
const plans = fc.tuple(shape, times).map(([each, time]): WindowPlan => ({ ...base, ...time, ...each }));

function plain(plan: WindowPlan, out: readonly Value[][]): Out[] {
  return out.map(([start, end, key, n, sum, most, change]) => [
    Number(start),
    Number(end),
    key as string | null,
    Number(n),
    sum as bigint | null,
    most as bigint | null,
    plan.emit === "retract" ? String(change) : "insert",
  ]);
}

describe("windows of every shape", () => {
  it("give what the definition gives, row by row", () => {
    let late = 0;
    let retracted = 0;
    fc.assert(
      fc.property(plans, rows, (plan, table) => {
        const expected = new WindowReference(plan);
        for (const each of table) expected.push(each);
        expected.end();
        const window = new WindowAggregate(plan, schema);
        const outputs = [...batchesOf(schema, table, 60).map((batch) => window.push(batch)), window.end()];
        expect(plain(plan, rowsOf(outputs.flatMap((output) => output.rows)))).toEqual(expected.out);
        expect(rowsOf(outputs.flatMap((output) => output.late))).toEqual(expected.late);
        late += expected.late.length;
        retracted += expected.out.filter(([, , , , , , change]) => change === "retract").length;
      }),
      { numRuns: 400 },
    );
    expect(late).toBeGreaterThan(20);
    expect(retracted).toBeGreaterThan(20);
  });

  it("give the same rows and the same state however the input is cut and wherever it is saved and restored", async () => {
    const rich: WindowPlan["aggregates"] = [
      { name: "mean", kind: "mean", column: "amount" },
      { name: "low", kind: "min", column: "amount" },
      { name: "first", kind: "first", column: "who" },
      { name: "last", kind: "last", column: "amount" },
      { name: "spread", kind: "variance", column: "amount" },
      { name: "people", kind: "distinct", column: "who" },
      { name: "about", kind: "approxDistinct", column: "amount" },
      { name: "median", kind: "quantile", column: "amount", option: 0.5 },
      { name: "top", kind: "topK", column: "amount", option: 3 },
      { name: "some", kind: "collect", column: "who", option: 4 },
    ];
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(plans, rows, sizes, fc.array(fc.nat(30)), async (given, table, cut, restores) => {
        const plan: WindowPlan = { ...given, aggregates: rich };
        const whole = new WindowAggregate(plan, schema);
        const expected = batchesOf(schema, table, 60).map((batch) => whole.push(batch));
        const state = whole.save(sha256);
        expected.push(whole.end());
        const states = new SavedStates();
        let window = new WindowAggregate(plan, schema);
        const found = [];
        for (const [i, batch] of batchesOf(schema, table, ...cut).entries()) {
          found.push(window.push(batch));
          if (!restores.includes(i)) continue;
          window = await WindowAggregate.restore(plan, schema, states.source(states.keep(window.save(sha256))));
        }
        expect(window.save(sha256).root.cid.toString()).toBe(state.root.cid.toString());
        found.push(window.end());
        for (const side of ["rows", "late"] as const)
          expect(leavesOf(found.flatMap((output) => output[side]))).toEqual(
            leavesOf(expected.flatMap((output) => output[side])),
          );
      }),
      { numRuns: 80 },
    );
  });
});
