import type { Batch } from "../../batch/batch.ts";
import type { Value } from "../../batch/column.ts";
import type { Schema } from "../../batch/schema.ts";
import type { Operator } from "../../consensus/result.ts";
import { WindowRows } from "../../streams/window/window-rows.ts";
import { windowPlan } from "./window-operator.ts";

/** A window by its start in microseconds and its key. */
export interface WantedWindow {
  readonly start: bigint;
  readonly keys: readonly Value[];
}

/** What a window was made of: the column's values in row order, and how many of its rows have none. */
export interface WindowContent {
  readonly values: readonly bigint[];
  readonly nulls: number;
}

/** Values behind the windows wanted, by passing over the task's whole input again. Rows too late for a window are left out, as they were. */
export async function windowValues(
  form: Extract<Operator, { kind: "window" }>,
  schema: Schema,
  column: string,
  windows: readonly WantedWindow[],
  input: AsyncIterable<Batch>,
): Promise<WindowContent[]> {
  const rows = new WindowRows(windowPlan(form), schema, { column, windows });
  for await (const batch of input) rows.push(batch);
  return rows.result().map((found) => ({ values: found.values, nulls: found.rows - found.values.length }));
}
