/** An instant, in microseconds since 1970, as ISO 8601 in UTC, as short as a whole day or second allows. */
export function instantText(micros: number): string {
  const millis = Math.floor(micros / 1000);
  if (Math.abs(millis) > 8.64e15) return String(micros);
  const text = new Date(millis).toISOString();
  const rest = micros - Math.floor(micros / 1_000_000) * 1_000_000;
  if (rest !== 0) return `${text.slice(0, -5)}.${String(rest).padStart(6, "0")}Z`;
  return text.endsWith("T00:00:00.000Z") ? text.slice(0, -14) : `${text.slice(0, -5)}Z`;
}
