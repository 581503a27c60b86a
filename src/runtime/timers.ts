import type { Clock } from "../core/ports.ts";

/** Longest wait that is asked of a clock at once; Node's timers hold 31 bits of milliseconds. */
const WAIT_MS_MAX = 2_000_000_000;

/** Things to do at their times, each under a key. */
export class Timers {
  readonly #clock: Clock;
  readonly #waits = new Map<string, () => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#waits.size;
  }

  /** Calls `run` once it is `due`, in milliseconds since 1970; in place of what waited under the key. */
  set(key: string, due: number, run: () => void): void {
    this.cancel(key);
    const left = due - this.#clock.now();
    const wake = (): void => {
      this.#waits.delete(key);
      if (this.#clock.now() >= due) run();
      else this.set(key, due, run);
    };
    this.#waits.set(key, this.#clock.after(Math.min(Math.max(left, 0), WAIT_MS_MAX), wake));
  }

  cancel(key: string): void {
    this.#waits.get(key)?.();
    this.#waits.delete(key);
  }

  close(): void {
    for (const take of this.#waits.values()) take();
    this.#waits.clear();
  }
}
