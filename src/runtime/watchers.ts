/** What waits for a condition on something that changes: each is asked again after every change. */
export class Watchers {
  readonly #watchers = new Set<() => void>();

  /** True while nobody waits. */
  get empty(): boolean {
    return this.#watchers.size === 0;
  }

  /** Something changed. */
  notify(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when `holds` is true, now or after a change. Rejects with the signal's reason, or with what `ended` returns. */
  watch(holds: () => boolean, ended: () => Error | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      this.#watchers.delete(watcher);
      signal?.removeEventListener("abort", watcher);
    };
    const watcher = (): void => {
      try {
        const end = ended();
        if (holds()) resolve();
        else if (signal?.aborted === true) reject(signal.reason);
        else if (end !== undefined) reject(end);
        else return;
      } catch (error) {
        reject(error);
      }
      leave();
    };
    this.#watchers.add(watcher);
    signal?.addEventListener("abort", watcher);
    watcher();
    return promise;
  }
}
