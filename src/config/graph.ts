/**
 * Cycles among things that each read one input, given as [name, input]; an input may also be something outside. Each cycle once,
 * beginning with its first name in the given order.
 */
export function cyclesOf(edges: readonly (readonly [name: string, input: string])[]): readonly (readonly string[])[] {
  const inputs = new Map(edges);
  const done = new Set<string>();
  const cycles: string[][] = [];
  for (const [start] of edges) {
    const walked = new Set<string>();
    let at: string | undefined = start;
    while (at !== undefined && !done.has(at) && !walked.has(at)) {
      walked.add(at);
      const input = inputs.get(at);
      at = input !== undefined && inputs.has(input) ? input : undefined;
    }
    if (at !== undefined && walked.has(at)) {
      const way = [...walked];
      const cycle = way.slice(way.indexOf(at));
      const first = edges.findIndex(([name]) => cycle.includes(name));
      const turn = cycle.indexOf(edges[first]?.[0] ?? "");
      cycles.push([...cycle.slice(turn), ...cycle.slice(0, turn)]);
    }
    for (const name of walked) done.add(name);
  }
  return cycles;
}

/** The things in an order in which each follows its input, otherwise as given. They form no cycle. */
export function inOrder<T extends { readonly name: string; readonly input: string }>(
  things: readonly T[],
): readonly T[] {
  const byName = new Map(things.map((thing) => [thing.name, thing]));
  const ordered = new Set<T>();
  for (const thing of things) {
    const way: T[] = [];
    for (let at: T | undefined = thing; at !== undefined && !ordered.has(at); at = byName.get(at.input)) way.push(at);
    for (const before of way.reverse()) ordered.add(before);
  }
  return [...ordered];
}
