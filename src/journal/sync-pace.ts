/** A sync that takes longer, in milliseconds, is always left to a thread. */
const DIRECT_MS_MAX = 0.5;
/** Time that syncs may take from one turn of the event loop, in milliseconds. */
const TURN_MS_MAX = 2;

/**
 * Decides who waits for the disk. A thread is the rule. Beside a fast disk the way to it and back takes as long as the sync: when one writer
 * is alone, and so nothing else could be done meanwhile, the sync is called directly, for a small part of the time. Either way the same bytes are synced
 * before anybody hears of it.
 */
export class SyncPace {
  readonly #now: () => number;
  #ms = Number.POSITIVE_INFINITY;
  #turnMs = 0;

  /** `now` gives a time in milliseconds. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Whether the next sync is called directly. */
  isDirect(alone: boolean): boolean {
    return alone && this.#ms < DIRECT_MS_MAX && this.#turnMs < TURN_MS_MAX;
  }

  /** Calls it, and measures it. */
  direct(sync: () => void): void {
    const start = this.#now();
    sync();
    const ms = this.#now() - start;
    // A slow one counts at once: the next ones are a thread's until it has shown otherwise.
    this.#ms = ms > DIRECT_MS_MAX ? ms : this.#ms * 0.9 + ms * 0.1;
    if (this.#turnMs === 0) setImmediate(() => (this.#turnMs = 0));
    this.#turnMs += ms;
  }

  /** A thread's sync took so many milliseconds, the way there and back included. */
  measured(ms: number): void {
    this.#ms = this.#ms === Number.POSITIVE_INFINITY ? ms : this.#ms * 0.9 + ms * 0.1;
  }
}
