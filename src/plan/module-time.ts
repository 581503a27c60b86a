import type { Schema } from "../batch/schema.ts";
import { type Config, declaredTime, type ModuleTaskConfig } from "../config/config.ts";
import { atPlace } from "../config/place.ts";
import { callsHaveTime } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import type { ModuleOperatorForm } from "../runtime/stage/module-spec.ts";
import type { ModuleHandle } from "../sandbox/port.ts";
import { timeField } from "../streams/window/plan.ts";

/**
 * The column of a task's input that gives the calls of its module their event time; `undefined` where they have none. A module that
 * asks for a time that it cannot have is refused here, before its first row: throws `MODULE_CAPABILITY_DENIED` (of kind `rows`: its calls are cut
 * anywhere), `TIME_MISSING` (the input declares none), `TIME_COLUMN_TYPE`, `COLUMN_MISSING`, all of kind `config`.
 */
export async function moduleTime(
  config: Config,
  task: ModuleTaskConfig,
  { operator, handle, input }: { operator: ModuleOperatorForm; handle: ModuleHandle; input: Schema },
): Promise<string | undefined> {
  const cid = operator.module.toString();
  if (handle.asksTime && operator.unit === null) {
    throw new IpdmError(
      "MODULE_CAPABILITY_DENIED",
      `module ${cid} asks for the event time of its calls; of kind rows it is called on any rows, so they have none`,
      {
        kind: "config",
        where: `tasks.${task.name}`,
        hint: "take the time from a column of the rows, or declare kind: batch",
        facts: { module: cid, capability: "time" },
      },
    );
  }
  if (!callsHaveTime(operator)) return undefined;
  const declared = declaredTime(config, task.input);
  if (declared !== undefined) {
    const { column } = declared.time;
    await atPlace([...declared.path, "column"], () => timeField(input, column));
    return column;
  }
  if (!handle.asksTime) return undefined;
  throw new IpdmError(
    "TIME_MISSING",
    `module ${cid} asks for the event time of its calls, and ${task.input} declares none`,
    {
      kind: "config",
      where: `tasks.${task.name}`,
      hint: "declare time: { column: … } at the source, or leave time out of the module's capabilities",
      facts: { module: cid, capability: "time" },
    },
  );
}
