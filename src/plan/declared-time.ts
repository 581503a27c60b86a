import type { Schema } from "../batch/schema.ts";
import type { TimeConfig } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import { timeField } from "../streams/window/plan.ts";

/** Checks that the columns of a declared event time are there, whether or not anybody reads it. Throws `COLUMN_MISSING` and `TIME_COLUMN_TYPE`. */
export async function checkTime(path: readonly string[], schema: Schema, time: TimeConfig | undefined): Promise<void> {
  if (time === undefined) return;
  await atPlace([...path, "time", "column"], () => timeField(schema, time.column));
  const { punctuated } = time;
  if (punctuated !== undefined) await atPlace([...path, "time", "punctuated"], () => timeField(schema, punctuated));
}
