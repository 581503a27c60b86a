import { assign, fromPromise, sendParent, setup } from "xstate";
import { type DurableMachine, type DurableOptions, durable } from "../../../src/runtime/durable-machine.ts";

/** A child that tells its parent of every scan and is done after two. */
const parcelMachine = setup({
  types: {
    context: {} as { readonly label: string; readonly scans: number },
    events: {} as { readonly type: "scan" },
    input: {} as { readonly label: string },
    output: {} as { readonly scans: number },
  },
  actions: {
    count: assign({ scans: ({ context }) => context.scans + 1 }),
    tell: sendParent(({ context }) => ({ type: "scanned", scans: context.scans })),
  },
  guards: { last: ({ context }) => context.scans >= 2 },
}).createMachine({
  id: "parcel",
  context: ({ input }) => ({ label: input.label, scans: 0 }),
  output: ({ context }) => ({ scans: context.scans }),
  initial: "moving",
  states: {
    moving: { always: { guard: "last", target: "there" }, on: { scan: { actions: ["count", "tell"] } } },
    there: { type: "final" },
  },
});

export type OrderEvent =
  | { readonly type: "pay"; readonly amount: number }
  | { readonly type: "scan" }
  | { readonly type: "scanned"; readonly scans: number }
  | { readonly type: "cancel" }
  | { readonly type: "mailed"; readonly request: string; readonly to: string }
  | { readonly type: "failed"; readonly request: string }
  | { readonly type: "break" };

// Journals of this machine are kept in test/fixtures/actors: a changed machine needs another version.
/** An order: it waits for payment, charges, ships by a child, asks for a mail; it gives up after an hour. */
export const orderMachine = setup({
  types: {
    context: {} as {
      readonly paid: number;
      readonly scans: number;
      readonly mails: readonly string[];
      readonly why: string;
    },
    events: {} as OrderEvent,
    input: {} as { readonly customer: string },
    output: {} as { readonly paid: number; readonly scans: number },
  },
  actors: {
    charge: fromPromise<{ readonly amount: number }, { readonly amount: number }>(async ({ input }) => ({
      amount: input.amount,
    })),
    parcel: parcelMachine,
  },
  actions: {
    mail: (_, _params: { readonly to: string }) => {},
    keepPaid: assign({ paid: (_, params: { readonly amount: number }) => params.amount }),
    keepScans: assign({ scans: ({ context, event }) => (event.type === "scanned" ? event.scans : context.scans) }),
    keepMail: assign({
      mails: ({ context, event }) => (event.type === "mailed" ? [...context.mails, event.to] : context.mails),
    }),
    fail: assign(() => {
      throw new Error("broken on purpose");
    }),
  },
}).createMachine({
  id: "order",
  context: { paid: 0, scans: 0, mails: [], why: "" },
  output: ({ context }) => ({ paid: context.paid, scans: context.scans }),
  initial: "open",
  on: { break: { actions: "fail" }, mailed: { actions: "keepMail" } },
  states: {
    open: {
      after: { 3_600_000: { target: "over", actions: assign({ why: "too late" }) } },
      on: { pay: "charging", cancel: "over" },
    },
    charging: {
      invoke: {
        id: "payment",
        src: "charge",
        input: ({ event }) => ({ amount: event.type === "pay" ? event.amount : 0 }),
        onDone: { target: "shipping", actions: { type: "keepPaid", params: ({ event }) => event.output } },
        onError: { target: "over", actions: assign({ why: "not paid" }) },
      },
      on: { cancel: "over" },
    },
    shipping: {
      entry: { type: "mail", params: { to: "customer" } },
      invoke: { id: "box", src: "parcel", input: { label: "box" }, onDone: "over" },
      on: { scanned: { actions: "keepScans" } },
    },
    over: { type: "final" },
  },
});

type Order = typeof orderMachine;

export function order(options: Partial<DurableOptions<Order>> = {}): DurableMachine<Order> {
  const mail = async ({ params }: { readonly params: { readonly to: string } }) => ({
    type: "mailed" as const,
    to: params.to,
  });
  return durable(orderMachine, { ...options, effects: { mail, ...options.effects } });
}

/** What `--machines` finds in this file. */
export const orders = order();
