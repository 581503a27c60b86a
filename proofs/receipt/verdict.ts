import { IpdmError } from "../../src/core/errors.ts";

/** The checks that `verify` names, in the order in which they are made. */
export const CHECKS = ["blocks", "links", "signatures", "seal", "merkle", "groth16"] as const;

/** One of {@link CHECKS}. */
export type CheckName = (typeof CHECKS)[number];

/** How one check went: `count` is what it looked at. A check that was not reached is not ok. */
export interface Check {
  readonly ok: boolean;
  readonly count: number;
}

/** What stops a verification: a stable code, a sentence, and where in the receipt. */
export interface Fault {
  readonly code: string;
  readonly message: string;
  readonly where: string;
}

/** Ends a verification with a fault. */
export function refuse(code: string, where: string, message: string): never {
  throw new IpdmError(code, message, { kind: "verification", where });
}

/** What an error says of the file that caused it: nothing that is read from one may end a verification otherwise. */
export function faultOf(error: unknown): Fault {
  if (error instanceof IpdmError) return { code: error.code, message: error.message, where: error.where ?? "receipt" };
  return {
    code: "RECEIPT_MALFORMED",
    message: error instanceof Error ? error.message : String(error),
    where: "receipt",
  };
}
