import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import { type ParentLink, parseParent } from "./kernel-event.ts";

/** How far the attempts at a request have come. Without one, none has failed. */
export interface Attempts {
  /** Attempts that have failed. */
  readonly failed: number;
  /** When the next one begins, in milliseconds since 1970; absent for a request that waits for a person. */
  readonly due?: number;
  readonly error: Ipld;
}

/**
 * Where a child of an actor is: an actor of its own, or a request where an effect stands behind it. A child that has `ended` by itself is
 * still known, as in XState, and hears nothing more.
 */
export type ChildPlace = { readonly actor: string; readonly ended?: true } | { readonly request: string };

/** What the kernel remembers of an actor beside its state and its open requests: the fold of the kernel's own events. */
export class Bookkeeping {
  /** The newest time that the journal tells, in milliseconds since 1970. */
  now = 0;
  parent: ParentLink | undefined;
  // Maps are made when they are looked at: most actors have no use for them, and there are many actors.
  #children: Map<string, ChildPlace> | undefined;
  #heard: Map<string, readonly [number, number]> | undefined;
  #attempts: Map<string, Attempts> | undefined;
  /** When the machine threw, as far as it matters for further restarts. */
  failures: readonly number[] = [];

  get children(): Map<string, ChildPlace> {
    return (this.#children ??= new Map());
  }

  get attempts(): Map<string, Attempts> {
    return (this.#attempts ??= new Map());
  }

  /** True when a message was taken before. */
  hasHeard(from: string, id: string): boolean {
    const newest = this.#heard?.get(from);
    return newest !== undefined && compare(placeOf(id), newest) <= 0;
  }

  hear(from: string, id: string): void {
    if (!this.hasHeard(from, id)) this.#hear(from, placeOf(id));
  }

  #hear(from: string, place: readonly [number, number]): void {
    // The newest message of each sender: its sequence number and index.
    (this.#heard ??= new Map()).set(from, place);
  }

  /** Plain data for a checkpoint; `undefined` when there is nothing to remember. */
  plain(): Ipld | undefined {
    const { now, parent, failures } = this;
    const [children, heard, attempts] = [this.#children, this.#heard, this.#attempts];
    const parts: Record<string, Ipld> = {};
    if (now > 0) parts["now"] = now;
    if (parent !== undefined) parts["parent"] = { actor: parent.actor, child: parent.child };
    if (children !== undefined && children.size > 0)
      parts["children"] = Object.fromEntries([...children].map(([id, place]) => [id, { ...place }]));
    if (heard !== undefined && heard.size > 0) parts["heard"] = Object.fromEntries(heard);
    if (attempts !== undefined && attempts.size > 0)
      parts["attempts"] = Object.fromEntries([...attempts].map(([id, each]) => [id, { ...each }]));
    if (failures.length > 0) parts["failures"] = failures;
    return Object.keys(parts).length === 0 ? undefined : parts;
  }

  /** From a checkpoint's block, whose bytes were checked: what is not as it should be is left out. */
  static parse(value: Ipld | undefined): Bookkeeping {
    const books = new Bookkeeping();
    const { now, parent, children, heard, attempts, failures } = record(value) ?? {};
    if (typeof now === "number") books.now = now;
    books.parent = parseParent(parent);
    for (const [id, place] of Object.entries(record(children) ?? {})) {
      const { actor, request, ended } = record(place) ?? {};
      if (typeof actor === "string") books.children.set(id, ended === true ? { actor, ended } : { actor });
      else if (typeof request === "string") books.children.set(id, { request });
    }
    for (const [from, place] of Object.entries(record(heard) ?? {}))
      if (Array.isArray(place)) books.#hear(from, [Number(place[0]), Number(place[1])]);
    for (const [id, each] of Object.entries(record(attempts) ?? {})) {
      const { failed, due, error } = record(each) ?? {};
      if (typeof failed !== "number") continue;
      const pause = typeof due === "number" ? { due } : {};
      books.attempts.set(id, { failed, error: (error ?? null) as Ipld, ...pause });
    }
    if (Array.isArray(failures)) books.failures = failures.filter((at): at is number => typeof at === "number");
    return books;
  }
}

// A request id is `actor:seq:index`; an actor id may hold colons itself.
function placeOf(request: string): readonly [number, number] {
  const parts = request.split(":");
  return [Number(parts.at(-2)), Number(parts.at(-1))];
}

function compare(a: readonly [number, number], b: readonly [number, number]): number {
  return a[0] - b[0] || a[1] - b[1];
}
