import type { CID } from "multiformats/cid";
import type { AnyStateMachine } from "xstate";
import type { Hash } from "../core/ports.ts";
import { type Block, cborBlock, type Ipld } from "../dag/block.ts";
import type { MachineSpec } from "./machine.ts";

type StateNode = AnyStateMachine["root"];
type Transition = StateNode["always"] extends readonly (infer T)[] | undefined ? T : never;

/**
 * The CID of a machine's canonical definition: states, transitions, names of guards, actions and requests. Not their code.
 */
export function definitionOf(hash: Hash, spec: MachineSpec): CID {
  return definitionBlock(hash, spec).cid;
}

/** The canonical definition itself, for whoever wants to read what a journal's machine was. */
export function definitionBlock(hash: Hash, spec: MachineSpec): Block {
  return cborBlock(hash, { requests: [...spec.requests].sort(), root: node(spec.machine.root) });
}

function node(state: StateNode): Ipld {
  const on: Record<string, Ipld> = {};
  for (const [event, transitions] of state.transitions)
    on[event] = transitions.map((each) => transition(each as Transition));
  const states: Record<string, Ipld> = {};
  for (const [key, child] of Object.entries(state.states)) states[key] = node(child as StateNode);
  return {
    id: state.id,
    type: state.type,
    initial: state.initial?.target.map((target) => target.id) ?? [],
    entry: state.entry.map(nameOf),
    exit: state.exit.map(nameOf),
    always: (state.always ?? []).map((each) => transition(each as Transition)),
    on,
    states,
    ...more(state),
  };
}

// Keys that only the states have which need them, so that definitions of machines without stay what they were.
function more(state: StateNode): { readonly [key: string]: Ipld } {
  const { target } = state.config as { readonly target?: unknown };
  return {
    ...(state.invoke.length === 0 ? {} : { invoke: state.invoke.map(({ id, src }) => ({ id, src: String(src) })) }),
    ...(state.type === "history"
      ? { history: String(state.history), target: typeof target === "string" ? target : null }
      : {}),
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
