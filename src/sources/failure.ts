import type { ErrorKind, Retry } from "../core/errors.ts";
import { IpdmError } from "../core/errors.ts";

/** The error for bytes that are not what the file's format says, with the place: a line's number, or words. `kind` is `failed`. */
export function malformed(
  file: string,
  where: string,
  why: string,
  cause?: unknown,
  hint = "check that the file was written and copied completely",
): IpdmError {
  const place = /^\d+$/.test(where) ? `line ${where}` : where;
  return new IpdmError("SOURCE_MALFORMED", `${file} is broken at ${place}: ${why}`, {
    where: `${file}:${where}`,
    hint,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** The error for a row that does not fit the schema, with its line. */
export function invalidRow(file: string, line: number, why: string, hint: string): IpdmError {
  return new IpdmError("SOURCE_ROW_INVALID", `${file}:${line}: ${why}`, {
    where: `${file}:${line}`,
    hint,
    facts: { line },
  });
}

/** The error for a limit of this reader that a file passes. */
export function overLimit(file: string, where: string, why: string): IpdmError {
  return new IpdmError("SOURCE_LIMIT", `${file}:${where}: ${why}`, {
    where: `${file}:${where}`,
    hint: "write the file in smaller parts",
  });
}

/** The error for a column that cannot be read as a column of a batch. */
export function unsupportedColumn(file: string, column: string, what: string, hint: string): IpdmError {
  return new IpdmError("SOURCE_COLUMN_UNSUPPORTED", `${file}: column ${column} is ${what}`, {
    kind: "config",
    where: file,
    hint,
    facts: { column },
  });
}

/** Passes errors of this project through; turns anything else that a decoder threw into `SOURCE_MALFORMED`. */
export function wrapDecoding(error: unknown, file: string, where: string): unknown {
  if (error instanceof IpdmError) return error;
  if (error instanceof DOMException && error.name === "AbortError") return error;
  return malformed(file, where, error instanceof Error ? error.message : String(error), error);
}

/** An error as plain data, for another thread. */
export interface ErrorRecord {
  readonly code: string;
  readonly message: string;
  readonly kind: ErrorKind;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly retry: Retry;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The record of an error; one that is not an {@link IpdmError} becomes `SOURCE_FAILED`. */
export function toRecord(error: unknown): ErrorRecord {
  const known =
    error instanceof IpdmError
      ? error
      : new IpdmError("SOURCE_FAILED", error instanceof Error ? error.message : String(error));
  const { code, message, kind, where, hint, retry, facts } = known;
  return { code, message, kind, where, hint, retry, facts };
}

/** The error of a record. */
export function fromRecord(record: ErrorRecord): IpdmError {
  const { code, message, kind, where, hint, retry, facts } = record;
  return new IpdmError(code, message, {
    kind,
    retry,
    facts,
    ...(where === undefined ? {} : { where }),
    ...(hint === undefined ? {} : { hint }),
  });
}
