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
