import type { Batch } from "../../../src/batch/batch.ts";
import type { Value } from "../../../src/batch/column.ts";
import { RowEncoder, rowValues } from "../../../src/batch/rows.ts";
import type { Schema } from "../../../src/batch/schema.ts";
import { schemaOf } from "../../../src/batch/schema.ts";
import { BatchWriter } from "../../../src/batch/writer.ts";
import { compareBytes } from "../../../src/core/bytes.ts";
import type { WindowPlan } from "../../../src/streams/window/plan.ts";

export type TestRow = readonly Value[];

/** Rows as batches of the given sizes, the last size repeated. */
export function batchesOf(schema: Schema, rows: readonly TestRow[], ...sizes: readonly number[]): Batch[] {
  const writer = new BatchWriter(schema);
  const batches: Batch[] = [];
  let next = 0;
  for (const row of rows) {
    writer.push(row);
    if (writer.rows < (sizes[Math.min(next, sizes.length - 1)] ?? rows.length)) continue;
    next++;
    batches.push(writer.take());
  }
  if (writer.rows > 0) batches.push(writer.take());
  return batches;
}

export function rowsOf(batches: readonly Batch[]): Value[][] {
  return batches.flatMap((batch) => Array.from({ length: batch.rows }, (_, row) => rowValues(batch, row)));
}

export function leavesOf(batches: readonly Batch[]): string[] {
  const encoder = new RowEncoder();
  return batches.flatMap((batch) =>
    Array.from({ length: batch.rows }, (_, row) => Buffer.from(encoder.encode(batch, row)).toString("hex")),
  );
}

interface Group {
  start: bigint;
  key: Value[];
  bytes: Uint8Array;
  rows: TestRow[];
}

/** The semantics in bigints, row objects and no cleverness at all. */
export function reference(
  plan: WindowPlan,
  schema: Schema,
  rows: readonly TestRow[],
): { rows: Value[][]; late: TestRow[] } {
  const at = (name: string): number => schema.fields.findIndex((field) => field.name === name);
  const size = BigInt(plan.sizeUs);
  const offset = BigInt(plan.offsetUs ?? 0);
  const groups = new Map<string, Group>();
  const late: TestRow[] = [];
  let newest: bigint | undefined;
  for (const row of rows) {
    const time = row[at(plan.time)] as bigint;
    const start = time - ((((time - offset) % size) + size) % size);
    if (newest !== undefined && start + size + BigInt(plan.latenessUs) <= newest - BigInt(plan.outOfOrderUs))
      late.push(row);
    else {
      const key = plan.keys.map((name) => row[at(name)] as Value);
      const bytes = keyBytes(plan, schema, key);
      const name = `${start}/${Buffer.from(bytes).toString("hex")}`;
      const group = groups.get(name) ?? { start, key, bytes, rows: [] };
      group.rows.push(row);
      groups.set(name, group);
    }
    if (newest === undefined || time > newest) newest = time;
  }
  const ordered = [...groups.values()].sort((a, b) => Number(a.start - b.start) || compareBytes(a.bytes, b.bytes));
  return {
    late,
    rows: ordered.map((group) => [
      group.start,
      group.start + size,
      ...group.key,
      ...plan.aggregates.map(({ kind, column }) => {
        if (column === undefined) return BigInt(group.rows.length);
        const values = group.rows.map((row) => row[at(column)] as Value).filter((value) => value !== null);
        return folded(kind, values as (number | bigint)[]);
      }),
    ]),
  };
}

function folded(kind: string, values: readonly (number | bigint)[]): Value {
  if (kind === "count") return BigInt(values.length);
  if (values.length === 0) return null;
  if (kind === "min" || kind === "max")
    return values.reduce((best, value) => ((kind === "min" ? value < best : value > best) ? value : best));
  const whole = values.every((value) => typeof value === "bigint" || Number.isInteger(value));
  const total = whole
    ? values.reduce<bigint>((sum, value) => sum + BigInt(value), 0n)
    : values.reduce<number>((sum, value) => sum + (value as number), 0);
  return kind === "mean" ? Number(total) / values.length : total;
}

function keyBytes(plan: WindowPlan, schema: Schema, key: readonly Value[]): Uint8Array {
  if (plan.keys.length === 0) return Uint8Array.of(0x80);
  const fields = plan.keys.map((name) => schema.fields.find((field) => field.name === name));
  const writer = new BatchWriter(schemaOf(fields.filter((field) => field !== undefined)));
  writer.push(key);
  return new RowEncoder().encode(writer.take(), 0).slice();
}
