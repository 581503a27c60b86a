import type { Schema } from "../batch/schema.ts";
import { type Config, declaredTime, type StreamTaskConfig } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import type { ConfigPath } from "../config/problem.ts";
import type { StreamForm, StreamStep } from "../consensus/stream-form.ts";
import { type StreamInput, streamPorts } from "../runtime/stage/stream-schema.ts";

/** Where a configuration writes each kind of step. */
const STEP_KEYS: Readonly<Record<StreamStep["kind"], string>> = {
  union: "input",
  join: "join",
  filter: "filter",
  select: "select",
  window: "window",
  scan: "scan",
  dedup: "dedup",
  top: "top",
};

/**
 * A task of stream operators in normal form, and the columns of its output ports. `inputs` are in the task's order. Errors name the
 * place in the configuration: see `streamPorts`.
 */
export async function planStream(
  config: Config,
  task: StreamTaskConfig,
  inputs: readonly StreamInput[],
): Promise<{ readonly operator: StreamForm; readonly ports: Readonly<Record<string, Schema>> }> {
  const declared = [task.input, ...task.beside].map((name) => declaredTime(config, name)?.time);
  const operator: StreamForm = {
    kind: "stream",
    times: declared.map((time) =>
      time === undefined ? null : { column: time.column, outOfOrderUs: time.outOfOrderUs },
    ),
    steps: [...task.steps],
  };
  // Which columns there are is known step after step: the place is where the walk over them stopped.
  const base = ["tasks", task.name];
  let place: ConfigPath = base;
  const walk = (): Readonly<Record<string, Schema>> =>
    streamPorts(operator, inputs, (step, part) => {
      const kind = task.steps[step]?.kind ?? "union";
      place = part === undefined ? [...base, STEP_KEYS[kind]] : [...base, STEP_KEYS[kind], part];
    });
  try {
    return { operator, ports: walk() };
  } catch {
    return { operator, ports: await atPlace(place, walk) };
  }
}
