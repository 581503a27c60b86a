const SPACES = ["", "", " ", "\n\t", "\r\n      "] as const;

/**
 * A value as JSON with its keys in another order, keys beside them that nobody knows (some nearly those that are there, up to longer than
 * any that is known), and white space where it may stand. `random` gives numbers from 0 to below 1.
 */
export function scrambledJson(value: unknown, random: () => number): string {
  const below = (limit: number): number => Math.floor(random() * limit);
  const space = (): string => SPACES[below(SPACES.length)] as string;
  if (Array.isArray(value))
    return `[${space()}${value.map((each) => scrambledJson(each, random) + space()).join(`,${space()}`)}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members: [string, unknown][] = Object.entries(value);
  for (let i = below(3); i > 0; i--) {
    const [near] = members[below(members.length)] ?? ["key"];
    const name = below(2) === 0 ? `${near.slice(0, -1)}~` : `${"k".repeat(below(40))}~${i}`;
    if (!members.some(([known]) => known === name)) members.push([name, [{ "": [0, '}\\"]'] }, null][below(2)]]);
  }
  for (let i = members.length - 1; i > 0; i--) {
    const other = below(i + 1);
    [members[i], members[other]] = [members[other] as [string, unknown], members[i] as [string, unknown]];
  }
  const texts = members.map(
    ([name, each]) => `${JSON.stringify(name)}${space()}:${space()}${scrambledJson(each, random)}${space()}`,
  );
  return `{${space()}${texts.join(`,${space()}`)}}`;
}
