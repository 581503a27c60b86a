import type { AnyActorLogic, AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { MachineSpec } from "./machine.ts";
import { logicKind } from "./machine-logic.ts";

type StateNode = AnyStateMachine["root"];

/** A guard, an action or a delay as it stands in a machine: a name, or code. */
type Part = string | { readonly type?: unknown; readonly [key: string]: unknown } | ((...args: never[]) => unknown);

/** Actions of XState that a durable actor has; `emit` only speaks to listeners of this moment. */
const BUILT_IN: ReadonlySet<string> = new Set([
  "xstate.assign",
  "xstate.raise",
  "xstate.cancel",
  "xstate.spawnChild",
  "xstate.stopChild",
  "xstate.sendTo",
  "xstate.enqueueActions",
  "xstate.log",
]);

/**
 * Looks at everything a machine may do, before it does anything. Throws `MACHINE_UNSUPPORTED`, with the reason and the place, for what
 * could not be done again after a restart: inline actions, live callbacks and observables, actors without a name or id, names that
 * nothing stands behind. What is put together at run time (`enqueueActions`, `spawn` in `assign`) is looked at when it happens.
 */
export function checkMachine(spec: MachineSpec): void {
  for (const type of spec.requests) {
    if (/^(xstate|ipdm)\./.test(type))
      refuse(spec, `request ${type}`, "has a name of the kernel's or XState's", "rename it");
  }
  for (const [name, action] of Object.entries(spec.machine.implementations.actions))
    if (isBuiltIn(action as Part)) checkBuiltIn(spec, `action ${name}`, action as Part);
  for (const [name, logic] of Object.entries(spec.machine.implementations.actors))
    checkLogic(spec, `actor ${name}`, name, logic as AnyActorLogic);
  checkNode(spec, spec.machine.root);
}

/** Names that a machine's definition asks its actor to carry out: every named action that is not one of XState's own. */
export function requestsOf(machine: AnyStateMachine): readonly string[] {
  const names = new Set<string>();
  for (const [name, action] of Object.entries(machine.implementations.actions))
    if (!isBuiltIn(action as Part)) names.add(name);
  const visit = (node: StateNode): void => {
    for (const action of actionsOf(node)) {
      const name = nameOf(action);
      if (name !== undefined && !isBuiltIn(machine.implementations.actions[name] as Part | undefined)) names.add(name);
    }
    for (const child of Object.values(node.states)) visit(child as StateNode);
  };
  visit(machine.root);
  return [...names].sort();
}

/**
 * Whether a machine asks for time: then its journal says when things happened. `orMay` counts actions that are put together at run
 * time, which might.
 */
export function usesTime(machine: AnyStateMachine, orMay: boolean): boolean {
  const { actions } = machine.implementations;
  const delayed = (part: unknown): boolean => {
    const { type, delay } = (part ?? {}) as { readonly type?: unknown; readonly delay?: unknown };
    return delay !== undefined || (orMay && type === "xstate.enqueueActions");
  };
  const visit = (node: StateNode): boolean =>
    actionsOf(node).some(delayed) || Object.values(node.states).some((child) => visit(child as StateNode));
  return Object.values(actions).some(delayed) || visit(machine.root);
}

function checkNode(spec: MachineSpec, node: StateNode): void {
  const place = node.parent === undefined ? `machine ${node.id}` : `state ${node.id}`;
  for (const action of actionsOf(node)) checkAction(spec, place, action);
  for (const transitions of [...node.transitions.values(), node.always ?? []]) {
    for (const { guard } of transitions as readonly { readonly guard?: Part }[]) checkGuard(spec, place, guard);
  }
  for (const delay of Object.keys((node.config as { after?: object }).after ?? {})) {
    if (Number.isNaN(Number(delay)) && spec.machine.implementations.delays[delay] === undefined)
      refuse(spec, place, `waits for a delay named ${delay} that is not there`, "give it in setup({ delays })");
  }
  for (const invoke of node.invoke as readonly Invoke[]) checkInvoke(spec, `${place}, invoke ${invoke.id}`, invoke);
  for (const child of Object.values(node.states)) checkNode(spec, child as StateNode);
}

interface Invoke {
  readonly id: string;
  readonly src: string;
  readonly systemId?: string | undefined;
  readonly onSnapshot?: unknown;
}

function checkInvoke(spec: MachineSpec, place: string, invoke: Invoke): void {
  if (invoke.src.startsWith("xstate.invoke."))
    refuse(
      spec,
      place,
      "is an actor without a name, which nothing could find again",
      "name it in setup({ actors }) and invoke it by that name",
    );
  if (invoke.systemId !== undefined)
    refuse(
      spec,
      place,
      "has a systemId, and the system of an actor is of this moment",
      "address children by their ids",
    );
  if (invoke.onSnapshot !== undefined)
    refuse(spec, place, "follows the snapshots of a live child", "let the child send what matters to its parent");
  checkLogic(spec, place, invoke.src, spec.machine.implementations.actors[invoke.src] as AnyActorLogic | undefined);
}

function checkLogic(spec: MachineSpec, place: string, name: string, logic: AnyActorLogic | undefined): void {
  if (spec.effects !== undefined && Object.hasOwn(spec.effects, name)) return;
  const kind = logicKind(logic);
  if (kind.kind === "live")
    refuse(
      spec,
      place,
      `is ${kind.what}, which does not survive its process`,
      `make it a promise or a machine, or give an effect named ${name}`,
    );
  if (kind.kind === "declared")
    refuse(
      spec,
      place,
      `names an actor ${name} that has no source`,
      `give it in setup({ actors }), or give an effect named ${name}`,
    );
}

function checkAction(spec: MachineSpec, place: string, action: Part): void {
  if (isBuiltIn(action)) return checkBuiltIn(spec, place, action);
  const name = nameOf(action);
  if (name === undefined)
    refuse(
      spec,
      place,
      "has an inline action, which nothing could find again",
      "name it in setup({ actions }), or use assign",
    );
  const implementation = spec.machine.implementations.actions[name] as Part | undefined;
  if (isBuiltIn(implementation) || spec.requests.includes(name)) return;
  refuse(
    spec,
    place,
    `has an action ${name} that is not one of its requests`,
    "name the action in `requests`, or take it out",
  );
}

function checkBuiltIn(spec: MachineSpec, place: string, action: Part): void {
  const { type, id, src, systemId, syncSnapshot } = action as unknown as Readonly<Record<string, unknown>>;
  if (!BUILT_IN.has(String(type)))
    refuse(
      spec,
      place,
      `uses ${String(type)}, which speaks only to listeners of this moment`,
      "ask for it as a named action",
    );
  if (type !== "xstate.spawnChild") return;
  if (typeof src !== "string")
    refuse(
      spec,
      place,
      "spawns an actor without a name, which nothing could find again",
      "name it in setup({ actors })",
    );
  if (id === undefined)
    refuse(spec, place, `spawns ${src} without an id`, "give it an id: XState counts the others anew in each process");
  if (systemId !== undefined) refuse(spec, place, `gives ${src} a systemId`, "address children by their ids");
  if (syncSnapshot === true) refuse(spec, place, `follows the snapshots of ${src}`, "let the child send what matters");
  checkLogic(spec, place, src, spec.machine.implementations.actors[src] as AnyActorLogic | undefined);
}

function checkGuard(spec: MachineSpec, place: string, guard: Part | undefined): void {
  if (guard === undefined || typeof guard === "function") return;
  const name = nameOf(guard);
  if (name === undefined || spec.machine.implementations.guards[name] === undefined)
    refuse(spec, place, `has a guard ${String(name)} that is not there`, "give it in setup({ guards })");
}

function actionsOf(node: StateNode): readonly Part[] {
  const transitions = [...node.transitions.values(), node.always ?? []].flat() as readonly {
    readonly actions: readonly unknown[];
  }[];
  const initial =
    (node.states !== undefined && Object.keys(node.states).length > 0 ? node.initial?.actions : undefined) ?? [];
  return [...node.entry, ...node.exit, ...initial, ...transitions.flatMap(({ actions }) => actions)] as readonly Part[];
}

function isBuiltIn(part: Part | undefined): boolean {
  return typeof part === "function" && "resolve" in part;
}

function nameOf(part: Part): string | undefined {
  if (typeof part === "string") return part;
  return typeof part === "object" && typeof part.type === "string" ? part.type : undefined;
}

function refuse(spec: MachineSpec, place: string, reason: string, hint: string): never {
  const machine = `${spec.name}@${spec.version}`;
  throw new IpdmError("MACHINE_UNSUPPORTED", `${place} of ${machine} ${reason}`, {
    where: `${machine}, ${place}`,
    hint,
    facts: { machine, place },
  });
}
