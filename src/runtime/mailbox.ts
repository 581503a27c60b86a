import type { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";

/** Events that wait in a mailbox; a sender beyond that waits for room. Outcomes of the actor's own effects are let in always. */
export const MAILBOX_EVENTS_MAX = 1024;

/** What became of an event: its number, and the requests that it caused, timers left out. */
export interface Receipt {
  readonly seq: number;
  readonly requests: readonly string[];
}

/** An event on its way into the journal. */
export interface Letter {
  readonly event: Ipld;
  /** The request that this event answers, where an effect of the actor sent it. */
  readonly answers?: string;
  /** The actor and the request that sent it, where another actor did: it is taken once. */
  readonly message?: { readonly from: string; readonly id: string };
  /** Hears of the event before its entry is on its way. */
  readonly taken?: (receipt: Receipt) => void;
  readonly delivered: PromiseWithResolvers<Receipt | undefined>;
}

/** The events that wait for one actor, in order of arrival. */
export class Mailbox {
  #queue: Letter[] = [];
  readonly #outside: Letter[] = [];

  get empty(): boolean {
    return this.#queue.length === 0 && this.#outside.length === 0;
  }

  /** Resolves when the event is durable; with `undefined` when it was taken before, or is not wanted any more. */
  send(event: Ipld, more: Pick<Letter, "message" | "taken"> = {}): Promise<Receipt | undefined> {
    const letter: Letter = { event, delivered: Promise.withResolvers(), ...more };
    if (this.#outside.length > 0 || this.#queue.length >= MAILBOX_EVENTS_MAX) this.#outside.push(letter);
    else this.#queue.push(letter);
    return letter.delivered.promise;
  }

  /** The outcome of a request: bounded by the actor's open requests, so it never waits for room. */
  answer(request: string, event: Ipld): Promise<Receipt | undefined> {
    const letter: Letter = { event, answers: request, delivered: Promise.withResolvers() };
    this.#queue.push(letter);
    return letter.delivered.promise;
  }

  take(max: number): Letter[] {
    const letters = this.#queue.splice(0, max);
    const room = Math.max(0, MAILBOX_EVENTS_MAX - this.#queue.length);
    this.#queue.push(...this.#outside.splice(0, room));
    return letters;
  }

  /** Outcomes only; what comes from outside goes on waiting. */
  takeAnswers(): Letter[] {
    const answers = this.#queue.filter((letter) => letter.answers !== undefined);
    if (answers.length > 0) this.#queue = this.#queue.filter((letter) => letter.answers === undefined);
    return answers;
  }

  /** Rejects everything that waits. */
  fail(error: IpdmError): void {
    const letters = [...this.#queue.splice(0), ...this.#outside.splice(0)];
    for (const letter of letters) letter.delivered.reject(error);
  }
}
