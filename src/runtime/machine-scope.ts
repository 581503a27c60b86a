import { type AnyActorLogic, type AnyActorRef, type AnyActorScope, createActor } from "xstate";
import type { Ipld } from "../dag/block.ts";

/** What a transition did besides changing the state, in order: an action that XState would execute, or a child that it made. */
export type Captured =
  | { readonly kind: "action"; readonly type: string; readonly params: unknown }
  | {
      readonly kind: "spawn";
      readonly child: string;
      readonly src: string;
      readonly input: unknown;
      /** What the child was made with that only a live one could have. */
      readonly live: "systemId" | "syncSnapshot" | undefined;
    };

/**
 * The surroundings that XState's transitions want, reused for all of them: nothing is executed, started or scheduled; what would
 * be is captured. Children are inert stand-ins: their code never runs in their parent's transitions. Making one of these per
 * transition, as XState's own `transition()` does, costs several times what the transition costs.
 */
export class MachineScope {
  readonly scope: AnyActorScope;
  readonly #children = new WeakSet<object>();
  readonly #parent: AnyActorRef;
  #captured: Captured[] = [];

  constructor() {
    const nobody = createActor(inert(() => {}));
    this.#parent = nobody as AnyActorRef;
    const self = createActor(
      inert(() => {}),
      { parent: nobody } as never,
    );
    // One system serves all transitions of all actors: what one of them registered would be in the way of the others.
    (self.system as unknown as { _set: () => void })._set = () => {};
    this.scope = {
      self,
      id: "",
      sessionId: "",
      system: self.system,
      logger: () => {},
      defer: () => {},
      emit: () => {},
      stopChild: () => {},
      actionExecutor: (action) => {
        this.#captured.push({ kind: "action", type: action.type, params: action.params });
      },
    };
  }

  /** Stands in for an actor's source. What a child is made with is captured in its place among the actions. */
  logic(): AnyActorLogic {
    return inert((self, input) => {
      this.#children.add(self);
      const { src, systemId, _syncSnapshot } = self as { src?: unknown; systemId?: unknown; _syncSnapshot?: unknown };
      const live = systemId !== undefined ? "systemId" : _syncSnapshot === true ? "syncSnapshot" : undefined;
      this.#captured.push({ kind: "spawn", child: self.id, src: String(src), input, live });
    });
  }

  /** Does some transition, as the actor of this id, and gives what it did besides. */
  capture<T>(
    actor: string,
    compute: (scope: AnyActorScope) => T,
  ): { readonly value: T; readonly captured: Captured[] } {
    this.#captured = [];
    (this.scope.self as { id: string }).id = actor;
    const value = compute(this.scope);
    return { value, captured: this.#captured };
  }

  /** Takes over children that a restored snapshot has. */
  adopt(children: Readonly<Record<string, AnyActorRef | undefined>>): void {
    for (const child of Object.values(children)) if (child !== undefined) this.#children.add(child);
  }

  isChild(value: object): boolean {
    return this.#children.has(value);
  }

  /** Whom a message of a machine is for. `undefined` for whom this scope did not make. */
  addressee(ref: unknown): { readonly [key: string]: Ipld } | undefined {
    if (ref === this.scope.self) return { to: "self" };
    if (ref === this.#parent) return { to: "parent" };
    if (typeof ref === "object" && ref !== null && this.isChild(ref))
      return { to: "child", child: (ref as AnyActorRef).id };
    return undefined;
  }
}

function inert(made: (self: AnyActorRef, input: unknown) => void): AnyActorLogic {
  return {
    transition: (snapshot: unknown) => snapshot,
    getInitialSnapshot: (scope: AnyActorScope, input: unknown) => {
      made(scope.self, input);
      return { status: "active", output: undefined, error: undefined };
    },
    getPersistedSnapshot: () => ({ status: "active" }),
    restoreSnapshot: (snapshot: unknown) => snapshot,
  } as unknown as AnyActorLogic;
}
