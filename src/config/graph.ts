/**
 * Cycles among things that each read some inputs, given as [name, inputs]; an input may also be something outside. Each cycle that a
 * walk meets once, beginning with its first name in the given order.
 */
export function cyclesOf(
  edges: readonly (readonly [name: string, inputs: readonly string[]])[],
): readonly (readonly string[])[] {
  const inputs = new Map(edges);
  const done = new Set<string>();
  const cycles: string[][] = [];
  const way: string[] = [];
  const visit = (name: string): void => {
    const start = way.indexOf(name);
    if (start >= 0) {
      const cycle = way.slice(start);
      const first = edges.findIndex(([each]) => cycle.includes(each));
      const turn = cycle.indexOf(edges[first]?.[0] ?? "");
      cycles.push([...cycle.slice(turn), ...cycle.slice(0, turn)]);
    }
    if (start >= 0 || done.has(name)) return;
    way.push(name);
    for (const input of inputs.get(name) ?? []) if (inputs.has(input)) visit(input);
    way.pop();
    done.add(name);
  };
  for (const [name] of edges) visit(name);
  return cycles;
}

/** What something reads: one name, or several. */
export interface Reader {
  readonly input: string | readonly string[];
  readonly beside?: readonly string[];
}

/** All names that something reads, in their order. */
export function inputNames({ input, beside = [] }: Reader): readonly string[] {
  return [...(typeof input === "string" ? [input] : input), ...beside];
}

/** The things in an order in which each follows its inputs, otherwise as given. They form no cycle. */
export function inOrder<T extends Reader & { readonly name: string }>(things: readonly T[]): readonly T[] {
  const byName = new Map(things.map((thing) => [thing.name, thing]));
  const ordered = new Set<T>();
  const add = (thing: T): void => {
    if (ordered.has(thing)) return;
    for (const name of inputNames(thing)) {
      const before = byName.get(name);
      if (before !== undefined) add(before);
    }
    ordered.add(thing);
  };
  for (const thing of things) add(thing);
  return [...ordered];
}
