import type { AnyActorRef, AnyMachineSnapshot, AnyStateMachine } from "xstate";
import type { Ipld } from "../dag/block.ts";
import type { ActorState } from "../journal/checkpoint.ts";
import type { MachineScope } from "./machine-scope.ts";
import { type Plain, plainOf } from "./plain-data.ts";

/** How XState itself writes a reference to an actor in a persisted context. */
const REFERENCE = "xstate$$type";

/** Snapshots of one machine as plain data, and back. References to children stand in a plain context as `{xstate$$type: 1, id}`. */
export class MachineState {
  readonly #machine: AnyStateMachine;
  readonly #scope: MachineScope;
  readonly #hasChildren: boolean;
  /** Parts of contexts already known to be plain and frozen: an unchanged part is not looked at again. */
  readonly #known = new WeakSet<object>();

  constructor(machine: AnyStateMachine, scope: MachineScope) {
    this.#machine = machine;
    this.#scope = scope;
    this.#hasChildren = Object.keys(machine.implementations.actors).length > 0;
  }

  /** The snapshot's context, plain and frozen apart from references to children. */
  context(snapshot: AnyMachineSnapshot): Plain {
    if (!this.#hasChildren) return plainOf(snapshot.context, this.#known);
    return plainOf(snapshot.context, this.#known, (value) => this.#scope.isChild(value));
  }

  /** The id of a child that was made from code without a name. */
  strayChild(snapshot: AnyMachineSnapshot): string | undefined {
    const children = snapshot.children as Readonly<Record<string, object | undefined>>;
    for (const id in children) {
      const child = children[id];
      if (child === undefined || !this.#scope.isChild(child)) return id;
    }
    return undefined;
  }

  plain(snapshot: AnyMachineSnapshot): ActorState {
    const { status, value, context, output, error } = snapshot as unknown as ActorState;
    const history = historyOf(snapshot);
    const children = status === "active" ? childrenOf(snapshot) : undefined;
    return {
      status,
      value,
      context: this.#hasChildren ? (unlinked(context) as Ipld) : context,
      ...(status === "done" && output !== undefined ? { output } : {}),
      ...(status === "error" ? { error: error ?? null } : {}),
      ...(history === undefined ? {} : { history }),
      ...(children === undefined ? {} : { children }),
    };
  }

  revive(state: ActorState): AnyMachineSnapshot {
    const { status, value, context, output, error, history = {}, children = {} } = state;
    const historyValue = Object.fromEntries(
      Object.entries(history).map(([id, ids]) => [id, ids.map((each) => ({ id: each }))]),
    );
    const revived = this.#machine.restoreSnapshot(
      {
        status,
        value,
        output,
        error,
        historyValue,
        context: {},
        children: Object.fromEntries(
          Object.entries(children).map(([id, src]) => [
            id,
            { src, snapshot: { status: "active" }, syncSnapshot: false },
          ]),
        ),
      } as never,
      this.#scope.scope as never,
    ) as AnyMachineSnapshot;
    const refs = revived.children as Readonly<Record<string, AnyActorRef | undefined>>;
    this.#scope.adopt(refs);
    const linked = this.#hasChildren ? relinked(context, refs) : context;
    return { ...revived, context: linked } as AnyMachineSnapshot;
  }
}

function historyOf(snapshot: AnyMachineSnapshot): ActorState["history"] {
  const remembered = Object.entries(
    snapshot.historyValue as Readonly<Record<string, readonly { readonly id: string }[]>>,
  );
  if (remembered.length === 0) return undefined;
  return Object.fromEntries(remembered.map(([id, nodes]) => [id, nodes.map((node) => node.id)]));
}

function childrenOf(snapshot: AnyMachineSnapshot): ActorState["children"] {
  const children = Object.entries(snapshot.children as Readonly<Record<string, AnyActorRef | undefined>>);
  if (children.length === 0) return undefined;
  return Object.fromEntries(children.map(([id, child]) => [id, String(child?.src)]));
}

function unlinked(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const { sessionId, id } = value as { readonly sessionId?: unknown; readonly id?: unknown };
  if (sessionId !== undefined && "getSnapshot" in value) return { [REFERENCE]: 1, id };
  return mapped(value, unlinked);
}

function relinked(value: unknown, children: Readonly<Record<string, AnyActorRef | undefined>>): unknown {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return value;
  const { [REFERENCE]: kind, id } = value as { readonly [REFERENCE]?: unknown; readonly id?: unknown };
  // A child that is gone leaves a reference that leads nowhere, as in XState.
  if (kind === 1 && typeof id === "string") return children[id] ?? value;
  return mapped(value, (each) => relinked(each, children));
}

/** The same object where nothing in it changes. */
function mapped(value: object, change: (part: unknown) => unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(change);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, change(part)] as const);
  return entries.every(([key, part]) => part === (value as Readonly<Record<string, unknown>>)[key])
    ? value
    : Object.fromEntries(entries);
}
