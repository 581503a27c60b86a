/**
 * Calendar text and signed 64-bit microseconds since the Unix epoch (proleptic Gregorian, no leap seconds), exactly: no
 * value passes through a floating-point date.
 */
const ISO =
  /^(\d{4}|[+-]\d{6})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|z|[+-]\d\d(?::?\d\d)?)?)?$/;

/** Microseconds of a day. */
export const DAY_MICROS = 86_400_000_000;

/**
 * Microseconds of an ISO 8601 date or date and time; without an offset it is UTC, without a time midnight. `undefined` for
 * anything else, for days that do not exist, and for fractions finer than a microsecond.
 */
export function parseTimestamp(text: string): number | bigint | undefined {
  const match = ISO.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour = "0", minute = "0", second = "0", fraction = "", zone = ""] = match;
  const y = Number(year);
  const m = Number(month);
  const d = Number(day);
  if (m < 1 || m > 12 || d < 1 || d > daysInMonth(y, m)) return undefined;
  const h = Number(hour);
  const min = Number(minute);
  const s = Number(second);
  if (h > 23 || min > 59 || s > 59 || year === "-000000") return undefined;
  const digits = fraction.padEnd(9, "0");
  if (digits.slice(6) !== "000") return undefined;
  const offset = offsetMinutes(zone);
  if (offset === undefined) return undefined;
  const days = daysFromCivil(y, m, d);
  const inDay = (h * 3600 + (min - offset) * 60 + s) * 1_000_000 + Number(digits.slice(0, 6));
  const micros = days * DAY_MICROS + inDay;
  if (Number.isSafeInteger(micros)) return micros;
  const exact = BigInt(days) * BigInt(DAY_MICROS) + BigInt(inDay);
  return BigInt.asIntN(64, exact) === exact ? exact : undefined;
}

/** ISO 8601 in UTC; a fraction of six digits only where it is not zero. Years beyond 0 to 9999 have a sign and six digits. */
export function formatTimestamp(micros: bigint): string {
  const dayMicros = BigInt(DAY_MICROS);
  let days = micros / dayMicros;
  let rest = micros % dayMicros;
  if (rest < 0n) {
    rest += dayMicros;
    days -= 1n;
  }
  const inDay = Number(rest);
  const { year, month, day } = civilFromDays(Number(days));
  const seconds = Math.floor(inDay / 1_000_000);
  const fraction = inDay % 1_000_000;
  const two = (value: number): string => String(value).padStart(2, "0");
  const years =
    year >= 0 && year <= 9999
      ? String(year).padStart(4, "0")
      : `${year < 0 ? "-" : "+"}${String(Math.abs(year)).padStart(6, "0")}`;
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  return `${years}-${two(month)}-${two(day)}T${time}${fraction === 0 ? "" : `.${String(fraction).padStart(6, "0")}`}Z`;
}

function offsetMinutes(zone: string): number | undefined {
  if (zone === "" || zone === "Z" || zone === "z") return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(":", "") || "0");
  if (hours > 23 || minutes > 59) return undefined;
  return (zone.startsWith("-") ? -1 : 1) * (hours * 60 + minutes);
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 by counting 400-year eras that start on 1 March. */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function civilFromDays(days: number): { year: number; month: number; day: number } {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const dayOfEra = z - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shifted = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shifted < 10 ? shifted + 3 : shifted - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1,
  };
}
