import * as dagCbor from "@ipld/dag-cbor";
import { equalBytes } from "../core/bytes.ts";
import { hasCode, IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import { plainError } from "./machine.ts";

const FAILURES = ["ACTOR_FAULT", "ACTOR_STATE_NOT_PLAIN", "MACHINE_UNSUPPORTED"] as const;

/** True for what a machine does wrong by itself, on any node; a stack or a heap that is full is none of that. */
export function isMachineFailure(error: unknown): error is IpdmError {
  return error instanceof IpdmError && error.retry === "never" && FAILURES.some((code) => hasCode(error, code));
}

/** What a machine's failure is, as it is journalled: what was thrown, or the kernel's complaint with its code. */
export function causeOf(error: IpdmError): Ipld {
  if (error.code === "ACTOR_FAULT" && error.cause !== undefined) return plainError(error.cause);
  return { name: error.code, message: error.message.toWellFormed() };
}

/** True when both are the same data. */
export function sameData(a: Ipld, b: Ipld): boolean {
  return equalBytes(dagCbor.encode(a), dagCbor.encode(b));
}
