import { setImmediate as turn } from "node:timers/promises";
import type { Timers } from "../../../src/network/deadline.ts";
import type { MemoryHub } from "../../../src/network/memory-network.ts";

const TICK_MS = 10;

/** The time of a simulation: it passes only while `until` drives the hub and the timers on. */
export class VirtualTime implements Timers {
  nowMs = 0;
  private readonly hub: MemoryHub;
  private readonly due = new Set<{ readonly atMs: number; readonly run: () => void }>();

  constructor(hub: MemoryHub) {
    this.hub = hub;
  }

  after(delayMs: number, run: () => void): () => void {
    const item = { atMs: this.nowMs + delayMs, run };
    this.due.add(item);
    return () => void this.due.delete(item);
  }

  /** Lets time pass until the condition holds; false when `limitMs` passed first. */
  async until(holds: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.nowMs + limitMs;
    while (!holds()) {
      if (this.nowMs >= endMs) return false;
      this.nowMs += TICK_MS;
      await this.hub.advance(TICK_MS);
      for (const item of [...this.due].sort((a, b) => a.atMs - b.atMs)) {
        if (item.atMs > this.nowMs || !this.due.delete(item)) continue;
        item.run();
      }
      for (let i = 0; i < 3; i++) await turn();
    }
    return true;
  }
}
