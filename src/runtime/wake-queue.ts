import type { Clock } from "../core/ports.ts";
import type { Wake } from "../journal/port.ts";
import { Timers } from "./timers.ts";

const KEY = "next";

/** Actors that are to be woken, soonest first: a heap, since there may be a timer for each of a million. */
export class WakeQueue {
  readonly #heap: Wake[] = [];
  readonly #newest = new Map<string, number>();
  readonly #timers: Timers;
  readonly #clock: Clock;
  readonly #wake: (actor: string) => void;

  constructor(clock: Clock, wake: (actor: string) => void) {
    this.#clock = clock;
    this.#wake = wake;
    this.#timers = new Timers(clock);
  }

  get size(): number {
    return this.#newest.size;
  }

  /** Wakes the actor at this time, in milliseconds since 1970, and at no other. */
  set(actor: string, at: number): void {
    this.#newest.set(actor, at);
    this.#push({ actor, at });
    if (this.#heap[0]?.actor === actor) this.#wait();
  }

  delete(actor: string): void {
    this.#newest.delete(actor);
  }

  close(): void {
    this.#timers.close();
  }

  #wait(): void {
    const next = this.#heap[0];
    if (next === undefined) this.#timers.cancel(KEY);
    else this.#timers.set(KEY, next.at, () => this.#due());
  }

  #due(): void {
    const now = this.#clock.now();
    for (let next = this.#heap[0]; next !== undefined && next.at <= now; next = this.#heap[0]) {
      this.#pop();
      if (this.#newest.get(next.actor) !== next.at) continue; // taken off, or set to another time
      this.#newest.delete(next.actor);
      this.#wake(next.actor);
    }
    this.#wait();
  }

  #push(wake: Wake): void {
    const heap = this.#heap;
    let at = heap.push(wake) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as Wake;
      if (above.at <= wake.at) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = wake;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && (heap[child + 1] as Wake).at < (heap[child] as Wake).at) child += 1;
      const below = heap[child] as Wake;
      if (below.at >= last.at) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
