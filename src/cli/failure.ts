import { type ErrorKind, EXIT_CODES, IpdmError } from "../core/errors.ts";

/** An error as people and programs are told of it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly exit: number;
  readonly facts: Readonly<Record<string, unknown>>;
}

const SYSTEM_HINTS: Readonly<Record<string, string>> = {
  ENOSPC: "free some space and run the same command again; nothing acknowledged is lost",
  EACCES: "check the permissions of the file or folder",
  EPERM: "check the permissions of the file or folder",
  EMFILE: "raise the limit of open files (ulimit -n)",
  ENOENT: "check the path",
};

function systemHint(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" ? SYSTEM_HINTS[code] : undefined;
}

/** What to try where an error itself does not say. */
const HINTS: Readonly<Partial<Record<ErrorKind, string>>> = {
  failed: "run again with --verbose to see where it came from",
  config: "correct the place that is named, and run the same command again",
  usage: "ipdm-runtime --help",
  conflict: "run again with --verbose to see who said what",
};

/** What to tell of an error of any kind. Errors that are not ours keep their own code where they have one. */
export function failureOf(error: unknown): Failure {
  if (error instanceof IpdmError) {
    const { code, message, where, hint, facts } = error;
    return {
      code,
      message,
      where,
      hint: hint ?? systemHint(error.cause) ?? HINTS[error.kind],
      facts,
      exit: EXIT_CODES[error.kind],
    };
  }
  const code = (error as { code?: unknown } | null)?.code;
  const known = typeof code === "string" && code in SYSTEM_HINTS;
  const message = error instanceof Error ? error.message : String(error);
  return {
    code: known ? (code === "ENOSPC" ? "DISK_FULL" : String(code)) : "UNEXPECTED",
    message,
    where: (error as { path?: string } | null)?.path,
    hint: known ? SYSTEM_HINTS[String(code)] : "run again with --verbose to see where it came from",
    facts: {},
    exit: EXIT_CODES.failed,
  };
}
