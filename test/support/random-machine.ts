import fc from "fast-check";
import { type AnyStateMachine, and, assign, cancel, enqueueActions, not, raise, setup, stateIn } from "xstate";

interface Shape {
  readonly kind: "atomic" | "compound" | "parallel" | "final";
  readonly states: readonly Shape[];
  readonly history: "shallow" | "deep" | undefined;
  /** For each of the events A, B, C: which state it leads to, and what it does. */
  readonly moves: readonly { readonly target: number; readonly how: number; readonly guard: number }[];
  readonly entry: number;
  readonly after: { readonly units: number; readonly target: number } | undefined;
}

/** Unit of all delays, in milliseconds. */
export const UNIT_MS = 5;

const move = fc.record({ target: fc.nat(30), how: fc.nat(9), guard: fc.nat(5) });

const shape = (depth: number): fc.Arbitrary<Shape> =>
  fc.record({
    kind:
      depth === 0
        ? fc.constantFrom("atomic", "atomic", "final")
        : fc.constantFrom("atomic", "compound", "compound", "parallel"),
    states: depth === 0 ? fc.constant([]) : fc.array(shape(depth - 1), { minLength: 2, maxLength: 3 }),
    history: fc.constantFrom(undefined, "shallow", "deep"),
    moves: fc.array(move, { minLength: 1, maxLength: 3 }),
    entry: fc.nat(4),
    after: fc.option(fc.record({ units: fc.integer({ min: 1, max: 4 }), target: fc.nat(30) }), { nil: undefined }),
  });

/** Machines with nested, parallel and final states, history, guards, raised and delayed events; none of them loops. */
export const randomMachine: fc.Arbitrary<AnyStateMachine> = fc
  .record({ states: fc.array(shape(2), { minLength: 2, maxLength: 3 }) })
  .map(({ states }) => build({ kind: "compound", states, history: undefined, moves: [], entry: 0, after: undefined }));

const kit = setup({
  types: {
    context: {} as { readonly n: number; readonly log: readonly string[] },
    events: {} as { readonly type: string },
  },
  guards: { even: ({ context }) => context.n % 2 === 0, small: ({ context }) => context.n < 4 },
  actions: {
    count: assign({ n: ({ context }) => context.n + 1 }),
    note: assign({ log: ({ context, event }) => [...context.log, event.type].slice(-6) }),
    both: enqueueActions(({ enqueue, check }) => {
      if (check(({ context }) => context.n % 2 === 0)) enqueue.assign({ log: ["both"] });
      enqueue.assign({ n: ({ context }) => context.n + 1 });
    }),
  },
});

function build(root: Shape): AnyStateMachine {
  const ids: string[] = [];
  const name = (each: Shape, path: string): void => {
    ids.push(path);
    if (each.history !== undefined && each.kind === "compound") ids.push(`${path}.h`);
    if (each.kind === "compound" || each.kind === "parallel")
      each.states.forEach((child, at) => name(child, `${path}.s${at}`));
  };
  root.states.forEach((child, at) => name(child, `m.s${at}`));
  const config = { ...node(root, "m", ids), id: "m", context: { n: 0, log: [] } };
  return kit.createMachine(config as never) as unknown as AnyStateMachine;
}

function node(each: Shape, path: string, ids: readonly string[]): object {
  // XState 5.33 enters a history state's parent twice when it is targeted from within before it remembers anything.
  const target = (at: number): string => {
    const id = ids[at % ids.length] ?? "m.s0";
    const isInside = id.endsWith(".h") && `${path}.`.startsWith(id.slice(0, -1));
    return `#${isInside ? `${id.slice(0, -1)}s0` : id}`;
  };
  const events = ["A", "B", "C"];
  const on = Object.fromEntries(
    each.moves.map(({ target: to, how, guard }, at) => [
      events[at],
      {
        ...action(how),
        ...(how % 3 === 2 ? {} : { target: target(to) }),
        ...(GUARDS[guard] === undefined ? {} : { guard: GUARDS[guard] }),
      },
    ]),
  );
  if (each.kind === "final") return { id: path, type: "final" };
  const entry = each.entry === 1 ? ["count"] : each.entry === 2 ? ["note"] : [];
  const after = each.after === undefined ? {} : { after: { [each.after.units * UNIT_MS]: target(each.after.target) } };
  const own = { id: path, on, entry, exit: each.entry === 3 ? ["both"] : [], ...after };
  if (each.kind === "atomic") return own;
  const states: Record<string, object> = Object.fromEntries(
    each.states.map((child, at) => [`s${at}`, node(child, `${path}.s${at}`, ids)]),
  );
  if (each.kind === "parallel") return { ...own, type: "parallel", states };
  if (each.history !== undefined && path !== "m")
    states["h"] = { id: `${path}.h`, type: "history", history: each.history };
  return { ...own, initial: "s0", states };
}

const GUARDS = [undefined, undefined, "even", "small", not("even"), and(["small", stateIn({})])] as const;

function action(how: number): object {
  switch (how) {
    case 3:
      return { actions: ["count", raise({ type: "X" })] };
    case 4:
      return { actions: [cancel("later"), raise({ type: "C" }, { delay: 2 * UNIT_MS, id: "later" }), "note"] };
    case 5:
      return { actions: [cancel("later"), "both"] };
    case 6:
      return { actions: ["note"], reenter: true };
    default:
      return { actions: ["count"] };
  }
}
