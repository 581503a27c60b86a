import { IpdmError } from "./errors.ts";

const UNITS_US: Readonly<Record<string, number>> = {
  d: 86_400_000_000,
  h: 3_600_000_000,
  m: 60_000_000,
  s: 1_000_000,
  ms: 1000,
  us: 1,
};

/**
 * Microseconds of a duration: a whole number and one unit of `d h m s ms us`, as in `1d`, `30m`, `250ms`, `0s`. A day
 * is 24 hours. The result is a safe integer (about 285 years at most). Throws `DURATION_INVALID`.
 */
export function parseDuration(text: string): number {
  const match = typeof text === "string" ? /^(\d{1,16})(d|h|m|s|ms|us)$/.exec(text) : null;
  const us = match === null ? Number.NaN : Number(match[1]) * (UNITS_US[match[2] ?? ""] ?? Number.NaN);
  if (Number.isSafeInteger(us)) return us;
  const what = match === null ? "is not a duration" : "is longer than a duration can be";
  // A program without types may give a number, or nothing.
  const shown = typeof text === "string" ? JSON.stringify(text.slice(0, 40)) : String(text);
  throw new IpdmError("DURATION_INVALID", `${shown} ${what}`, {
    kind: "config",
    hint:
      match === null
        ? "write a whole number and a unit, one of d, h, m, s, ms, us: 1d, 30m, 250ms"
        : "durations are counted in microseconds, up to 2^53 - 1 of them: 104249d",
    facts: { text: String(text).slice(0, 40) },
  });
}

/** A duration in its largest whole unit: the reverse of {@link parseDuration}. */
export function durationText(us: number): string {
  for (const [unit, size] of Object.entries(UNITS_US)) if (us !== 0 && us % size === 0) return `${us / size}${unit}`;
  return `${us}s`;
}
