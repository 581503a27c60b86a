import { assign, setup } from "xstate";
import type { MachineSpec } from "../../../src/runtime/machine.ts";

interface Context {
  readonly name: string;
  readonly moved: number;
  readonly failures: number;
  readonly note?: string | undefined;
}

type Event =
  | { readonly type: "move"; readonly by: number }
  | { readonly type: "ask"; readonly what: string }
  | { readonly type: "moved"; readonly request: string; readonly by: number }
  | { readonly type: "failed"; readonly request: string }
  | { readonly type: "break" }
  | { readonly type: "spoil"; readonly how: "date" | "nan" | "zero" }
  | { readonly type: "stop" };

const SPOILT = { date: (): unknown => new Date(0), nan: (): unknown => Number.NaN, zero: (): unknown => -0 };

/** A sample machine: it asks for `greet` at its birth and for `carry` with every move, and counts what came back. */
export function parcelMachine(
  options: { readonly factor?: number; readonly version?: number; readonly extra?: boolean } = {},
): MachineSpec {
  const factor = options.factor ?? 1;
  const machine = setup({
    types: { context: {} as Context, events: {} as Event, input: {} as { readonly name: string } },
    actions: {
      greet: (_, _params: { readonly name: string }) => {},
      carry: (_, _params: { readonly by: number }) => {},
      tally: assign({ moved: ({ context, event }) => context.moved + (event.type === "moved" ? event.by : 0) }),
      fail: assign(() => {
        throw new Error("broken on purpose");
      }),
      spoil: assign(({ event }) => ({ note: (event.type === "spoil" ? SPOILT[event.how]() : undefined) as string })),
    },
  }).createMachine({
    id: "parcel",
    context: ({ input }) => ({ name: input?.name ?? "", moved: 0, failures: 0, note: undefined }),
    entry: [{ type: "greet", params: ({ context }) => ({ name: context.name }) }],
    initial: "open",
    states: {
      open: {
        on: {
          move: { actions: [{ type: "carry", params: ({ event }) => ({ by: event.by * factor }) }] },
          ask: { actions: [{ type: "greet", params: ({ event }) => ({ name: event.what }) }] },
          moved: { actions: "tally" },
          failed: { actions: assign({ failures: ({ context }) => context.failures + 1 }) },
          break: { actions: "fail" },
          spoil: { actions: "spoil" },
          stop: "shut",
          ...(options.extra === true ? { extra: {} } : {}),
        },
      },
      shut: { type: "final" },
    },
  });
  return { name: "parcel", version: options.version ?? 1, machine, requests: ["greet", "carry"] };
}
