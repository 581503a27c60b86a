/** How one part of the surroundings is: it works, works with a limit, or what needs it will fail. */
export type Level = "ok" | "warn" | "fail";

/** What a check found: a sentence, and where something is to be done, what. */
export interface Finding {
  readonly level: Level;
  readonly message: string;
  readonly hint?: string;
}

/** A check of the surroundings. A check that throws is a failure, with what it threw. */
export interface Check {
  readonly name: string;
  readonly run: (signal: AbortSignal) => Promise<Finding>;
}

/** It works. */
export function fine(message: string): Finding {
  return { level: "ok", message };
}

/** It works with a limit. */
export function limited(message: string, hint: string): Finding {
  return { level: "warn", message, hint };
}

/** What needs it will fail. */
export function broken(message: string, hint: string): Finding {
  return { level: "fail", message, hint };
}
