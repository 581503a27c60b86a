/** A whole number with thousands apart. */
export function number(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A number and what it counts, in the singular for one. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${number(count)} ${count === 1 ? one : many}`;
}
