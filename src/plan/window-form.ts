import { type Config, declaredTime, type WindowTaskConfig } from "../config/config.ts";
import type { Operator } from "../consensus/result.ts";
import { IpdmError } from "../core/errors.ts";

/** A plain window in normal form, and where its event time is declared. Throws `TIME_MISSING` (kind `config`). */
export function windowForm(
  config: Config,
  task: WindowTaskConfig,
): { readonly operator: Extract<Operator, { kind: "window" }>; readonly path: readonly string[] } {
  const declared = declaredTime(config, task.input);
  if (declared === undefined) {
    throw new IpdmError("TIME_MISSING", `${task.input} declares no event time, which a window needs`, {
      kind: "config",
      hint: `declare time: { column: …, outOfOrder: 0s } at the source, or at a module task between ${task.input} and this one`,
    });
  }
  const { time, path } = declared;
  const operator: Extract<Operator, { kind: "window" }> = {
    kind: "window",
    time: time.column,
    outOfOrderUs: time.outOfOrderUs,
    ...(time.punctuated === undefined ? {} : { punctuated: time.punctuated }),
    sizeUs: task.tumbleUs,
    offsetUs: 0,
    latenessUs: task.latenessUs,
    keys: [...task.key],
    aggregates: task.aggregates.map(({ name, kind, column }) => ({ name, kind, column: column ?? null })),
  };
  return { operator, path };
}
