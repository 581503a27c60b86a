import { IpdmError } from "../../core/errors.ts";

/** An input without an event time. */
export function untimed(what: string): IpdmError {
  return new IpdmError("TIME_MISSING", what, {
    kind: "config",
    hint: "declare time: { column: …, outOfOrder: 0s } at the sources, or at tasks before this one",
  });
}

/** Inputs that do not go together. */
export function mismatch(what: string, hint: string): IpdmError {
  return new IpdmError("SCHEMA_MISMATCH", what, { kind: "config", hint });
}

/** A step that this version does not know. */
export function misfit(what: string): IpdmError {
  return new IpdmError("STREAM_STEP", `a task cannot have ${what}`, {
    kind: "config",
    hint: "use the version that made it, or a newer one",
  });
}
