import { describe, expectTypeOf, it } from "vitest";
import { assign, setup } from "xstate";
import { durable } from "../../../src/runtime/durable-machine.ts";
import type { Runtime } from "../../../src/runtime/runtime.ts";

// The compiler checks this file: every @ts-expect-error is a mistake that it must find. Nothing here is run.
const meter = setup({
  types: {
    context: {} as { readonly total: number },
    events: {} as { readonly type: "add"; readonly by: number } | { readonly type: "told"; readonly request: string },
    input: {} as { readonly unit: string },
    output: {} as { readonly sum: number },
  },
  actions: {
    tell: (_, _params: { readonly text: string }) => {},
    add: assign({ total: ({ context, event }) => (event.type === "add" ? context.total + event.by : context.total) }),
  },
}).createMachine({
  id: "meter",
  context: { total: 0 },
  initial: "on",
  output: ({ context }) => ({ sum: context.total }),
  states: { on: { on: { add: { actions: "add" } } }, off: { type: "final" } },
});
const metered = durable(meter, {
  effects: {
    tell: async ({ params }) => {
      expectTypeOf(params).toEqualTypeOf<{ readonly text: string }>();
      return { type: "told" };
    },
  },
  migrations: { 1: (state) => ({ value: "on" as const, context: { total: Number(state.context) } }) },
});
const bare = setup({}).createMachine({ id: "bare" });

async function mistakes(runtime: Runtime): Promise<void> {
  const actor = await runtime.spawn(metered, { id: "m", input: { unit: "kWh" } });
  // @ts-expect-error the machine has an input
  await runtime.spawn(metered, { id: "m" });
  // @ts-expect-error a unit is a text
  await runtime.spawn(metered, { id: "m", input: { unit: 1 } });
  await runtime.spawn(bare, { id: "b" });

  await actor.send({ type: "add", by: 1 });
  // @ts-expect-error there is no such event
  await actor.send({ type: "ad", by: 1 });
  // @ts-expect-error it says by how much
  await actor.ask({ type: "add" });

  const { context, value, output, status } = await actor.snapshot();
  expectTypeOf(context).toEqualTypeOf<{ readonly total: number }>();
  expectTypeOf(value).toEqualTypeOf<"on" | "off">();
  expectTypeOf(output).toEqualTypeOf<{ readonly sum: number } | undefined>();
  expectTypeOf(status).toEqualTypeOf<"active" | "done" | "error" | "stopped">();
  // @ts-expect-error there is no such state
  await actor.until((snapshot) => snapshot.value === "over");
  const { snapshot } = await actor.ask({ type: "add", by: 2 });
  expectTypeOf(snapshot.context.total).toBeNumber();
  // A handle by id has the type of the machine that it is given.
  expectTypeOf(runtime.actor("m", metered)).toEqualTypeOf<typeof actor>();

  // @ts-expect-error no action has this name
  durable(meter, { effects: { call: async () => undefined } });
  // @ts-expect-error the machine has no such event
  durable(meter, { effects: { tell: async () => ({ type: "tolt" }) } });
  // @ts-expect-error there is no such state
  durable(meter, { migrations: { 1: () => ({ value: "of" as const, context: { total: 1 } }) } });
  // @ts-expect-error a total is a number
  durable(meter, { migrations: { 1: () => ({ value: "on" as const, context: { total: "1" } }) } });
}

describe("types of durable actors", () => {
  it("follow their machine's", () => {
    expectTypeOf(mistakes).returns.resolves.toBeVoid();
  });
});
