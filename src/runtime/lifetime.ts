import type { IpdmError } from "../core/errors.ts";
import { Watchers } from "./watchers.ts";

const NONE: readonly never[] = [];

/** From an actor's start to its end, which is a close or a fault, and those who wait for something meanwhile. */
export class Lifetime {
  /** Resolves at the end. */
  readonly closed: Promise<void>;
  readonly #ended = Promise.withResolvers<void>();
  readonly #watchers = new Watchers();
  #listeners: readonly ((fault: IpdmError) => void)[] = NONE;
  #end: IpdmError | undefined;
  #faulted = false;

  constructor() {
    this.closed = this.#ended.promise;
  }

  /** Why it ended. */
  get end(): IpdmError | undefined {
    return this.#end;
  }

  /** Why it ended by itself, if it did. */
  get fault(): IpdmError | undefined {
    return this.#faulted ? this.#end : undefined;
  }

  get status(): "running" | "faulted" | "closed" {
    if (this.#end === undefined) return "running";
    return this.#faulted ? "faulted" : "closed";
  }

  /** Calls the listener at a fault; at once when there was one. Returns a function that takes it off. */
  onFault(listener: (fault: IpdmError) => void): () => void {
    if (this.fault !== undefined) listener(this.fault);
    this.#listeners = [...this.#listeners, listener];
    return () => {
      this.#listeners = this.#listeners.filter((each) => each !== listener);
    };
  }

  /** Something changed: those who wait look again. */
  changed(): void {
    this.#watchers.notify();
  }

  /** Resolves when `holds` is true, now or after a change. Rejects with the signal's reason, or why it ended before. */
  watch(holds: () => boolean, signal?: AbortSignal): Promise<void> {
    return this.#watchers.watch(holds, () => this.#end, signal);
  }

  /** Ends it. `last` is done after it counts as ended and before anybody hears of it. */
  finish(end: IpdmError, faulted: boolean, last: () => void): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#faulted = faulted;
    last();
    if (faulted) for (const listener of this.#listeners) listener(end);
    this.#ended.resolve();
    this.#watchers.notify();
  }
}
