import { IpdmError } from "../core/errors.ts";

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?Z)?$/;

/**
 * Microseconds since the Unix epoch of a UTC date (`2001-01-05`) or date and time (`2001-01-05T06:00Z`, up to six digits behind
 * the seconds): ISO 8601, years 0000 to 9999 where the result is a safe integer. Throws `INSTANT_INVALID`.
 */
export function readInstant(text: string): number {
  const match = INSTANT.exec(text);
  if (match === null) throw invalid(text);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // Date turns 30 February into 2 March; such a date is a mistake.
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  const micros =
    (date.getTime() + ((hour * 60 + minute) * 60 + second) * 1000) * 1000 + Number((match[7] ?? "").padEnd(6, "0"));
  if (!real || !Number.isSafeInteger(micros)) throw invalid(text);
  return micros;
}

function invalid(text: string): IpdmError {
  const hint = "write a UTC date such as 2001-01-05, or 2001-01-05T06:00:00Z";
  return new IpdmError("INSTANT_INVALID", `${JSON.stringify(text.slice(0, 64))} is not a UTC date or time`, {
    kind: "config",
    hint,
  });
}
