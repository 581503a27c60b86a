/** Smallest group that is worth cutting. */
const CUT_MIN = 8;

/**
 * Decides how groups are cut, from how long writes take and how long those who wait for them need to come back with more. Where the disk is
 * the slower one, a group waits until all have come back, so that one sync serves all of them; where they are, groups are halves, and one
 * half works while the other is written. It never changes what is written, or its order.
 */
export class GroupPace {
  #writeMs = 0;
  #returnMs = 0;
  #sizes: readonly [number, number] = [0, 0];

  /** True when the last groups were of one operation. */
  get isAlone(): boolean {
    return this.#sizes[0] + this.#sizes[1] <= 2;
  }

  /** Resolves when the next group may be taken; `undefined` for at once. */
  before(): Promise<void> | undefined {
    // One that is alone has nobody to wait for.
    if (this.isAlone) return undefined;
    if (this.#writeMs < this.#returnMs) return undefined;
    const start = performance.now();
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#returnMs = performance.now() - start;
        resolve();
      });
    });
  }

  /** Most operations of the next group, of `queued` that wait. */
  most(queued: number): number {
    if (this.#writeMs >= this.#returnMs) return queued;
    return Math.max(CUT_MIN, Math.ceil((this.#sizes[0] + this.#sizes[1]) / 2), Math.ceil(queued / 2));
  }

  /** A group of this size was written in so many milliseconds. */
  wrote(size: number, ms: number): void {
    this.#sizes = [this.#sizes[1], size];
    this.#writeMs = this.#writeMs === 0 ? ms : this.#writeMs * 0.8 + ms * 0.2;
    // Looked at again now and then, since it is only measured while groups wait.
    this.#returnMs *= 0.98;
  }
}
