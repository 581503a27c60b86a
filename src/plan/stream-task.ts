import type { Schema } from "../batch/schema.ts";
import { type Config, declaredTime, type StreamTaskConfig } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import type { ConfigPath } from "../config/problem.ts";
import type { StreamForm, StreamStep } from "../consensus/stream-form.ts";
import { MAIN } from "../runtime/plan.ts";
import { type StreamInput, streamPorts } from "../runtime/stage/stream-schema.ts";
import { checkTime } from "./declared-time.ts";

/** Where a configuration writes each kind of step. */
const STEP_KEYS: Readonly<Record<StreamStep["kind"], string>> = {
  union: "input",
  join: "join",
  filter: "filter",
  rename: "rename",
  withColumns: "withColumns",
  select: "select",
  window: "window",
  scan: "scan",
  dedup: "dedup",
  top: "top",
};

/** Keys of a window that stand beside it. */
const BESIDE: readonly unknown[] = ["key", "aggregate"];

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
    times: declared.map((time) => (time === undefined ? null : { ...time })),
    steps: [...task.steps],
  };
  // Which columns there are is known step after step: the place is where the walk over them stopped.
  const base = ["tasks", task.name];
  let place: ConfigPath = base;
  const named = inputs.map(({ name, schema }) => ({ name: name.replace(/^copy:/, ""), schema }));
  const walk = (): Readonly<Record<string, Schema>> => {
    const ports = streamPorts(operator, named, (step, ...part) => {
      const kind = task.steps[step]?.kind ?? "union";
      place = [
        ...base,
        ...(kind === "window" && BESIDE.includes(part[0]) ? [] : [task.called?.[kind] ?? STEP_KEYS[kind]]),
        ...part,
      ];
    });
    return ports;
  };
  const planned = await Promise.resolve()
    .then(walk)
    .catch(() => atPlace(place, walk));
  await checkTime(base, planned[MAIN] as Schema, task.time);
  return { operator, ports: planned };
}
