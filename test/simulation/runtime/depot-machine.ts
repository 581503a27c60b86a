import { assign, fromPromise, raise, sendParent, sendTo, setup, spawnChild } from "xstate";
import { type DurableMachine, type DurableOptions, durable } from "../../../src/runtime/durable-machine.ts";

/** Ticks and pokes of a kid before it is done, and the time between two ticks. */
export const KID_TICKS = 3;
export const KID_POKES = 2;
const TICK_MS = 40;

const kidMachine = setup({
  types: {
    context: {} as { readonly ticks: number; readonly pokes: number },
    events: {} as { readonly type: "poke" },
    input: {} as { readonly n: number },
  },
  actions: {
    tick: assign({ ticks: ({ context }) => context.ticks + 1 }),
    tell: sendParent({ type: "ticked" }),
    poked: assign({ pokes: ({ context }) => context.pokes + 1 }),
  },
  guards: { more: ({ context }) => context.ticks < KID_TICKS, poked: ({ context }) => context.pokes >= KID_POKES },
}).createMachine({
  id: "kid",
  context: { ticks: 0, pokes: 0 },
  output: ({ context }) => ({ pokes: context.pokes }),
  initial: "up",
  on: { poke: { actions: "poked" } },
  states: {
    up: { after: { [TICK_MS]: { target: "next", actions: ["tick", "tell"] } } },
    next: { always: [{ guard: "more", target: "up" }, { target: "over" }] },
    over: { always: { guard: "poked", target: "down" } },
    down: { type: "final" },
  },
});

export interface DepotContext {
  readonly shipped: number;
  readonly late: number;
  readonly jobs: number;
  readonly failed: number;
  readonly ticks: number;
  readonly kids: number;
}

export type DepotEvent =
  | { readonly type: "ship"; readonly n: number }
  | { readonly type: "wait"; readonly n: number; readonly delay: number }
  | { readonly type: "job"; readonly n: number }
  | { readonly type: "kid"; readonly n: number }
  | { readonly type: "shipped" }
  | { readonly type: "late" }
  | { readonly type: "ticked" }
  | { readonly type: `xstate.done.actor.${string}`; readonly actorId: string }
  | { readonly type: `xstate.error.actor.${string}`; readonly actorId: string };

// XState types the input of spawnChild by all events.
const numberOf = (event: DepotEvent): number => ("n" in event ? event.n : 0);

const depotMachine = setup({
  types: { context: {} as DepotContext, events: {} as DepotEvent },
  actors: {
    job: fromPromise<number, number>(async ({ input }) =>
      input % 4 === 0 ? Promise.reject(new Error("odd job")) : input,
    ),
    kid: kidMachine,
  },
  actions: {
    ship: (_, _params: { readonly n: number }) => {},
    add: assign(({ context }, key: keyof DepotContext) => ({ [key]: context[key] + 1 })),
    ended: assign(({ context, event }) =>
      "actorId" in event && event.actorId.startsWith("kid") ? { kids: context.kids + 1 } : { jobs: context.jobs + 1 },
    ),
  },
}).createMachine({
  id: "depot",
  context: { shipped: 0, late: 0, jobs: 0, failed: 0, ticks: 0, kids: 0 },
  on: {
    ship: { actions: { type: "ship", params: ({ event }) => ({ n: event.n }) } },
    shipped: { actions: { type: "add", params: "shipped" } },
    wait: { actions: raise({ type: "late" }, { delay: ({ event }) => event.delay }) },
    late: { actions: { type: "add", params: "late" } },
    job: { actions: spawnChild("job", { id: ({ event }) => `job-${event.n}`, input: ({ event }) => numberOf(event) }) },
    kid: {
      actions: [
        spawnChild("kid", { id: ({ event }) => `kid-${event.n}`, input: ({ event }) => ({ n: numberOf(event) }) }),
        sendTo(({ event }) => `kid-${event.n}`, { type: "poke" }),
        sendTo(({ event }) => `kid-${event.n}`, { type: "poke" }),
      ],
    },
    ticked: { actions: { type: "add", params: "ticks" } },
    "xstate.done.actor.*": { actions: "ended" },
    "xstate.error.actor.*": { actions: { type: "add", params: "failed" } },
  },
});

/** The machine of a depot's kids. */
export const kid = durable(kidMachine);

/** A depot: it ships by an effect, waits by timers, does jobs by promises, and has kids, each an actor that ticks and comes to its end. */
export function depot(
  effects: NonNullable<DurableOptions<typeof depotMachine>["effects"]>,
): DurableMachine<typeof depotMachine> {
  return durable(depotMachine, { effects, children: { kid } });
}

/** A depot whose effects never fail. */
export const calmDepot = depot({ ship: async () => ({ type: "shipped" }) });
