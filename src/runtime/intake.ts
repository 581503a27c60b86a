import type { AnyMachineSnapshot } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import { KERNEL_EVENT, KERNEL_EVENT_PREFIX } from "./kernel-event.ts";
import type { RawRequest } from "./machine.ts";

/** What an event means for an actor, before anything has changed. */
export interface Intake {
  /** What the machine sees, where it sees anything. */
  readonly event?: Ipld | undefined;
  /** The request that the event settles. */
  readonly settles?: string | undefined;
  /** What the kernel remembers. */
  readonly notes?: ((books: Bookkeeping) => void) | undefined;
  /** What the kernel asks for by itself. */
  readonly requests?: readonly RawRequest[];
  /** The input with which the machine begins again. */
  readonly begins?: Ipld;
  readonly stops?: boolean;
  /** The failed machine will begin again: its parent does not hear of the failure. */
  readonly restarts?: boolean;
}

interface Place {
  readonly actor: string;
  readonly books: Bookkeeping;
  readonly snapshot: AnyMachineSnapshot;
  readonly pending: ReadonlyMap<string, RequestRecord>;
}

/** Reads an event of a journal. Throws `ACTOR_FAULT` for an event of the kernel that is none. */
export function intakeOf(place: Place, event: Ipld): Intake {
  const node = record(event);
  const type = node?.["type"];
  const settles = textOf(node?.["request"]);
  if (typeof type !== "string" || !type.startsWith(KERNEL_EVENT_PREFIX) || node === undefined)
    return { event, settles };
  const intake = kernelIntake(place, type, node, settles);
  if (intake === undefined)
    throw new IpdmError("ACTOR_FAULT", `event ${type} is not one that a journal may hold here`, { where: place.actor });
  return intake;
}

function kernelIntake(
  place: Place,
  type: string,
  node: Readonly<Record<string, unknown>>,
  request: string | undefined,
): Intake | undefined {
  switch (type) {
    case KERNEL_EVENT.done:
      return { settles: request };
    case KERNEL_EVENT.time:
      return { notes: (books) => void (books.now = Math.max(books.now, Number(node["at"]))) };
    case KERNEL_EVENT.fired:
      return fired(place, request);
    case KERNEL_EVENT.message:
      return message(place, node);
    case KERNEL_EVENT.stopped:
      return { ...heard(node), stops: true };
    case KERNEL_EVENT.result:
    case KERNEL_EVENT.error:
      return settled(place, type, node, request);
    case KERNEL_EVENT.retry:
    case KERNEL_EVENT.dead:
      return attempted(node, request);
    case KERNEL_EVENT.revived:
      return { notes: (books) => void books.attempts.delete(request ?? "") };
    case KERNEL_EVENT.restarted:
      return { begins: node["input"] as Ipld, settles: request };
    default:
      return undefined;
  }
}

function fired(place: Place, request: string | undefined): Intake {
  const { event, to } = record(place.pending.get(request ?? "")?.params) ?? {};
  if (event === undefined) return { settles: request };
  if (to === undefined) return { settles: request, event: event as Ipld };
  return {
    settles: request,
    requests: [{ type: "ipdm.send", params: { to: "actor", actor: String(to), event: event as Ipld } }],
  };
}

function message({ books }: Place, node: Readonly<Record<string, unknown>>): Intake {
  const event = node["event"] as Ipld;
  const intake = heard(node);
  const { type, actorId } = record(event) ?? {};
  if (typeof type !== "string" || !/^xstate\.(done|error)\.actor\./.test(type)) return { ...intake, event };
  // A child that was stopped meanwhile, or replaced under its id, has nothing to say any more.
  const id = String(actorId);
  const child = books.children.get(id);
  if (child === undefined || !("actor" in child) || child.actor !== node["from"]) return intake;
  const notes = (into: Bookkeeping): void => {
    intake.notes?.(into);
    into.children.set(id, { actor: child.actor, ended: true });
  };
  return { notes, event };
}

function heard(node: Readonly<Record<string, unknown>>): Intake {
  return { notes: (books) => books.hear(String(node["from"]), String(node["id"])) };
}

function settled(
  place: Place,
  type: string,
  node: Readonly<Record<string, unknown>>,
  request: string | undefined,
): Intake {
  const { id } = record(place.pending.get(request ?? "")?.params) ?? {};
  if (typeof id !== "string") return { settles: request };
  const event: Ipld =
    type === KERNEL_EVENT.result
      ? { type: `xstate.done.actor.${id}`, output: node["output"] as Ipld, actorId: id }
      : { type: `xstate.error.actor.${id}`, error: node["error"] as Ipld, actorId: id };
  return { settles: request, event };
}

function attempted(node: Readonly<Record<string, unknown>>, request: string | undefined): Intake {
  const { attempt, due, error } = node;
  return {
    notes: (books) =>
      void books.attempts.set(request ?? "", {
        failed: Number(attempt),
        error: (error ?? null) as Ipld,
        ...(typeof due === "number" ? { due } : {}),
      }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
