import { setImmediate as turn } from "node:timers/promises";
import type { Clock } from "../../src/core/ports.ts";

/** A clock whose time passes when it is told to. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #waiting = new Set<{ readonly at: number; readonly run: () => void }>();

  constructor(now = 1_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const item = { at: this.#now + Math.max(0, delayMs), run };
    this.#waiting.add(item);
    return () => void this.#waiting.delete(item);
  }

  /** When the next thing is due. */
  get next(): number | undefined {
    let next: number | undefined;
    for (const { at } of this.#waiting) if (next === undefined || at < next) next = at;
    return next;
  }

  /** Lets time pass, thing by thing, and everything else that can happen meanwhile. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (let next = this.next; next !== undefined && next <= end; next = this.next) {
      this.#now = Math.max(this.#now, next);
      for (const item of [...this.#waiting].sort((a, b) => a.at - b.at)) {
        if (item.at > this.#now || !this.#waiting.delete(item)) continue;
        item.run();
      }
      await settle();
    }
    this.#now = end;
  }
}

/** Turns of the event loop, until what can go on without time has gone on. */
export async function settle(turns = 8): Promise<void> {
  for (let at = 0; at < turns; at++) await turn();
}
