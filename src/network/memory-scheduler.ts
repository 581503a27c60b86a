import { setImmediate } from "node:timers/promises";
import { type Timers, wallTimers } from "./deadline.ts";

interface Item {
  readonly dueMs: number;
  readonly order: number;
  readonly timer: boolean;
  readonly run: () => void;
}

/**
 * The order in which a memory hub's deliveries happen: by due time, then as they were sent. In `auto` mode they happen
 * by themselves, in order, a turn of the event loop later, and timers are the wall clock's. In `manual` mode nothing
 * happens until told, time is virtual, and the same calls give the same order.
 */
export class MemoryScheduler {
  readonly mode: "auto" | "manual";
  readonly timers: Timers;
  #nowMs = 0;
  #order = 0;
  #pumping = false;
  readonly #items: Item[] = [];

  constructor(mode: "auto" | "manual") {
    this.mode = mode;
    this.timers = mode === "auto" ? wallTimers : { after: (delayMs, run) => this.#after(delayMs, run) };
  }

  /** Virtual milliseconds since the beginning; stays 0 in `auto` mode. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Queues one delivery, no earlier than `dueMs`. */
  deliver(dueMs: number, run: () => void): void {
    this.#insert({ dueMs: Math.max(dueMs, this.#nowMs), order: this.#order++, timer: false, run });
    if (this.mode === "auto" && !this.#pumping) {
      this.#pumping = true;
      void this.#pump();
    }
  }

  /** Makes the next delivery happen (and timers due before it), lets what it woke settle, and says whether there was one. */
  async step(): Promise<boolean> {
    for (;;) {
      const index = this.#items.findIndex((item) => !item.timer);
      if (index < 0) return false;
      const [item] = this.#items.splice(0, 1);
      if (item === undefined) return false;
      await this.#happen(item);
      if (!item.timer) return true;
    }
  }

  /** Steps until nothing is under way; timers later than the last delivery do not fire. */
  async flush(): Promise<void> {
    await setImmediate();
    while (await this.step());
  }

  /** Lets virtual time pass: everything due within it happens, timers included. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.#nowMs + durationMs;
    await setImmediate();
    for (;;) {
      const item = this.#items[0];
      if (item === undefined || item.dueMs > untilMs) break;
      this.#items.shift();
      await this.#happen(item);
    }
    this.#nowMs = untilMs;
  }

  async #happen(item: Item): Promise<void> {
    this.#nowMs = Math.max(this.#nowMs, item.dueMs);
    item.run();
    await setImmediate();
  }

  #after(delayMs: number, run: () => void): () => void {
    const item: Item = { dueMs: this.#nowMs + delayMs, order: this.#order++, timer: true, run };
    this.#insert(item);
    return () => {
      const at = this.#items.indexOf(item);
      if (at >= 0) this.#items.splice(at, 1);
    };
  }

  #insert(item: Item): void {
    // Almost everything is due last, so the search starts at the end.
    let at = this.#items.length;
    while (at > 0 && later(this.#items[at - 1] as Item, item)) at -= 1;
    this.#items.splice(at, 0, item);
  }

  async #pump(): Promise<void> {
    while (this.#items.length > 0) {
      await setImmediate();
      // What these deliveries cause waits for the next turn, so that no burst starves the event loop.
      for (const item of this.#items.splice(0)) item.run();
    }
    this.#pumping = false;
  }
}

function later(a: Item, b: Item): boolean {
  return a.dueMs > b.dueMs || (a.dueMs === b.dueMs && a.order > b.order);
}
