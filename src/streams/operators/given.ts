import { parseDuration } from "../../core/duration.ts";
import { IpdmError, within } from "../../core/errors.ts";

// What a program gives an operator, which the compiler has checked only where there is one.

/** Microseconds of a duration that was given to an operator. Throws `DURATION_INVALID`, and names both. */
export function durationOf(operator: string, what: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw within(`${operator} ${what}`, error);
  }
}

/** One of a few texts. Throws `OPTION_INVALID`. */
export function oneOf<const T extends string>(operator: string, what: string, value: T, known: readonly T[]): T {
  if (known.includes(value)) return value;
  throw invalid(operator, `${what} cannot be ${shown(value)}`, `write one of ${known.join(", ")}`);
}

/** Options without keys that nobody reads. Throws `OPTION_INVALID`. */
export function onlyKeys(operator: string, options: object, known: readonly string[]): void {
  const strange = Object.keys(options).find((key) => !known.includes(key));
  if (strange !== undefined)
    throw invalid(operator, `there is no option ${strange}`, `options are ${known.join(", ")}`);
}

/** A whole number of at least 1. Throws `OPTION_INVALID`. */
export function wholeOf(operator: string, what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw invalid(operator, `${what} cannot be ${shown(value)}`, "give a whole number from 1");
}

/** The error of an operator that was told what it cannot do. */
export function invalid(operator: string, message: string, hint: string): IpdmError {
  return new IpdmError("OPTION_INVALID", `${operator}: ${message}`, { kind: "config", hint });
}

/** Runs a function of the program's own; what it throws is told with its place. Throws `FUNCTION_FAILED`. */
export function failed(what: string, error: unknown): IpdmError {
  if (error instanceof IpdmError) return error;
  const message = error instanceof Error ? `${error.name}: ${error.message}` : shown(error);
  return new IpdmError("FUNCTION_FAILED", `${what} failed: ${message}`, {
    cause: error,
    hint: "correct the function; the error that it threw is the cause of this one",
  });
}

function shown(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value).slice(0, 40);
}
