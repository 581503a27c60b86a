import { IpdmError } from "../core/errors.ts";
import type { Value } from "./column.ts";
import type { Field } from "./schema.ts";

/** The error of a value that its column cannot hold: `VALUE_MISFIT`. */
export function misfitOf({ name, type }: Field, value: Value): IpdmError {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return new IpdmError("VALUE_MISFIT", `${shown} does not fit column ${name} (${type})`, {
    facts: { column: name, type },
  });
}
