/** A whole number with thousands apart. */
export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A number and what it counts, in the singular for one. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${words(count, one, many)}`;
}

/** The words for a number of things: others for one than for many. */
export function words(count: number, one: string, many = `${one}s`): string {
  return count === 1 ? one : many;
}

/** A size in the unit that people read: bytes, KiB, MiB, GiB. */
export function bytesText(bytes: number): string {
  if (bytes < 1024) return counted(bytes, "byte");
  const power = Math.min(3, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value < 10 ? value.toFixed(1) : number(value)} ${["", "KiB", "MiB", "GiB"][power] ?? ""}`;
}
