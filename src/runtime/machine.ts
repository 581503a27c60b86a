import { CID } from "multiformats/cid";
import type { AnyActorLogic, AnyMachineSnapshot, AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { ActorState, MachineIdentity } from "../journal/checkpoint.ts";
import type { EffectSpec } from "./effect.ts";
import { checkMachine, usesTime } from "./machine-check.ts";
import { definitionOf } from "./machine-definition.ts";
import { logicKind } from "./machine-logic.ts";
import { requestsOfStep } from "./machine-requests.ts";
import { type Captured, MachineScope } from "./machine-scope.ts";
import { MachineState } from "./machine-state.ts";
import { type NotPlain, plainOf } from "./plain-data.ts";

/** Steps that one event may cause by `always` and `raise` before the machine counts as one that never comes to rest. */
export const MICROSTEPS_MAX = 10_000;

/**
 * A machine as actors run it: an XState machine, a name and a version, and the names of the actions that its actor carries out.
 * `sourceHash` is for whoever checks that code does not change under a version; the kernel does not read it.
 */
export interface MachineSpec {
  readonly name: string;
  readonly version: number;
  readonly machine: AnyStateMachine;
  readonly requests: readonly string[];
  readonly sourceHash?: string;
  /** Who carries out its requests and named promises, where the machine brings them itself. */
  readonly effects?: Readonly<Record<string, EffectSpec>>;
  /** The machines of its children, by the name of their source. */
  readonly children?: Readonly<Record<string, MachineSpec>>;
  /** How a state of an older version becomes one of this, by the older version's number. */
  readonly migrations?: Readonly<Record<number, Migration>>;
  /** What becomes of an actor whose machine throws. Without it that is a fault of the node, and nothing is journalled. */
  readonly failures?: FailurePolicy;
}

/** Makes a state of this version from one of an older version. Pure: it runs once, and its result is journalled. */
export type Migration = (state: ActorState) => Pick<ActorState, "value" | "context">;

/**
 * A machine that throws is journalled as failed. Up to `restarts` times within `withinMs` it begins again with its input, after a pause
 * that doubles from `firstDelayMs` to `maxDelayMs`; then its status stays `error`, and its parent hears of it.
 */
export interface FailurePolicy {
  readonly restarts: number;
  readonly withinMs: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
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
 * for what could not be done again after a restart (see {@link checkMachine}); `ACTOR_STATE_NOT_PLAIN` where a
 * context or a request's parameters are not IPLD data; `ACTOR_FAULT` where code of the machine throws.
 */
export class Machine {
  readonly spec: MachineSpec;
  readonly identity: MachineIdentity;
  /** Its journal says when things happened. */
  readonly timed: boolean;
  readonly #scope = new MachineScope();
  readonly #machine: AnyStateMachine;
  readonly #requests: ReadonlySet<string>;
  readonly #states: MachineState;

  constructor(hash: Hash, spec: MachineSpec) {
    checkMachine(spec);
    this.spec = spec;
    this.identity = { name: spec.name, version: spec.version, definition: definitionOf(hash, spec) };
    this.timed = usesTime(spec.machine, spec.failures !== undefined);
    this.#requests = new Set(spec.requests);
    this.#machine = withStandIns(spec.machine, this.#scope);
    this.#states = new MachineState(this.#machine, this.#scope);
  }

  /** `name@version`. */
  get label(): string {
    return `${this.identity.name}@${this.identity.version}`;
  }

  /** Whether children of this source are actors with journals of their own; others are promises, which effects carry out. */
  isActor(src: string): boolean {
    if (this.spec.effects !== undefined && Object.hasOwn(this.spec.effects, src)) return false;
    return logicKind(this.spec.machine.implementations.actors[src] as AnyActorLogic | undefined).kind === "machine";
  }

  /** The state that an actor begins with. A machine that throws here begins, and ends, with the status `error`. */
  initial(input: Ipld, actor = ""): Step {
    return this.#run(actor, (scope) => this.#machine.getInitialSnapshot(scope, input as never) as AnyMachineSnapshot);
  }

  /** The state after an event. A machine that is done, or failed, ignores events. */
  next(snapshot: AnyMachineSnapshot, event: Ipld, actor = ""): Step {
    if (snapshot.status !== "active") return { snapshot, requests: [] };
    return this.#run(
      actor,
      (scope) => this.#machine.transition(snapshot as never, event as never, scope) as AnyMachineSnapshot,
    );
  }

  /** The state as plain data; its dag-cbor CID is what two replays compare. */
  stateOf(snapshot: AnyMachineSnapshot): ActorState {
    return this.#states.plain(snapshot);
  }

  restore(state: ActorState): AnyMachineSnapshot {
    return this.#normal(this.#states.revive(state));
  }

  /** The snapshot of a machine that has thrown. */
  failed(snapshot: AnyMachineSnapshot, error: Ipld): AnyMachineSnapshot {
    return { ...snapshot, status: "error", error, children: {} } as unknown as AnyMachineSnapshot;
  }

  /** The snapshot of a machine that was stopped from outside; one that has ended stays as it is. */
  stopped(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    return snapshot.status === "active"
      ? ({ ...snapshot, status: "stopped", children: {} } as unknown as AnyMachineSnapshot)
      : snapshot;
  }

  #run(actor: string, compute: (scope: MachineScope["scope"]) => AnyMachineSnapshot): Step {
    let result: { readonly value: AnyMachineSnapshot; readonly captured: readonly Captured[] };
    try {
      result = this.#scope.capture(actor, compute);
    } catch (cause) {
      if (cause instanceof IpdmError) throw cause;
      throw this.#thrown(cause);
    }
    const { value: snapshot, captured } = result;
    if (snapshot.status === "error" && snapshot.error instanceof Error && isOfTheNode(snapshot.error))
      throw this.#thrown(snapshot.error);
    const requests = requestsOfStep({
      label: this.label,
      known: this.#requests,
      scope: this.#scope,
      captured,
      notPlain: (what, problem) => this.#notPlain(what, problem),
    });
    return { snapshot: this.#normal(snapshot), requests };
  }

  #thrown(cause: unknown): IpdmError {
    const message = cause instanceof Error ? cause.message : String(cause);
    // A stack or a heap that is full says nothing about the machine: on another node it might not be.
    const retry = isOfTheNode(cause) ? "later" : "never";
    return new IpdmError("ACTOR_FAULT", `machine ${this.label} threw: ${message}`, { where: this.label, cause, retry });
  }

  /** The snapshot with plain, frozen parts. */
  #normal(snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
    const stray = this.#states.strayChild(snapshot);
    if (stray !== undefined) {
      throw new IpdmError("MACHINE_UNSUPPORTED", `machine ${this.label} spawned ${stray} from code without a name`, {
        where: this.label,
        hint: "name the actor in setup({ actors }) and spawn it by that name, with an id",
      });
    }
    const context = this.#states.context(snapshot);
    if (!context.ok) throw this.#notPlain("the context", context);
    let next = snapshot;
    if (context.value !== snapshot.context) next = { ...next, context: context.value } as AnyMachineSnapshot;
    if (snapshot.output !== undefined) {
      const output = plainOf(snapshot.output);
      if (!output.ok) throw this.#notPlain("the output", output);
      next = { ...next, output: output.value } as AnyMachineSnapshot;
    }
    if (snapshot.status === "error")
      next = { ...next, error: plainError(snapshot.error) } as unknown as AnyMachineSnapshot;
    return next;
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

/** What was thrown, as it is journalled: `{name, message}`, or the value itself where it is plain. */
export function plainError(error: unknown): Ipld {
  if (error instanceof Error) return { name: error.name.toWellFormed(), message: error.message.toWellFormed() };
  const plain = plainOf(error ?? null);
  return plain.ok ? plain.value : { name: "Error", message: String(error).toWellFormed() };
}

/** True when both name the same machine, version and definition. */
export function sameMachine(a: MachineIdentity, b: MachineIdentity): boolean {
  return a.name === b.name && a.version === b.version && CID.asCID(a.definition)?.equals(b.definition) === true;
}

function isOfTheNode(error: unknown): boolean {
  return error instanceof RangeError && /call stack|allocation|memory/i.test(error.message);
}

// The machine's own actors never run in its transitions: stand-ins take their places, under all names that it knows.
function withStandIns(machine: AnyStateMachine, scope: MachineScope): AnyStateMachine {
  const names = new Set(Object.keys(machine.implementations.actors));
  const visit = (node: AnyStateMachine["root"]): void => {
    for (const { src } of node.invoke) names.add(String(src));
    for (const child of Object.values(node.states)) visit(child as AnyStateMachine["root"]);
  };
  visit(machine.root);
  const inert = machine.provide({ actors: Object.fromEntries([...names].map((name) => [name, scope.logic()])) });
  const options = inert as unknown as { options: { maxIterations?: number } };
  if (!Number.isFinite(options.options.maxIterations ?? Number.POSITIVE_INFINITY))
    options.options = { ...options.options, maxIterations: MICROSTEPS_MAX };
  return inert;
}
