import type { ErrorDetails } from "../core/errors.ts";
import { IpdmError } from "../core/errors.ts";
import { QUEUE_MAX } from "./limits.ts";

/** What the sandbox reports. `MODULE_*` is about the module, `LANE_*` about this node. */
export type SandboxErrorCode =
  | "MODULE_NOT_WASM"
  | "MODULE_INVALID"
  | "MODULE_IMPORT_DENIED"
  | "MODULE_EXPORT_MISSING"
  | "MODULE_CAPABILITY_DENIED"
  | "MODULE_TRAP"
  | "MODULE_FUEL_EXHAUSTED"
  | "MODULE_STACK_EXCEEDED"
  | "MODULE_TIMEOUT"
  | "MODULE_OUTPUT_INVALID"
  | "MODULE_MEMORY_EXCEEDED"
  | "MODULE_NOT_ROWWISE"
  | "MODULE_NOT_STATEFUL"
  | "MODULE_STATE_MALFORMED"
  | "LANE_FAULT"
  | "LANE_CRASHED"
  | "LANE_STATE_LOST"
  | "LANE_CLOSED"
  | "LANE_OVERLOADED"
  | "LANES_INVALID";

/** An error of the sandbox. */
export function sandboxError(code: SandboxErrorCode, message: string, details: ErrorDetails): IpdmError {
  return new IpdmError(code, message, details);
}

/** A module that cannot be used: whoever names it in a configuration has to name another. */
export function moduleRefused(code: SandboxErrorCode, cid: string, what: string, hint?: string): IpdmError {
  const details = { kind: "config", where: cid, facts: { module: cid } } as const;
  return sandboxError(code, `module ${cid} ${what}`, hint === undefined ? details : { ...details, hint });
}

/** The error of a wait that its caller ended. */
export function interrupted(signal: AbortSignal): IpdmError {
  return new IpdmError("INTERRUPTED", "the call was interrupted", { kind: "interrupted", cause: signal.reason });
}

/** The error of a call on a closed lane. */
export function laneClosed(): Error {
  return sandboxError("LANE_CLOSED", "the lane is closed", { hint: "open another lane" });
}

/** The error of a call too many. */
export function laneOverloaded(): Error {
  return sandboxError("LANE_OVERLOADED", `more than ${QUEUE_MAX} calls wait for a lane`, { retry: "later" });
}
