/** A value that comes once, and those who wait for it. */
export class Latch<T> {
  private settled: { readonly value: T } | undefined;
  private waiting: ((value: T) => void)[] = [];

  /** The value, or `undefined` while there is none. */
  get value(): T | undefined {
    return this.settled?.value;
  }

  /** Gives the value; later calls change nothing. */
  set(value: T): void {
    if (this.settled !== undefined) return;
    this.settled = { value };
    for (const resolve of this.waiting) resolve(value);
    this.waiting = [];
  }

  /** Resolves with the value. Rejects with the signal's reason. */
  wait(signal: AbortSignalLike): Promise<T> {
    const { settled } = this;
    if (settled !== undefined) return Promise.resolve(settled.value);
    return new Promise((resolve, reject) => {
      const abort = (): void => reject(signal.reason as Error);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      this.waiting.push((value) => {
        signal.removeEventListener("abort", abort);
        resolve(value);
      });
    });
  }
}

/** The part of AbortSignal that a wait needs. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
