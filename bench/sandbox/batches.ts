import type { Batch } from "../../src/batch/batch.ts";
import { schemaOf } from "../../src/batch/schema.ts";
import { BatchWriter } from "../../src/batch/writer.ts";
import { POLICIES } from "../../src/sandbox/policy.ts";
import type { Call, ModuleHandle, ModuleSpec } from "../../src/sandbox/port.ts";

/** Columns of the benches: how late a flight was, and how far it went. */
export const FLIGHTS = schemaOf([
  { name: "delay", type: "i32", nullable: false },
  { name: "distance", type: "f64", nullable: false },
]);

/** Rows of flights, the same for the same number, in memory that lanes read without a copy. */
export function flights(rows: number, number = 0): Batch {
  const writer = new BatchWriter(FLIGHTS, { shared: true });
  for (let i = 0; i < rows; i++) writer.push([((i * 7919 + number * 104_729) % 90) - 30, (i * 31 + number) % 2500]);
  return writer.take();
}

/** A module under the policy `standard`. */
export function specOf(bytes: Uint8Array, kind: "rows" | "batch"): ModuleSpec {
  return {
    ...POLICIES.standard,
    bytes,
    cid: "bench",
    abi: "ipdm/1",
    kind,
    columns: null,
    timeoutMs: 10_000,
  };
}

const seed = new Uint8Array(32);

/** So many calls over batches in turn. */
export function* callsOf(batches: readonly Batch[], count: number): Generator<Call> {
  for (let i = 0; i < count; i++) yield { batch: batches[i % batches.length] as Batch, context: { firstRow: 0, seed } };
}

/** Runs calls through a module, a few of them under way at any time; gives the seconds it took. */
export async function secondsOf(handle: ModuleHandle, batches: readonly Batch[], count: number): Promise<number> {
  const start = performance.now();
  for await (const { batch } of handle.processAll(callsOf(batches, count)))
    if (batch.rows < 0) throw new Error("no rows");
  return (performance.now() - start) / 1000;
}
