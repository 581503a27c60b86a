import type { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";

/** Events that wait in a mailbox; a sender beyond that waits for room. Outcomes of the actor's own effects are let in always. */
export const MAILBOX_EVENTS_MAX = 1024;

/** An event on its way into the journal. */
export interface Letter {
  readonly event: Ipld;
  /** The request that this event answers, where an effect of the actor sent it. */
  readonly answers: string | undefined;
  readonly delivered: PromiseWithResolvers<void>;
}

/** The events that wait for one actor, in order of arrival. */
export class Mailbox {
  readonly #queue: Letter[] = [];
  readonly #outside: Letter[] = [];

  get empty(): boolean {
    return this.#queue.length === 0 && this.#outside.length === 0;
  }

  /** Resolves when the event is durable. */
  send(event: Ipld): Promise<void> {
    const letter: Letter = { event, answers: undefined, delivered: Promise.withResolvers<void>() };
    if (this.#outside.length > 0 || this.#queue.length >= MAILBOX_EVENTS_MAX) this.#outside.push(letter);
    else this.#queue.push(letter);
    return letter.delivered.promise;
  }

  /** The outcome of a request: bounded by the actor's open requests, so it never waits for room. */
  answer(request: string, event: Ipld): Promise<void> {
    const letter: Letter = { event, answers: request, delivered: Promise.withResolvers<void>() };
    this.#queue.push(letter);
    return letter.delivered.promise;
  }

  take(max: number): Letter[] {
    const letters = this.#queue.splice(0, max);
    const room = Math.max(0, MAILBOX_EVENTS_MAX - this.#queue.length);
    this.#queue.push(...this.#outside.splice(0, room));
    return letters;
  }

  /** Rejects everything that waits. */
  fail(error: IpdmError): void {
    const letters = [...this.#queue.splice(0), ...this.#outside.splice(0)];
    for (const letter of letters) letter.delivered.reject(error);
  }
}
