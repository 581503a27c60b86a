import { createHash } from "node:crypto";
import { assign, setup } from "xstate";

/** Events of the workload: about 200 bytes each as JSON, of which a third is random, as ids and amounts are. */
export interface OrderEvent {
  readonly type: "CHANGED" | "PAID" | "PACKED" | "SENT" | "DELIVERED" | "RETURNED";
  readonly at: number;
  readonly amount: number;
  readonly order: string;
  readonly item: string;
  readonly place: string;
  readonly note: string;
}

interface OrderContext {
  readonly total: number;
  readonly count: number;
  readonly last: string;
}

const TYPES = ["CHANGED", "PAID", "PACKED", "SENT", "DELIVERED", "RETURNED"] as const;
const PLACES = ["Hamburg", "Rotterdam", "Lyon", "Gdansk", "Porto", "Trieste", "Aarhus"] as const;
const NOTES = [
  "left with a neighbour",
  "customer asked for a call first",
  "second attempt",
  "paid in advance",
] as const;

/** An order's life, round and round: six states, guards, three assigned values. */
export const orderMachine = setup({
  types: { context: {} as OrderContext, events: {} as OrderEvent },
  guards: { isDear: ({ event }) => event.amount > 90_000 },
  actions: {
    count: assign({
      total: ({ context, event }) => context.total + event.amount,
      count: ({ context }) => context.count + 1,
      last: ({ event }) => event.item,
    }),
  },
}).createMachine({
  id: "bench-order",
  context: { total: 0, count: 0, last: "" },
  initial: "open",
  on: { CHANGED: { actions: "count" } },
  states: {
    open: {
      on: {
        PAID: [
          { guard: "isDear", target: "checked", actions: "count" },
          { target: "paid", actions: "count" },
        ],
      },
    },
    checked: { on: { PACKED: { target: "packed", actions: "count" } } },
    paid: { on: { PACKED: { target: "packed", actions: "count" } } },
    packed: { on: { SENT: { target: "sent", actions: "count" } } },
    sent: { on: { DELIVERED: { target: "delivered", actions: "count" } } },
    delivered: { on: { RETURNED: { target: "open", actions: "count" } } },
  },
});

/** Event `at` of an actor: always the same one. */
export function eventOf(actor: number, at: number): OrderEvent {
  const random = createHash("sha256").update(`${actor}/${at}`).digest();
  return {
    type: TYPES[at % TYPES.length] ?? "CHANGED",
    at: 1_760_000_000_000 + at * 61_000 + random.readUInt16LE(0),
    amount: random.readUInt32LE(2) % 100_000,
    order: `order-${actor}-${Math.floor(at / TYPES.length)}`,
    item: random.toString("hex", 8, 16),
    place: PLACES[random.readUInt8(6) % PLACES.length] ?? "",
    note: NOTES[random.readUInt8(7) % NOTES.length] ?? "",
  };
}

/** Events made beforehand, so that making them is no part of what is measured. */
export function eventsOf(actors: number, each: number): readonly (readonly OrderEvent[])[] {
  return Array.from({ length: actors }, (_, actor) => Array.from({ length: each }, (_each, at) => eventOf(actor, at)));
}
