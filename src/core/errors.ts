/** What the runtime will do about an error; it decides the process's exit code (see {@link EXIT_CODES}). */
export type ErrorKind = "failed" | "usage" | "config" | "unreachable" | "verification" | "conflict" | "interrupted";

/** Exit codes of the command line, by kind of error. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  usage: 2,
  config: 3,
  unreachable: 4,
  verification: 5,
  conflict: 6,
  interrupted: 130,
};

/** Whether trying the same thing again can help: never, after a while, or at once. */
export type Retry = "never" | "later" | "now";

/** Details of an {@link IpdmError}: plain data, so that logs, `--json` and other threads can carry them. */
export interface ErrorDetails {
  readonly kind?: ErrorKind;
  /** Where it happened: `file:line:column`, a CID, a statement such as `daily/3`. */
  readonly where?: string;
  /** The next thing to try, one sentence. */
  readonly hint?: string;
  readonly retry?: Retry;
  readonly facts?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The one error class of the runtime. `code` is stable and machine-readable; never match on the message. */
export class IpdmError extends Error {
  readonly code: string;
  readonly kind: ErrorKind;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly retry: Retry;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "IpdmError";
    this.code = code;
    this.kind = details.kind ?? "failed";
    this.where = details.where;
    this.hint = details.hint;
    this.retry = details.retry ?? "never";
    this.facts = details.facts ?? {};
  }
}

/** Does some work, and says where an error of it belongs when it does not say so itself. */
export async function located<T>(where: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof IpdmError) || error.where !== undefined) throw error;
    throw within(where, error);
  }
}

/**
 * The error at a place: `place` is put before where it says itself that it happened, and `more` beside its facts. Errors that
 * are not the runtime's own come back as they are.
 */
export function within(place: string, error: unknown, more: IpdmError["facts"] = {}): unknown {
  if (!(error instanceof IpdmError)) return error;
  const { code, message, kind, hint, retry, facts, cause } = error;
  const where = error.where === undefined ? place : `${place}, ${error.where}`;
  const told = hint === undefined ? {} : { hint };
  return new IpdmError(code, `${place}: ${message}`, {
    kind,
    where,
    ...told,
    retry,
    facts: { ...facts, ...more },
    cause,
  });
}

/** True when `error` carries the given code, whatever realm or thread it comes from. */
export function hasCode(error: unknown, code: string): boolean {
  return typeof error === "object" && error !== null && (error as { code?: unknown }).code === code;
}

/** Throws `INVARIANT` when a condition that this code guarantees does not hold: a bug here, not bad input. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition)
    throw new IpdmError("INVARIANT", `broken invariant: ${message}`, {
      hint: "this is a bug in ipdm-runtime; please report it",
    });
}
