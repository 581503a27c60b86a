import { Observable } from "rxjs";
import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord, Store } from "../journal/port.ts";

/** An event of an actor's journal. */
export interface JournalEvent {
  /** Its number; the first is 1. */
  readonly seq: number;
  /** As it is journalled: the kernel's own events have a type that begins with `ipdm.`. */
  readonly event: Ipld & { readonly type: string };
  /** What it asked for. */
  readonly requests: readonly RequestRecord[];
}

/** Resolves when the actor has an event after this number. Rejects with the signal's reason, or when nothing more can come. */
export type Appended = (seq: number, signal: AbortSignal) => Promise<void>;

/**
 * The events of an actor from one number on: those that are in its journal, then those that come, in order and each once. An RxJS Observable
 * and an async iterable; each subscriber and each loop reads for itself, and a slow loop holds up nobody.
 */
export class EventStream extends Observable<JournalEvent> implements AsyncIterable<JournalEvent> {
  readonly #read: (signal: AbortSignal) => AsyncIterable<JournalEvent>;

  constructor(store: Store, actor: string, options: { readonly from: number; readonly appended: Appended }) {
    const read = (signal: AbortSignal): AsyncIterable<JournalEvent> => follow(store, actor, options, signal);
    super((subscriber) => {
      const stop = new AbortController();
      void (async () => {
        try {
          for await (const each of read(stop.signal)) subscriber.next(each);
          subscriber.complete();
        } catch (error) {
          if (stop.signal.aborted) subscriber.complete();
          else subscriber.error(error);
        }
      })();
      return () => stop.abort();
    });
    this.#read = read;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<JournalEvent> {
    const stop = new AbortController();
    try {
      yield* this.#read(stop.signal);
    } finally {
      stop.abort();
    }
  }
}

async function* follow(
  store: Store,
  actor: string,
  { from, appended }: { readonly from: number; readonly appended: Appended },
  signal: AbortSignal,
): AsyncGenerator<JournalEvent> {
  let next = from;
  while (!signal.aborted) {
    for await (const each of journalEvents(store, actor, next)) {
      yield each;
      next = each.seq + 1;
    }
    await appended(next - 1, signal);
  }
}

/** The durable events of an actor from one number on. Throws `JOURNAL_CORRUPT`. */
export async function* journalEvents(store: Store, actor: string, from: number): AsyncGenerator<JournalEvent> {
  for await (const { entry } of store.entries(actor, { from })) {
    if (entry.seq + entry.events.length - 1 < from) continue;
    for (const [at, event] of entry.events.entries()) {
      const seq = entry.seq + at;
      if (seq < from) continue;
      const type = record(event)?.["type"];
      const named = { ...(event as object), type: typeof type === "string" ? type : "" };
      yield { seq, event: named, requests: entry.requests.filter(({ id }) => id.startsWith(`${actor}:${seq}:`)) };
    }
  }
}
