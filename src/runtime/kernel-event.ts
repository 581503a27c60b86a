import { CID } from "multiformats/cid";
import type { Ipld } from "../dag/block.ts";
import { type ActorState, type MachineIdentity, parseMachineIdentity } from "../journal/checkpoint.ts";
import { record } from "../journal/entry.ts";

/** Types of the events that the kernel itself journals; no other event may begin with this. */
export const KERNEL_EVENT_PREFIX = "ipdm.";

/** What the kernel journals beside a machine's own events (`docs/reference/actors.md`, "What a journal holds"). */
export const KERNEL_EVENT = {
  init: "ipdm.init",
  done: "ipdm.done",
  time: "ipdm.time",
  fired: "ipdm.fired",
  message: "ipdm.message",
  stopped: "ipdm.stopped",
  result: "ipdm.result",
  error: "ipdm.error",
  retry: "ipdm.retry",
  dead: "ipdm.dead",
  revived: "ipdm.revived",
  failed: "ipdm.failed",
  restarted: "ipdm.restarted",
  migrated: "ipdm.migrated",
} as const;

const MARKERS: ReadonlySet<unknown> = new Set([
  "ipdm.done",
  "ipdm.time",
  "ipdm.retry",
  "ipdm.dead",
  "ipdm.revived",
  "ipdm.migrated",
]);

/** True for events of the kernel that no machine sees. */
export function isMarker(event: Ipld): boolean {
  return MARKERS.has(record(event)?.["type"]);
}

/** Whose child an actor is, and under which id its parent knows it. */
export interface ParentLink {
  readonly actor: string;
  readonly child: string;
}

/** Event 1 of every journal: which machine it belongs to, and its input. The machine does not see it as an event. */
export interface InitEvent {
  readonly type: typeof KERNEL_EVENT.init;
  readonly machine: MachineIdentity;
  readonly input: Ipld;
  /** When it began, in milliseconds since 1970, where the machine uses time. */
  readonly at?: number;
  readonly parent?: ParentLink;
}

/** The event that a journal of this machine begins with. */
export function initEvent(
  machine: MachineIdentity,
  input: Ipld,
  more: { readonly at?: number | undefined; readonly parent?: ParentLink | undefined } = {},
): Ipld {
  const { at, parent } = more;
  return {
    type: KERNEL_EVENT.init,
    machine: plainIdentity(machine),
    input,
    ...(at === undefined ? {} : { at }),
    ...(parent === undefined ? {} : { parent: { actor: parent.actor, child: parent.child } }),
  };
}

/** Reads event 1 of a journal; `undefined` when it is not an init event. */
export function parseInitEvent(event: Ipld | undefined): InitEvent | undefined {
  const node = record(event);
  const machine = parseMachineIdentity(node?.["machine"]);
  const input = node?.["input"];
  if (node === undefined || node["type"] !== KERNEL_EVENT.init || machine === undefined || input === undefined)
    return undefined;
  const at = node["at"];
  const parent = parseParent(node["parent"]);
  return {
    type: KERNEL_EVENT.init,
    machine,
    input: input as Ipld,
    ...(typeof at === "number" ? { at } : {}),
    ...(parent === undefined ? {} : { parent }),
  };
}

/** Reads a link to a parent; `undefined` where the value is none. */
export function parseParent(value: unknown): ParentLink | undefined {
  const { actor, child } = record(value) ?? {};
  return typeof actor === "string" && typeof child === "string" ? { actor, child } : undefined;
}

/** The event that settles a request whose effect has nothing to say. It is journalled, the machine does not see it. */
export function doneEvent(request: string): Ipld {
  return { type: KERNEL_EVENT.done, request };
}

/** Says what time it is, before events of a machine that uses time. */
export function timeEvent(at: number): Ipld {
  return { type: KERNEL_EVENT.time, at };
}

/** A timer has run out. */
export function firedEvent(request: string): Ipld {
  return { type: KERNEL_EVENT.fired, request };
}

/** Another actor's message, under the id of the request that sent it. */
export function messageEvent(from: string, id: string, event: Ipld): Ipld {
  return { type: KERNEL_EVENT.message, from, id, event };
}

/** The parent has stopped this actor. */
export function stoppedEvent(from: string, id: string): Ipld {
  return { type: KERNEL_EVENT.stopped, from, id };
}

/** What a named promise has resolved with. */
export function resultEvent(request: string, output: Ipld): Ipld {
  return { type: KERNEL_EVENT.result, request, output };
}

/** What a named promise has rejected with. */
export function errorEvent(request: string, error: Ipld): Ipld {
  return { type: KERNEL_EVENT.error, request, error };
}

/** An attempt of an effect has failed; the next begins at `due`. */
export function retryEvent(request: string, attempt: number, due: number, error: Ipld): Ipld {
  return { type: KERNEL_EVENT.retry, request, attempt, due, error };
}

/** The last attempt of an effect has failed: the request waits for a person. */
export function deadEvent(request: string, attempt: number, error: Ipld): Ipld {
  return { type: KERNEL_EVENT.dead, request, attempt, error };
}

/** A person wants a dead request tried again. */
export function revivedEvent(request: string): Ipld {
  return { type: KERNEL_EVENT.revived, request };
}

/** The machine threw on this event. With `restart` it begins again at that time. */
export function machineFailedEvent(event: Ipld, error: Ipld, at: number, restart: number | undefined): Ipld {
  return { type: KERNEL_EVENT.failed, event, error, at, ...(restart === undefined ? {} : { restart }) };
}

/** A failed machine begins again with its input. */
export function restartedEvent(request: string, input: Ipld): Ipld {
  return { type: KERNEL_EVENT.restarted, request, input };
}

/** The actor is another machine's from here on; `state` is what its state became. */
export function migratedEvent(machine: MachineIdentity, state: Pick<ActorState, "value" | "context">): Ipld {
  return {
    type: KERNEL_EVENT.migrated,
    machine: plainIdentity(machine),
    state: { value: state.value, context: state.context },
  };
}

/** Reads a migration; `undefined` where the event is none. */
export function parseMigration(
  event: Ipld,
): { readonly machine: MachineIdentity; readonly state: Pick<ActorState, "value" | "context"> } | undefined {
  const node = record(event);
  if (node?.["type"] !== KERNEL_EVENT.migrated) return undefined;
  const machine = parseMachineIdentity(node["machine"]);
  const { value, context } = record(node["state"]) ?? {};
  if (machine === undefined || value === undefined || context === undefined) return undefined;
  return { machine, state: { value: value as Ipld, context: context as Ipld } };
}

function plainIdentity({ name, version, definition }: MachineIdentity): Ipld {
  return { name, version, definition: CID.asCID(definition) ?? definition };
}
