import type { CID } from "multiformats/cid";
import type { AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock, type Ipld } from "../dag/block.ts";
import type { MachineSpec } from "./machine.ts";

type StateNode = AnyStateMachine["root"];
type Transition = StateNode["always"] extends readonly (infer T)[] | undefined ? T : never;

/**
 * The CID of a machine's canonical definition: states, transitions, names of guards, actions and requests. Not their code.
 * Throws `MACHINE_UNSUPPORTED` for what cannot be replayed from plain data: timers, invoked actors, history states.
 */
export function definitionOf(hash: Hash, spec: MachineSpec): CID {
  return definitionBlock(hash, spec).cid;
}

/** The canonical definition itself, for whoever wants to read what a journal's machine was. Throws as {@link definitionOf}. */
export function definitionBlock(hash: Hash, spec: MachineSpec): Block {
  return cborBlock(hash, { requests: [...spec.requests].sort(), root: node(spec, spec.machine.root) });
}

function node(spec: MachineSpec, state: StateNode): Ipld {
  const config = state.config as { readonly after?: unknown; readonly invoke?: unknown };
  if (state.type === "history") throw unsupported(spec, state, "is a history state");
  if (config.after !== undefined) throw unsupported(spec, state, "has a timer (after)");
  if (state.invoke.length > 0 || config.invoke !== undefined) throw unsupported(spec, state, "invokes an actor");
  const on: Record<string, Ipld> = {};
  for (const [event, transitions] of state.transitions)
    on[event] = transitions.map((each) => transition(each as Transition));
  const states: Record<string, Ipld> = {};
  for (const [key, child] of Object.entries(state.states)) states[key] = node(spec, child as StateNode);
  return {
    id: state.id,
    type: state.type,
    initial: state.initial?.target.map((target) => target.id) ?? [],
    entry: state.entry.map(nameOf),
    exit: state.exit.map(nameOf),
    always: (state.always ?? []).map((each) => transition(each as Transition)),
    on,
    states,
  };
}

function transition(each: Transition): Ipld {
  const { target, guard, actions, reenter } = each as {
    readonly target?: readonly { readonly id: string }[] | undefined;
    readonly guard?: unknown;
    readonly actions: readonly unknown[];
    readonly reenter?: boolean;
  };
  return {
    target: target?.map((state) => state.id) ?? null,
    guard: guard === undefined ? null : nameOf(guard),
    actions: actions.map(nameOf),
    reenter: reenter === true,
  };
}

// A named action or guard is a text or {type}; assign, raise and guard combinators are functions with a `type`.
function nameOf(part: unknown): string {
  if (typeof part === "string") return part;
  const type = (part as { readonly type?: unknown } | null)?.type;
  return typeof type === "string" ? type : "(inline)";
}

function unsupported(spec: MachineSpec, state: StateNode, what: string): IpdmError {
  return new IpdmError("MACHINE_UNSUPPORTED", `state ${state.id} of machine ${spec.name}@${spec.version} ${what}`, {
    where: `${spec.name}@${spec.version}`,
    hint: "let time and other actors reach a machine as events, through requests",
  });
}
