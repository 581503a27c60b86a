import type { AnyActorLogic, AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";

/** What runs a promise: the code that was given to XState's `fromPromise`. */
export type PromiseCode = (args: { readonly input: unknown; readonly signal: AbortSignal }) => Promise<unknown>;

/** What kind of source an actor of a machine has. `declared` has a name and no code: an effect has to carry it out. */
export type LogicKind =
  | { readonly kind: "machine"; readonly machine: AnyStateMachine }
  | { readonly kind: "promise"; readonly run: PromiseCode }
  | { readonly kind: "declared" }
  | { readonly kind: "live"; readonly what: string };

/** Looks at an actor's source, as it stands in `setup({ actors })`. */
export function logicKind(logic: AnyActorLogic | undefined): LogicKind {
  if (logic === undefined) return { kind: "declared" };
  const parts = logic as unknown as { readonly root?: unknown; readonly config?: unknown };
  if (parts.root !== undefined) return { kind: "machine", machine: logic as AnyStateMachine };
  if (typeof parts.config !== "function") return { kind: "live", what: "logic of its own kind" };
  if (resolvesLikePromise(logic)) return { kind: "promise", run: parts.config as PromiseCode };
  const isTransition = (logic as { readonly start?: unknown }).start === undefined;
  return {
    kind: "live",
    what: isTransition ? "a transition function, which has no version" : "a live callback or observable",
  };
}

// XState does not tag its logic creators. A promise's logic, and no other, is done when its promise has resolved.
function resolvesLikePromise(logic: AnyActorLogic): boolean {
  try {
    const initial = logic.getInitialSnapshot({ self: {} } as never, undefined as never) as {
      readonly context?: unknown;
    };
    if ("context" in initial) return false;
    const event = { type: "xstate.promise.resolve", data: null } as never;
    return (logic.transition(initial as never, event, { self: {} } as never) as { status?: unknown }).status === "done";
  } catch {
    return false;
  }
}

/**
 * What a promise's code is called with: its input and a signal. Whatever else XState hands to it belongs to a live actor, and says so when it is
 * touched (`MACHINE_UNSUPPORTED`).
 */
export function promiseArgs(input: unknown, signal: AbortSignal): Parameters<PromiseCode>[0] {
  const args = { input, signal };
  for (const name of ["self", "system", "emit"])
    Object.defineProperty(args, name, {
      get: () => {
        throw new IpdmError("MACHINE_UNSUPPORTED", `a promise of a durable actor has no ${name}`, {
          hint: "give durable() an effect of the promise's name: its context has emit, which is durable",
        });
      },
    });
  return args;
}

/** The code of a named promise of a machine; `undefined` where the name is not a promise's. */
export function promiseOf(machine: AnyStateMachine, src: string): PromiseCode | undefined {
  const kind = logicKind(machine.implementations.actors[src] as AnyActorLogic | undefined);
  return kind.kind === "promise" ? kind.run : undefined;
}
