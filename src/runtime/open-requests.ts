import type { AnyMachineSnapshot } from "xstate";
import type { Ipld } from "../dag/block.ts";
import { isActorId, record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import { KERNEL_EVENT } from "./kernel-event.ts";
import type { Machine, RawRequest } from "./machine.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";

/** The requests of an actor that have no outcome yet, its timers and children among them. */
export class OpenRequests {
  readonly pending = new Map<string, RequestRecord>();
  readonly #actor: string;
  readonly #books: Bookkeeping;
  #cancelled: string[] = [];
  #asked: RequestRecord[] = [];
  #seq = 0;

  constructor(actor: string, books: Bookkeeping) {
    this.#actor = actor;
    this.#books = books;
  }

  /** Requests of the event that began last. */
  get asked(): readonly RequestRecord[] {
    return this.#asked;
  }

  begin(seq: number): void {
    this.#seq = seq;
    this.#asked = [];
  }

  takeCancelled(): readonly string[] {
    const cancelled = this.#cancelled;
    if (cancelled.length > 0) this.#cancelled = [];
    return cancelled;
  }

  settle(id: string): void {
    this.pending.delete(id);
    this.#books.attempts.delete(id);
  }

  /** Why requests cannot be taken; `undefined` when they can. */
  problem(requests: readonly RawRequest[]): string | undefined {
    for (const { type, params } of requests) {
      const { to, id } = record(params) ?? {};
      if (type === KERNEL_REQUEST.send && to === "parent" && this.#books.parent === undefined)
        return "sends to a parent, and has none";
      if (type === KERNEL_REQUEST.spawn && !isActorId(`${this.#actor}/${String(id)}@${"9".repeat(20)}`))
        return `spawns ${String(id)}, whose actor's id would be longer than 512 bytes`;
    }
    return undefined;
  }

  ask({ type, params }: RawRequest, machine: Machine): void {
    const node = record(params) ?? {};
    switch (type) {
      case KERNEL_REQUEST.after:
        return this.#schedule(node);
      case KERNEL_REQUEST.cancel:
        return this.#cancelTimers(node["id"]);
      case KERNEL_REQUEST.spawn:
        return this.#spawn(node, machine);
      case KERNEL_REQUEST.send:
        return this.#send(node);
      case KERNEL_REQUEST.stop:
        return this.#stop(String(node["child"]));
      default:
        this.#add(type, params);
    }
  }

  /** The machine has come to its end: timers and promises go, children are stopped, and its parent hears of it. */
  end(snapshot: AnyMachineSnapshot, restarts: boolean): void {
    for (const { id, type } of [...this.pending.values()])
      if (type === KERNEL_REQUEST.after || type === KERNEL_REQUEST.invoke) this.#cancel(id);
    for (const child of [...this.#books.children.keys()]) this.#stop(child);
    const { parent } = this.#books;
    if (parent === undefined || restarts || snapshot.status === "stopped") return;
    const { output, error } = snapshot as { readonly output?: Ipld; readonly error?: unknown };
    const event: Ipld =
      snapshot.status === "done"
        ? {
            type: `xstate.done.actor.${parent.child}`,
            ...(output === undefined ? {} : { output }),
            actorId: parent.child,
          }
        : { type: `xstate.error.actor.${parent.child}`, error: (error ?? null) as Ipld, actorId: parent.child };
    this.#add(KERNEL_REQUEST.send, { to: parent.actor, event });
  }

  #schedule({ id, delay, event, to, child }: Readonly<Record<string, unknown>>): void {
    const target = to === "self" ? undefined : this.#address(to, child);
    if (to !== "self" && target === undefined) return;
    this.#add(KERNEL_REQUEST.after, {
      ...(typeof id === "string" ? { id } : {}),
      delay: Number(delay),
      due: this.#books.now + Number(delay),
      event: event as Ipld,
      ...(target === undefined ? {} : { to: target }),
    });
  }

  #cancelTimers(id: unknown): void {
    for (const request of [...this.pending.values()])
      if (request.type === KERNEL_REQUEST.after && record(request.params)?.["id"] === id) this.#cancel(request.id);
  }

  #spawn({ id, src, input }: Readonly<Record<string, unknown>>, machine: Machine): void {
    const child = String(id);
    const params = { id: child, src: String(src), input: (input ?? null) as Ipld };
    if (machine.isActor(String(src))) {
      const actor = `${this.#actor}/${child}@${this.#seq}.${this.#asked.length}`;
      this.#books.children.set(child, { actor });
      this.#add(KERNEL_REQUEST.spawn, { ...params, actor });
    } else {
      this.#books.children.set(child, { request: this.#add(KERNEL_REQUEST.invoke, params) });
    }
  }

  #send({ to, child, actor, event }: Readonly<Record<string, unknown>>): void {
    const target = to === "actor" ? String(actor) : this.#address(to, child);
    if (target !== undefined) this.#add(KERNEL_REQUEST.send, { to: target, event: event as Ipld });
  }

  #stop(child: string): void {
    const place = this.#books.children.get(child);
    if (place === undefined) return;
    this.#books.children.delete(child);
    if ("actor" in place) {
      if (place.ended !== true) this.#add(KERNEL_REQUEST.stop, { to: place.actor });
    } else if (this.pending.has(place.request)) this.#cancel(place.request);
  }

  /** The actor behind an address of a machine; `undefined` where nobody could listen: a promise, or a child that is gone. */
  #address(to: unknown, child: unknown): string | undefined {
    if (to === "self") return this.#actor;
    if (to === "parent") return this.#books.parent?.actor;
    const place = this.#books.children.get(String(child));
    return place !== undefined && "actor" in place && place.ended !== true ? place.actor : undefined;
  }

  #add(type: string, params: Ipld): string {
    const request: RequestRecord = { id: `${this.#actor}:${this.#seq}:${this.#asked.length}`, type, params };
    this.#asked.push(request);
    this.pending.set(request.id, request);
    return request.id;
  }

  #cancel(id: string): void {
    this.settle(id);
    this.#cancelled.push(id);
  }
}

/** When a request can begin: at once (0), at a time, or not before a person says so (`undefined`). */
export function dueOf(request: RequestRecord, books: Bookkeeping): number | undefined {
  const attempts = books.attempts.get(request.id);
  if (attempts !== undefined) return attempts.due;
  if (request.type !== KERNEL_REQUEST.after && request.type !== KERNEL_EVENT.restarted) return 0;
  const due = record(request.params)?.["due"];
  return typeof due === "number" ? due : 0;
}
