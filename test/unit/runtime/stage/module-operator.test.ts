import { describe, expect, it } from "vitest";
import type { Batch } from "../../../../src/batch/batch.ts";
import { schemaOf } from "../../../../src/batch/schema.ts";
import { BatchWriter } from "../../../../src/batch/writer.ts";
import { ModuleOperator } from "../../../../src/runtime/stage/module-operator.ts";
import { inOrder } from "../../../../src/sandbox/in-order.ts";
import type { Call, ModuleHandle, Processed } from "../../../../src/sandbox/port.ts";

const schema = schemaOf([{ name: "n", type: "i32", nullable: false }]);
const { signal } = new AbortController();
const seed = new Uint8Array(32);

function batchOf(...values: readonly number[]): Batch {
  const writer = new BatchWriter(schema);
  for (const value of values) writer.push([value]);
  return writer.take();
}

const numbersOf = ({ columns: [column] }: Batch): number[] => [...((column?.values ?? []) as Int32Array)];

/** A module that gives rows back, counts its calls, and fails at a value. */
function echo() {
  const rows: number[] = [];
  const run = ({ batch, context }: Call): Promise<Processed> => {
    rows.push(context.firstRow);
    const isBad = numbersOf(batch).includes(13);
    return isBad ? Promise.reject(new Error(`row ${context.firstRow}`)) : Promise.resolve({ batch, fuel: batch.rows });
  };
  const handle: Partial<ModuleHandle> = {
    process: async (batch, context) => (await run({ batch, context })).batch,
    processAll: (calls) => inOrder(calls, run),
  };
  return { rows, operator: new ModuleOperator(handle as ModuleHandle, seed) };
}

const values = (outputs: Readonly<Record<string, readonly Batch[]>>): number[] =>
  Object.values(outputs).flat().flatMap(numbersOf);

describe("the operator of a module", () => {
  it("calls the module once for rows that it began with, and gives what it would have given", async () => {
    const { rows, operator } = echo();
    const [first, second, third] = [[batchOf(1, 2)], [batchOf(3), batchOf(4)], [batchOf(5)]] as const;
    operator.prepare(first, 0, signal);
    expect(rows).toEqual([]);
    expect(values(await operator.push(first, 0, signal))).toEqual([1, 2]);
    operator.takeFuel();
    const checked = rows.length;
    operator.prepare(second, 2, signal);
    operator.prepare(third, 4, signal);
    await new Promise((resolve) => setImmediate(resolve));
    expect(rows.slice(checked)).toEqual([2, 4]);
    expect(operator.takeFuel()).toBe(0);
    expect(values(await operator.push(second, 2, signal))).toEqual([3, 4]);
    expect(operator.takeFuel()).toBe(2);
    // Others than it began with are called for.
    expect(values(await operator.push([batchOf(6)], 4, signal))).toEqual([6]);
    expect(rows.slice(checked)).toEqual([2, 4, 4]);
    expect(operator.takeFuel()).toBe(1);
  });

  it("fails when the rows are due, not before", async () => {
    const { operator } = echo();
    const [first, bad] = [[batchOf(1)], [batchOf(13)]] as const;
    await operator.push(first, 0, signal);
    operator.prepare(bad, 1, signal);
    await new Promise((resolve) => setImmediate(resolve));
    await expect(operator.push(bad, 1, signal)).rejects.toThrow("row 1");
  });
});
