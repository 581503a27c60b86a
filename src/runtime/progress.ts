import type { AnyMachineSnapshot } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import { type ActorState, type Checkpoint, type MachineIdentity, parseMachineIdentity } from "../journal/checkpoint.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { Machine, Step } from "./machine.ts";

/** Types of the events that the kernel itself journals; no other event may begin with this. */
export const KERNEL_EVENT_PREFIX = "ipdm.";

const INIT = "ipdm.init";
const DONE = "ipdm.done";

/** Event 1 of every journal: which machine it belongs to, and its input. The machine does not see it as an event. */
export interface InitEvent {
  readonly type: typeof INIT;
  readonly machine: MachineIdentity;
  readonly input: Ipld;
}

/** The event that a journal of this machine begins with. */
export function initEvent(machine: MachineIdentity, input: Ipld): Ipld {
  return {
    type: INIT,
    machine: { name: machine.name, version: machine.version, definition: machine.definition },
    input,
  };
}

/** Reads event 1 of a journal; `undefined` when it is not an init event. */
export function parseInitEvent(event: Ipld | undefined): InitEvent | undefined {
  const node = record(event);
  const machine = parseMachineIdentity(node?.["machine"]);
  const input = node?.["input"];
  if (node === undefined || node["type"] !== INIT || machine === undefined || input === undefined) return undefined;
  return { type: INIT, machine, input: input as Ipld };
}

/** The event that settles a request whose effect has nothing to say. It is journalled, the machine does not see it. */
export function doneEvent(request: string): Ipld {
  return { type: DONE, request };
}

/** Where an actor is: the fold of its events. The one place that decides what an event does, live and in replay. */
export class Progress {
  readonly machine: Machine;
  readonly actor: string;
  #snapshot: AnyMachineSnapshot;
  #seq: number;
  #pending: Map<string, RequestRecord>;

  private constructor(machine: Machine, actor: string, snapshot: AnyMachineSnapshot, seq: number) {
    this.machine = machine;
    this.actor = actor;
    this.#snapshot = snapshot;
    this.#seq = seq;
    this.#pending = new Map();
  }

  /** After event 1. Throws as {@link Machine}. */
  static begin(
    machine: Machine,
    actor: string,
    input: Ipld,
  ): { progress: Progress; requests: readonly RequestRecord[] } {
    const step = machine.initial(input);
    const progress = new Progress(machine, actor, step.snapshot, 0);
    return { progress, requests: progress.#accept(step, undefined) };
  }

  /** After the event that a checkpoint was taken at. */
  static restore(machine: Machine, checkpoint: Checkpoint, state: ActorState): Progress {
    const progress = new Progress(machine, checkpoint.actor, machine.restore(state), checkpoint.seq);
    for (const request of checkpoint.pending) progress.#pending.set(request.id, request);
    return progress;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  /** Number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** Requests without an outcome, oldest first. */
  get pending(): ReadonlyMap<string, RequestRecord> {
    return this.#pending;
  }

  /** Takes the next event, which must be plain. Returns what it asked for. Throws as {@link Machine}, and then nothing changes. */
  apply(event: Ipld): readonly RequestRecord[] {
    const node = record(event);
    const type = node?.["type"];
    const request = node?.["request"];
    const settles = typeof request === "string" ? request : undefined;
    if (typeof type === "string" && type.startsWith(KERNEL_EVENT_PREFIX)) {
      if (type !== DONE) throw new IpdmError("ACTOR_FAULT", `event ${type} is not one that a journal may hold here`);
      return this.#accept({ snapshot: this.#snapshot, requests: [] }, settles);
    }
    return this.#accept(this.machine.next(this.#snapshot, event), settles);
  }

  #accept(step: Step, settles: string | undefined): readonly RequestRecord[] {
    this.#snapshot = step.snapshot;
    this.#seq += 1;
    if (settles !== undefined) this.#pending.delete(settles);
    return step.requests.map(({ type, params }, index) => {
      const request: RequestRecord = { id: `${this.actor}:${this.#seq}:${index}`, type, params };
      this.#pending.set(request.id, request);
      return request;
    });
  }
}
