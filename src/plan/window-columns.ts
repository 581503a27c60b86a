import type { Schema } from "../batch/schema.ts";
import { atPlace } from "../config/place.ts";
import { outputSchema, type WindowPlan } from "../streams/window/plan.ts";

/** Checks a window's columns one by one, so that an error names the place of the one that it is about. */
export async function checkColumns(
  plan: WindowPlan,
  schema: Schema,
  task: readonly string[],
  time: readonly string[],
): Promise<void> {
  const bare = { ...plan, keys: [], aggregates: [] };
  await atPlace(time, () => outputSchema(bare, schema));
  for (const [i, key] of plan.keys.entries())
    await atPlace([...task, "key", i], () => outputSchema({ ...bare, keys: [key] }, schema));
  for (const aggregate of plan.aggregates)
    await atPlace([...task, "aggregate", aggregate.name], () =>
      outputSchema({ ...bare, aggregates: [aggregate] }, schema),
    );
}
