import {
  type AnyStateMachine,
  and,
  assertEvent,
  assign,
  cancel,
  enqueueActions,
  forwardTo,
  fromPromise,
  log,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from "xstate";

/** An event of these machines. */
export interface FeatureEvent {
  readonly type: string;
  readonly by?: number;
  readonly to?: string;
  readonly output?: unknown;
  readonly error?: unknown;
}

interface Context {
  readonly n: number;
  readonly log: readonly string[];
  readonly ref?: unknown;
}

/** What is done to a machine: an event, or time that passes, in milliseconds. */
export type Step = string | FeatureEvent | number;

const child = setup({
  types: { context: {} as { readonly got: number }, events: {} as FeatureEvent, input: {} as { readonly by?: number } },
}).createMachine({
  id: "child",
  context: ({ input }) => ({ got: input?.by ?? 0 }),
  output: ({ context }) => context.got,
  initial: "up",
  on: {
    add: { actions: assign({ got: ({ context, event }) => context.got + (event.by ?? 1) }) },
    tell: { actions: sendParent(({ context }) => ({ type: "told", by: context.got })) },
    late: { actions: sendParent({ type: "told", by: 100 }, { delay: 20 }) },
    end: ".down",
    break: {
      actions: assign(() => {
        throw new Error("the child broke");
      }),
    },
  },
  states: { up: {}, down: { type: "final" } },
});

const kit = setup({
  types: { context: {} as Context, events: {} as FeatureEvent, input: {} as { readonly n?: number } },
  actors: {
    child,
    double: fromPromise<number, number>(async ({ input }) => 2 * input),
    reject: fromPromise<number, number>(async () => Promise.reject(new Error("no"))),
    endless: fromPromise<number, number>(() => new Promise(() => {})),
  },
  actions: {
    count: assign({ n: ({ context }) => context.n + 1 }),
    plus: assign(({ context }, { by }: { readonly by: number }) => ({ n: context.n + by })),
    note: assign({ log: ({ context, event }) => [...context.log, event.type] }),
  },
  guards: {
    small: ({ context }) => context.n < 2,
    below: ({ context }, { than }: { readonly than: number }) => context.n < than,
  },
  delays: { soon: 10, later: ({ context }) => 10 * (context.n + 1) },
});

// Configurations of every shape: what types make of them is another test's.
const machine = (config: object): AnyStateMachine =>
  kit.createMachine({
    id: "feature",
    context: ({ input }: { input: { n?: number } }) => ({ n: input?.n ?? 0, log: [] }),
    ...config,
  } as never) as unknown as AnyStateMachine;

type Args = { readonly context: Context; readonly event: FeatureEvent };

const told = {
  actions: [{ type: "plus", params: ({ event }: Args) => ({ by: event.by ?? 0 }) }, "note"],
} as const;
const outcome = {
  actions: ["note", assign({ ref: ({ event }: Args) => event.output ?? event.error ?? null })],
} as never;

/** Everything of XState 5 that a durable actor has, with steps that show it. A restart comes between any two of them. */
export const KEPT: Readonly<Record<string, readonly [AnyStateMachine, ...Step[]]>> = {
  "transitions, wildcards, forbidden events": [
    machine({
      initial: "a",
      on: { "x.*": { actions: "note" }, "*": { actions: "count" } },
      states: { a: { on: { go: "b", "x.no": undefined } }, b: { on: { go: undefined } } },
    }),
    "x.one",
    "x.no",
    "go",
    "go",
    "what",
  ],
  "always, guards with parameters, and, or, not, stateIn": [
    machine({
      type: "parallel",
      states: {
        left: {
          initial: "a",
          states: {
            a: { always: { guard: not("small"), target: "b" } },
            b: { always: { guard: { type: "below", params: { than: 1 } }, target: "a" } },
          },
        },
        right: {
          initial: "a",
          on: { go: { actions: "count" } },
          states: {
            a: { on: { see: { guard: and([stateIn({ left: "b" }), or(["small", not("small")])]), target: "b" } } },
            b: {},
          },
        },
      },
    }),
    "go",
    "see",
    "go",
    "see",
  ],
  "assign, parameters, enqueueActions, log, assertEvent": [
    machine({
      on: {
        go: {
          actions: [
            { type: "plus", params: ({ event }: Args) => ({ by: event.by ?? 0 }) },
            log("went"),
            enqueueActions(({ enqueue, check }) => {
              if (check(({ context }) => (context as Context).n > 2)) enqueue({ type: "plus", params: { by: 10 } });
              enqueue.raise({ type: "again" });
            }),
          ],
        },
        again: {
          actions: assign(({ event, context }: Args) => {
            assertEvent(event, "again");
            return { log: [...context.log, event.type] };
          }),
        },
      },
    }),
    { type: "go", by: 2 },
    { type: "go", by: 3 },
  ],
  "entry, exit, initial actions, reentering": [
    machine({
      entry: "count",
      initial: "a",
      states: {
        a: {
          entry: "note",
          exit: "count",
          initial: { target: "one", actions: "count" },
          states: { one: { on: { in: "two" } }, two: {} },
          on: { again: { target: "a", reenter: true }, same: { target: ".one" }, out: "b" },
        },
        b: { entry: "note" },
      },
    }),
    "in",
    "same",
    "in",
    "again",
    "out",
  ],
  "history, shallow and deep, with a default": [
    machine({
      initial: "off",
      states: {
        off: { on: { shallow: "on.was", deep: "on.deep" } },
        on: {
          initial: "a",
          on: { off: "off" },
          states: {
            a: { initial: "x", states: { x: { on: { next: "y" } }, y: {} }, on: { b: "b" } },
            b: { initial: "x", states: { x: { on: { next: "y" } }, y: {} } },
            was: { type: "history", target: "b" },
            deep: { type: "history", history: "deep" },
          },
        },
      },
    }),
    "shallow",
    "next",
    "off",
    "shallow",
    "next",
    "off",
    "deep",
  ],
  "parallel states, onDone, final states with output": [
    machine({
      output: ({ event }: Args) => event.output,
      initial: "both",
      states: {
        both: {
          type: "parallel",
          onDone: { target: "end", actions: "count" },
          states: {
            l: { initial: "a", states: { a: { on: { l: "z" } }, z: { type: "final" } } },
            r: { initial: "a", states: { a: { on: { r: "z" } }, z: { type: "final" } } },
          },
        },
        end: { type: "final", output: ({ context }: Args) => ({ n: context.n }) },
      },
    }),
    "l",
    "r",
    "l",
  ],
  "after: in numbers, by name, computed; left before": [
    machine({
      initial: "a",
      on: { back: ".a" },
      states: {
        a: { after: { 10: { target: "b", actions: "note" } }, on: { skip: "b" } },
        b: { after: { soon: "c" } },
        c: { after: { later: { target: "d", actions: "count" } } },
        d: {},
      },
    }),
    "skip",
    5,
    "back",
    5,
    5,
    10,
    10,
    30,
  ],
  "raise with a delay, by id, cancelled; delayed sendTo itself": [
    machine({
      on: {
        go: { actions: raise({ type: "late" }, { delay: 10, id: "r" }) },
        no: { actions: cancel("r") },
        self: { actions: sendTo(({ self }) => self, { type: "late" }, { delay: "soon" } as never) },
        late: { actions: ["count", "note"] },
      },
    }),
    "go",
    5,
    "no",
    10,
    "go",
    "self",
    10,
  ],
  "invoke of promises: onDone, onError, called off": [
    machine({
      initial: "a",
      states: {
        a: {
          invoke: {
            src: "double",
            input: ({ context }: Args) => context.n + 4,
            onDone: { target: "b", ...(outcome as object) },
          },
        },
        b: { invoke: { src: "reject", input: 1, onError: { target: "c", actions: "note" } } },
        c: { invoke: [{ src: "endless", input: 1, onDone: "a" }], on: { leave: "d" } },
        d: {},
      },
    }),
    "leave",
  ],
  "invoke of a machine: input, messages both ways, output, reentered": [
    machine({
      initial: "a",
      on: { told },
      states: {
        a: {
          invoke: { id: "kid", src: "child", input: { by: 5 }, onDone: { target: "b", ...(outcome as object) } },
          on: {
            add: { actions: forwardTo("kid") },
            tell: { actions: sendTo("kid", { type: "tell" }) },
            late: { actions: sendTo("kid", { type: "late" }) },
            end: { actions: sendTo("kid", { type: "end" }, { delay: 10 }) },
            again: { target: "a", reenter: true },
          },
        },
        b: {},
      },
    }),
    { type: "add", by: 2 },
    "tell",
    "late",
    20,
    "again",
    "tell",
    "end",
    10,
    "tell",
  ],
  "a child that fails, and one that is stopped": [
    machine({
      initial: "a",
      on: { told },
      states: {
        a: {
          entry: spawnChild("child", { id: "other", input: {} }),
          invoke: { id: "kid", src: "child", input: {}, onError: { target: "b", actions: "note" } },
          on: {
            tell: { actions: sendTo("other", { type: "tell" }) },
            stop: { actions: stopChild("other") },
            break: { actions: sendTo("kid", { type: "break" }) },
          },
        },
        b: {},
      },
    }),
    "tell",
    "stop",
    "break",
  ],
  "spawn in assign, by name and id, kept in the context": [
    machine({
      on: {
        told,
        go: { actions: assign({ ref: ({ spawn }) => spawn("child", { id: "kid", input: { by: 3 } } as never) }) },
        tell: { actions: sendTo(({ context }: Args) => context.ref as never, { type: "tell" } as never) },
        drop: { actions: [stopChild(({ context }: Args) => context.ref as never), assign({ ref: null })] },
      },
    }),
    "go",
    "tell",
    "drop",
  ],
  routes: [
    machine({
      initial: "a",
      states: { a: {}, b: { id: "b", route: { actions: "note" } }, c: { id: "c", route: {} } },
    }),
    { type: "xstate.route", to: "#b" },
    { type: "xstate.route", to: "#c" },
    { type: "xstate.route", to: "#none" },
  ],
  "a machine that throws": [
    machine({
      on: {
        go: {
          actions: assign(() => {
            throw new Error("broken");
          }),
        },
      },
    }),
    "go",
    "go",
  ],
  "a message to nobody: the machine throws, as XState's": [
    machine({ on: { go: { actions: sendTo("nobody", { type: "x" }) } } }),
    "go",
  ],
};
