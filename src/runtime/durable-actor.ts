import type { AnyStateMachine, ContextFrom, EventFromLogic, InputFrom, OutputFrom, StateValueFrom } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import type { ActorState } from "../journal/checkpoint.ts";
import type { RequestRecord, Store } from "../journal/port.ts";
import type { Attempts } from "./bookkeeping.ts";
import type { OutcomeEvent } from "./effect.ts";
import { type Appended, EventStream } from "./event-stream.ts";
import type { Host } from "./host.ts";

/** `input`, which may be left out where the machine takes none. */
export type InputOf<M extends AnyStateMachine> =
  undefined extends InputFrom<M> ? { readonly input?: InputFrom<M> } : { readonly input: InputFrom<M> };

/** The state of an actor, as its machine types it. */
export interface DurableSnapshot<M extends AnyStateMachine> {
  readonly status: ActorState["status"];
  readonly value: StateValueFrom<M>;
  readonly context: ContextFrom<M>;
  /** What a machine that is done has to say. */
  readonly output: OutputFrom<M> | undefined;
  /** What ended a machine that threw: `{name, message}`. */
  readonly error: Ipld | undefined;
  /** Number of the newest durable event; the first is 1. */
  readonly seq: number;
}

/** What an event led to. */
export interface Outcome<M extends AnyStateMachine> {
  /** The event's number. */
  readonly seq: number;
  /** The events that settled what it asked for, in the order of the requests. */
  readonly outcomes: readonly Ipld[];
  /** The state after these. */
  readonly snapshot: DurableSnapshot<M>;
}

/** A request without an outcome, and how far its attempts have come. */
export interface OpenRequest extends RequestRecord {
  readonly attempts: Attempts | undefined;
}

interface ActorAccess {
  readonly host: Host;
  readonly store: Store;
  readonly appended: Appended;
}

/** A handle of a durable actor. It holds nothing: the actor may leave the memory and come back between two calls. */
export class DurableActor<M extends AnyStateMachine = AnyStateMachine> {
  readonly id: string;
  readonly #access: ActorAccess;

  constructor(id: string, access: ActorAccess) {
    this.id = id;
    this.#access = access;
  }

  /**
   * Resolves when the event is durable. Rejects with `ACTOR_EVENT_NOT_PLAIN`, `ACTOR_EVENT_RESERVED`, `ACTOR_UNKNOWN`, `ACTOR_QUARANTINED`,
   * `ACTOR_CLOSED`; and with `ACTOR_FAULT` where the machine threw, which is durable too.
   */
  send(event: EventFromLogic<M>): Promise<void> {
    return this.#access.host.with(this.id, (actor) => actor.send(event as unknown as OutcomeEvent));
  }

  /**
   * As {@link send}, and resolves when everything the event asked for has an outcome: effects and promises settled, messages taken. Timers and
   * what outcomes ask for in turn are not waited for. Rejects with `EFFECT_DEAD`, `EFFECT_CANCELLED`.
   */
  async ask(event: EventFromLogic<M>): Promise<Outcome<M>> {
    const { seq, outcomes } = await this.#access.host.with(this.id, (actor) =>
      actor.ask(event as unknown as OutcomeEvent),
    );
    return { seq, outcomes, snapshot: await this.snapshot() };
  }

  /** The newest durable state. Rejects with `ACTOR_UNKNOWN`, `ACTOR_QUARANTINED`. */
  async snapshot(): Promise<DurableSnapshot<M>> {
    const actor = await this.#access.host.actor(this.id);
    return typed<M>(actor.snapshot(), actor.seq);
  }

  /** Resolves with the first durable state for which `wanted` holds, now or later. */
  async until(
    wanted: (snapshot: DurableSnapshot<M>) => boolean,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<DurableSnapshot<M>> {
    const { signal = new AbortController().signal } = options;
    for (;;) {
      const snapshot = await this.snapshot();
      if (wanted(snapshot)) return snapshot;
      await this.#access.appended(snapshot.seq, signal);
    }
  }

  /** Resolves once no event waits and no request is open: timers have run out, and nothing waits for a person. */
  async settled(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#access.host.with(this.id, (actor) => actor.settled(options));
  }

  /**
   * Events from a number on (1 by default): those that are there, then those that come. An Observable and an async iterable; both fail with
   * `JOURNAL_ARCHIVED` where events are asked for that were dropped, and with `JOURNAL_CORRUPT`. Throws `EVENT_NUMBER` for what is no number of an event.
   */
  events({ from = 1 }: { readonly from?: number } = {}): EventStream {
    if (!Number.isSafeInteger(from) || from < 1)
      throw new IpdmError("EVENT_NUMBER", `events are numbered from 1, and ${from} is no number of one`, {
        kind: "usage",
        where: this.id,
      });
    const { store, appended } = this.#access;
    return new EventStream(store, this.id, { from, appended });
  }

  /** Requests without an outcome, oldest first. */
  async open(): Promise<readonly OpenRequest[]> {
    const { progress } = await this.#access.host.actor(this.id);
    return [...progress.pending.values()].map((request) => ({
      ...request,
      attempts: progress.books.attempts.get(request.id),
    }));
  }

  /** Ids of the actors that are its children, by the ids that the machine knows them by. Waits until they are there. */
  async children(): Promise<Readonly<Record<string, string>>> {
    return await this.#access.host.with(this.id, async (actor) => {
      await actor.born();
      const places = [...actor.progress.books.children];
      return Object.fromEntries(places.flatMap(([child, place]) => ("actor" in place ? [[child, place.actor]] : [])));
    });
  }

  /** Tries a request again whose last attempt has failed. Rejects with `REQUEST_NOT_DEAD` for any other. */
  async retry(request: string): Promise<void> {
    await this.#access.host.with(this.id, (actor) => actor.revive(request));
  }
}

function typed<M extends AnyStateMachine>(
  { status, value, context, output, error }: ActorState,
  seq: number,
): DurableSnapshot<M> {
  return {
    status,
    value: value as StateValueFrom<M>,
    context: context as ContextFrom<M>,
    output: output as OutputFrom<M> | undefined,
    error,
    seq,
  };
}
