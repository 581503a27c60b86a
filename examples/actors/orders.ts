// An order: it waits for payment, charges the card, ships in a parcel of its own, and mails a receipt.
import { durable } from "ipdm-runtime/actors";
import { assign, fromPromise, sendParent, setup } from "xstate";

const parcelMachine = setup({
  types: {
    context: {} as { scans: number },
    events: {} as { type: "scan" },
    output: {} as { scans: number },
  },
  actions: {
    count: assign({ scans: ({ context }) => context.scans + 1 }),
    tell: sendParent(({ context }) => ({ type: "scanned", scans: context.scans })),
  },
  guards: { arrived: ({ context }) => context.scans >= 2 },
}).createMachine({
  id: "parcel",
  context: { scans: 0 },
  output: ({ context }) => ({ scans: context.scans }),
  initial: "moving",
  states: {
    moving: { always: { guard: "arrived", target: "there" }, on: { scan: { actions: ["count", "tell"] } } },
    there: { type: "final" },
  },
});

type OrderEvent = { type: "pay"; cents: number } | { type: "cancel" } | { type: "scanned"; scans: number };

export const orderMachine = setup({
  types: {
    context: {} as { customer: string; paid: number; scans: number; why: string },
    events: {} as OrderEvent,
    input: {} as { customer: string },
    output: {} as { paid: number; why: string },
  },
  actors: {
    // A named promise: it runs at least once for every payment, under a request id that the payment service can tell repeats by.
    charge: fromPromise<{ cents: number }, { cents: number }>(async ({ input }) => ({ cents: input.cents })),
    parcel: parcelMachine,
  },
  actions: {
    mail: (_, _params: { to: string; text: string }) => {}, // carried out by the effect of this name
  },
  delays: { patience: 3_600_000 },
}).createMachine({
  id: "order",
  context: ({ input }) => ({ customer: input?.customer ?? "", paid: 0, scans: 0, why: "" }),
  output: ({ context }) => ({ paid: context.paid, why: context.why }),
  initial: "open",
  states: {
    open: {
      after: { patience: { target: "over", actions: assign({ why: "nobody paid" }) } },
      on: { pay: "charging", cancel: { target: "over", actions: assign({ why: "called off" }) } },
    },
    charging: {
      invoke: {
        id: "payment",
        src: "charge",
        input: ({ event }) => ({ cents: event.type === "pay" ? event.cents : 0 }),
        onDone: { target: "shipping", actions: assign({ paid: ({ event }) => event.output.cents }) },
        onError: { target: "over", actions: assign({ why: "the card was refused" }) },
      },
    },
    shipping: {
      entry: { type: "mail", params: ({ context }) => ({ to: context.customer, text: `paid ${context.paid}` }) },
      invoke: {
        id: "box",
        src: "parcel",
        onDone: { target: "over", actions: assign({ why: "delivered" }) },
      },
      on: { scanned: { actions: assign({ scans: ({ event }) => event.scans }) } },
    },
    over: { type: "final" },
  },
});

export const order = durable(orderMachine, {
  effects: {
    mail: {
      run: async ({ id, params }) => {
        console.log(`mail ${id} to ${params.to}: ${params.text}`);
        return undefined; // done, and nothing that the machine has to know
      },
      retry: { attempts: 5, firstDelayMs: 1000, maxDelayMs: 60_000 },
      timeoutMs: 10_000,
    },
  },
});
