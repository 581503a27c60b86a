import { CID } from "multiformats/cid";
import { type AnyMachineSnapshot, type AnyStateMachine, initialTransition, transition } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Ipld } from "../dag/block.ts";
import type { ActorState, MachineIdentity } from "../journal/checkpoint.ts";
import { definitionOf } from "./machine-definition.ts";
import { type NotPlain, plainOf } from "./plain-data.ts";

/**
 * A machine as an actor runs it: an XState machine whose only actions are `assign`, immediate `raise` and the named requests.
 * `sourceHash` is for whoever checks that code does not change under a version; the kernel does not read it.
 */
export interface MachineSpec {
  readonly name: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly requests: readonly string[];
  readonly sourceHash?: string;
}

/** A request before it has an id. */
export interface RawRequest {
  readonly type: string;
  readonly params: Ipld;
}

/** A machine's next state and what it asks for. */
export interface Step {
  readonly snapshot: AnyMachineSnapshot;
  readonly requests: readonly RawRequest[];
}

/**
 * The pure face of a machine: states in, states out, requests as plain data. Nothing is executed. Throws `MACHINE_UNSUPPORTED`
 * for machines with timers, child actors, history states or actions that are not requests; `ACTOR_STATE_NOT_PLAIN` where a
 * context or a request's parameters are not IPLD data; `ACTOR_FAULT` where code of the machine throws.
 */
export class Machine {
  readonly spec: MachineSpec;
  readonly identity: MachineIdentity;
  readonly #requests: ReadonlySet<string>;
  /** Parts of contexts already known to be plain and frozen: an unchanged part is not looked at again. */
  readonly #known = new WeakSet<object>();

  constructor(hash: Hash, spec: MachineSpec) {
    this.spec = spec;
    this.identity = { name: spec.name, version: spec.version, definition: definitionOf(hash, spec) };
    this.#requests = new Set(spec.requests);
  }

  /** `name@version`. */
  get label(): string {
    return `${this.identity.name}@${this.identity.version}`;
  }

  initial(input: Ipld): Step {
    return this.#run(() => initialTransition(this.spec.machine, input as never));
  }

  /** The state after an event. A machine that is done, or failed, ignores events. */
  next(snapshot: AnyMachineSnapshot, event: Ipld): Step {
    if (snapshot.status !== "active") return { snapshot, requests: [] };
    return this.#run(() => transition(this.spec.machine, snapshot, event as never));
  }

  /** The state as plain data; its dag-cbor CID is what two replays compare. */
  stateOf(snapshot: AnyMachineSnapshot): ActorState {
    return { status: snapshot.status, value: snapshot.value as Ipld, context: snapshot.context as Ipld };
  }

  restore(state: ActorState): AnyMachineSnapshot {
    const context = plainOf(state.context, this.#known);
    if (!context.ok) throw this.#notPlain("the context", context);
    return this.#resolve({ ...state, context: context.value });
  }

  #run(compute: () => readonly [AnyMachineSnapshot, readonly ExecutableAction[]]): Step {
    let result: readonly [AnyMachineSnapshot, readonly ExecutableAction[]];
    try {
      result = compute();
    } catch (cause) {
      if (cause instanceof IpdmError) throw cause;
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new IpdmError("ACTOR_FAULT", `machine ${this.label} threw: ${message}`, { where: this.label, cause });
    }
    const [snapshot, actions] = result;
    const requests: RawRequest[] = [];
    for (const action of actions) {
      const request = this.#requestOf(action);
      if (request !== undefined) requests.push(request);
    }
    return { snapshot: this.#plainSnapshot(snapshot), requests };
  }

  #requestOf(action: ExecutableAction): RawRequest | undefined {
    if (this.#requests.has(action.type)) {
      const params = plainOf(action.params ?? null);
      if (!params.ok) throw this.#notPlain(`the parameters of request ${action.type}`, params);
      return { type: action.type, params: params.value };
    }
    // XState has consumed an immediate raise by now and only reports it.
    const delay = (action.params as { readonly delay?: unknown } | undefined)?.delay;
    if (action.type === "xstate.raise" && delay === undefined) return undefined;
    throw new IpdmError(
      "MACHINE_UNSUPPORTED",
      `machine ${this.label} uses action ${action.type}, which is not one of its requests`,
      {
        where: this.label,
        hint: "name the action in `requests`, or take it out: timers, child actors and inline actions cannot be replayed",
        facts: { action: action.type, requests: [...this.#requests] },
      },
    );
  }

  #plainSnapshot(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    if (Object.keys(snapshot.children as object).length > 0) {
      throw new IpdmError("MACHINE_UNSUPPORTED", `machine ${this.label} has child actors`, { where: this.label });
    }
    const context = plainOf(snapshot.context, this.#known);
    if (!context.ok) throw this.#notPlain("the context", context);
    if (context.value === snapshot.context) return snapshot;
    return this.#resolve({ status: snapshot.status, value: snapshot.value as Ipld, context: context.value });
  }

  #resolve(state: ActorState): AnyMachineSnapshot {
    return this.spec.machine.resolveState({
      status: state.status as "active",
      value: state.value as never,
      context: state.context as never,
    });
  }

  #notPlain(what: string, problem: NotPlain): IpdmError {
    return new IpdmError(
      "ACTOR_STATE_NOT_PLAIN",
      `${what} of machine ${this.label} holds ${problem.reason} at ${problem.path}`,
      {
        where: this.label,
        hint: "keep only JSON-like values, byte arrays and CIDs in a context",
        facts: { path: problem.path, reason: problem.reason },
      },
    );
  }
}

interface ExecutableAction {
  readonly type: string;
  readonly params?: unknown;
}

/** True when both name the same machine, version and definition. */
export function sameMachine(a: MachineIdentity, b: MachineIdentity): boolean {
  return a.name === b.name && a.version === b.version && CID.asCID(a.definition)?.equals(b.definition) === true;
}
