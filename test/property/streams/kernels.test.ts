import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaOf } from "../../../src/batch/schema.ts";
import { sha256 } from "../../../src/node.ts";
import { loadKernels } from "../../../src/streams/kernels/kernels.ts";
import type { WindowPlan } from "../../../src/streams/window/plan.ts";
import { WindowAggregate, type WindowOutput } from "../../../src/streams/window/window-aggregate.ts";
import { batchesOf } from "./reference.ts";

const schema = schemaOf([
  { name: "at", type: "timestamp", nullable: false },
  { name: "key", type: "i32", nullable: false },
  { name: "part", type: "u32", nullable: true },
  { name: "price", type: "f64", nullable: false },
  { name: "rate", type: "f32", nullable: true },
  { name: "small", type: "i16", nullable: false },
  { name: "wide", type: "i64", nullable: true },
  { name: "whole", type: "u64", nullable: false },
]);
const KINDS = ["count", "sum", "min", "max", "mean"] as const;
const aggregates = ["price", "rate", "small", "wide", "whole", "at"].flatMap((column) =>
  KINDS.filter((kind) => column !== "at" || kind === "min" || kind === "max").map((kind) => ({
    name: `${kind}_${column}`,
    kind,
    column,
  })),
);
const plans = fc
  .tuple(
    fc.constantFrom(
      { shape: "tumble" as const, sizeUs: 12 },
      { shape: "tumble" as const, sizeUs: 40, emit: "retract" as const },
      { shape: "hop" as const, sizeUs: 15, stepUs: 5 },
      { shape: "hop" as const, sizeUs: 14, stepUs: 4 },
      { shape: "cumulate" as const, sizeUs: 20, stepUs: 5 },
      { shape: "session" as const, sizeUs: 6 },
      { shape: "count" as const, sizeUs: 1, rows: 3 },
    ),
    fc.record({ outOfOrderUs: fc.nat(12), latenessUs: fc.nat(12), offsetUs: fc.integer({ min: -9, max: 9 }) }),
    fc.subarray(["key", "part"], { minLength: 1 }),
    fc.subarray(aggregates, { minLength: 1 }),
  )
  .map(([shape, times, keys, chosen]): WindowPlan => {
    const all = [{ name: "n", kind: "count" } as const, ...chosen];
    return { time: "at", ...times, ...shape, keys, aggregates: all };
  });
const some = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const row = fc.tuple(
  fc.integer({ min: -30, max: 30 }),
  fc.oneof(fc.nat(8), fc.constantFrom(-1, 300, 5000, 2 ** 20, 2 ** 31 - 1, -(2 ** 31))),
  some(fc.oneof(fc.nat(3), fc.constantFrom(2 ** 31, 2 ** 32 - 1))),
  fc.oneof(fc.double(), fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)),
  some(fc.float()),
  fc.integer({ min: -(2 ** 15), max: 2 ** 15 - 1 }),
  some(fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -9n, max: 2n ** 53n }))),
  fc.oneof(fc.bigInt({ min: 0n, max: 2n ** 60n }), fc.bigInt({ min: 0n, max: 9n })),
);
/** Rows that mostly go forward, so that windows close and some rows are late. */
const tables = fc
  .array(row, { minLength: 1, maxLength: 120, size: "max" })
  .map((all) => all.map(([jitter, ...values], i) => [BigInt(2 * i + jitter), ...values] as const));

interface Seen {
  readonly rows: readonly string[];
  readonly late: readonly string[];
  readonly states: readonly string[];
  readonly failed: string | undefined;
}

/** Everything that a window gives and is, batch by batch. */
function run(plan: WindowPlan, table: Parameters<typeof batchesOf>[1], sizes: readonly number[], after: number): Seen {
  const window = new WindowAggregate(plan, schema, { kernelsAfter: after });
  const [rows, late, states]: [string[], string[], string[]] = [[], [], []];
  const note = (output: WindowOutput): void => {
    for (const batch of output.rows) rows.push(Buffer.from(batch.bytes).toString("hex"));
    for (const batch of output.late) late.push(Buffer.from(batch.bytes).toString("hex"));
    states.push(`${window.save(sha256).root.cid.toString()} ${window.stateBytes} ${window.watermark}`);
  };
  try {
    for (const batch of batchesOf(schema, table, ...sizes)) note(window.push(batch));
    note(window.end());
  } catch (error) {
    return { rows, late, states, failed: String(error) };
  }
  return { rows, late, states, failed: undefined };
}

describe("kernels of windows", () => {
  it("are there", () => {
    expect(loadKernels()).toBeDefined();
  });

  it("make floats of whole numbers of 64 bits as JavaScript does, and say whether all are exact", () => {
    const kernels = loadKernels();
    if (kernels === undefined) throw new Error("no kernels");
    const near = [2n ** 51n, 2n ** 52n, 2n ** 53n, 2n ** 63n].flatMap((edge) => [
      edge - 2n,
      edge - 1n,
      edge,
      edge + 1n,
    ]);
    const edges = fc.constantFrom(0n, ...near, ...near.map((value) => -value));
    const numbers = fc.oneof(
      edges,
      fc.bigInt({ min: -(2n ** 51n), max: 2n ** 51n }),
      fc.bigInt(-(2n ** 63n), 2n ** 64n),
    );
    const lists = fc.oneof(fc.array(numbers), fc.array(fc.bigInt(-(2n ** 50n), 2n ** 50n)));
    fc.assert(
      fc.property(lists, fc.boolean(), (list, isUnsigned) => {
        const words = (isUnsigned ? BigUint64Array : BigInt64Array).from(list);
        const room = new BigInt64Array(kernels.memory.buffer, 1024, list.length);
        room.set(BigInt64Array.from(words));
        const isExact = kernels.widen(1024, list.length, isUnsigned ? 1 : 0) === 1;
        const floats = new Float64Array(kernels.memory.buffer, 1024, list.length);
        expect([...floats]).toEqual(Array.from(words, Number));
        if (isExact) expect([...floats].map(BigInt)).toEqual([...words]);
        else expect([...words].every((value) => value < 2n ** 53n && value > -(2n ** 53n))).toBe(false);
      }),
    );
  });

  it("give the rows and the state that TypeScript gives, to the bit, from whatever row on they work", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 });
    let windows = 0;
    fc.assert(
      fc.property(plans, tables, sizes, fc.constantFrom(0, 0, 20), (plan, table, cut, after) => {
        const expected = run(plan, table, cut, Number.POSITIVE_INFINITY);
        expect(run(plan, table, cut, after)).toEqual(expected);
        windows += expected.rows.length;
      }),
      { numRuns: 100 },
    );
    expect(windows).toBeGreaterThan(100);
  });
});
