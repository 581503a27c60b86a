import type { AnyActorLogic, AnyStateMachine, ContextFrom, EventFromLogic, StateMachine, StateValueFrom } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { ActorState } from "../journal/checkpoint.ts";
import type { EffectContext, EffectSpec, RetryPolicy } from "./effect.ts";
import type { FailurePolicy, MachineSpec, Migration } from "./machine.ts";
import { requestsOf } from "./machine-check.ts";
import { logicKind } from "./machine-logic.ts";

/** A machine whose throwing is the end of its actor; its parent hears of it. */
const NO_RESTARTS: FailurePolicy = { restarts: 0, withinMs: 60_000, firstDelayMs: 100, maxDelayMs: 30_000 };

type Parts<M> =
  M extends StateMachine<
    infer _Context,
    infer _Event,
    infer _Children,
    infer Source,
    infer Action,
    infer _Guard,
    infer _Delay,
    infer _Value,
    infer _Tag,
    infer _Input,
    infer _Output,
    infer _Emitted,
    infer _Meta,
    infer _Config
  >
    ? { readonly action: Action; readonly source: Source }
    : never;

/** Parameters of a named action of a machine. */
type ParamsOf<M, Name> =
  Extract<Parts<M>["action"], { readonly type: Name }> extends { readonly params: infer P } ? P : unknown;

/** An effect's code, by the name of an action: what it answers is one of the machine's events, without its `request`. */
export type ActionEffect<M extends AnyStateMachine, Params> = (
  request: { readonly id: string; readonly type: string; readonly params: Params },
  context: EffectContext,
) => Promise<Omit<EventFromLogic<M>, "request"> | undefined>;

/** An effect's code, by the name of an actor of `setup({ actors })`: what it resolves with is the actor's output. */
export type SourceEffect = (
  request: {
    readonly id: string;
    readonly type: string;
    readonly params: { readonly id: string; readonly input: never };
  },
  context: EffectContext,
) => Promise<unknown>;

type WithPolicy<Run> =
  | Run
  | {
      readonly run: Run;
      readonly retry?: RetryPolicy;
      readonly timeoutMs?: number;
      readonly exhausted?: "failed" | "dead-letter";
    };

type NamesOf<Part> = Part extends { readonly type: infer Name extends string } ? Name : never;
type SourcesOf<Part> = Part extends { readonly src: infer Name extends string } ? Name : never;

/**
 * Effects of a machine by the names of its actions and actors. (A conditional type, because TypeScript gives the parameters of functions in a
 * mapped type of a machine that is still being inferred no types.)
 */
export type EffectsOf<M extends AnyStateMachine> =
  Parts<M> extends { readonly action: infer Action; readonly source: infer Source }
    ? { readonly [Name in NamesOf<Action>]?: WithPolicy<ActionEffect<M, ParamsOf<M, Name>>> } & {
        readonly [Name in SourcesOf<Source>]?: WithPolicy<SourceEffect>;
      }
    : never;

/** How a machine is run. */
export interface DurableOptions<M extends AnyStateMachine> {
  /** The machine's `id` by default. Journals are found by it. */
  readonly name?: string;
  /** 1 by default. A machine that does anything else than before needs another one. */
  readonly version?: number;
  /** For every named action that is not one of XState's own; and for actors that are to be carried out by an effect. */
  readonly effects?: EffectsOf<M>;
  /** Machines of its children, where they need effects or versions of their own, by the name of their source. */
  readonly children?: Readonly<Record<string, DurableMachine>>;
  /** How a state of an older version becomes one of this, by its number. */
  readonly migrations?: Readonly<Record<number, (state: ActorState) => StateOf<M>>>;
  /** What happens when the machine throws. By default its status is `error` from then on. */
  readonly failures?: Partial<FailurePolicy>;
}

/** What a migration gives: a state value and a context of the machine. */
export interface StateOf<M extends AnyStateMachine> {
  readonly value: StateValueFrom<M>;
  readonly context: ContextFrom<M>;
}

/** A machine with what it needs to be run. Made by {@link durable}. */
export interface DurableMachine<M extends AnyStateMachine = AnyStateMachine> {
  readonly machine: M;
  readonly spec: MachineSpec;
}

/**
 * Says how a machine is run: its name and version, its effects, what becomes of states of older versions. Throws `MACHINE_NAME` for a
 * machine without a name, `ACTOR_EFFECT_MISSING` for an action that nobody carries out. What could not survive a restart is refused when the
 * machine is registered (`MACHINE_UNSUPPORTED`).
 */
export function durable<M extends AnyStateMachine>(machine: M, options: DurableOptions<M> = {}): DurableMachine<M> {
  const { name = machine.id, version = 1, effects = {}, failures } = options;
  if (name === "(machine)" || name === "" || !Number.isSafeInteger(version) || version < 1)
    throw new IpdmError("MACHINE_NAME", `a machine needs a name and a version from 1, not ${name}@${version}`, {
      kind: "usage",
      hint: "give the machine an id, or durable() a name: journals are found again by it",
    });
  const requests = requestsOf(machine);
  for (const type of requests) {
    if (Object.hasOwn(effects, type)) continue;
    throw new IpdmError(
      "ACTOR_EFFECT_MISSING",
      `machine ${name}@${version} asks for ${type}, and has no effect of that name`,
      {
        where: `${name}@${version}`,
        hint: `give durable() an effect ${type}: what a machine wants done outside is asked for by name`,
        facts: { type },
      },
    );
  }
  const spec: MachineSpec = {
    name,
    version,
    machine,
    requests,
    effects: effects as unknown as Readonly<Record<string, EffectSpec>>,
    children: childrenOf(machine, options.children ?? {}),
    failures: { ...NO_RESTARTS, ...failures },
    ...(options.migrations === undefined
      ? {}
      : { migrations: options.migrations as unknown as Readonly<Record<number, Migration>> }),
  };
  return { machine, spec };
}

function childrenOf(
  machine: AnyStateMachine,
  given: Readonly<Record<string, DurableMachine>>,
): Readonly<Record<string, MachineSpec>> {
  const children: Record<string, MachineSpec> = {};
  for (const [src, logic] of Object.entries(machine.implementations.actors)) {
    const kind = logicKind(logic as AnyActorLogic);
    if (kind.kind === "machine") children[src] = (given[src] ?? durable(kind.machine)).spec;
  }
  return children;
}
