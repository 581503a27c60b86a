/** What waits for a condition on something that changes: each is asked again after every change. */
export class Watchers {
  /** Made when somebody waits: most never see one. */
  #watchers: Set<() => void> | undefined;

  /** True while nobody waits. */
  get empty(): boolean {
    return this.#watchers === undefined || this.#watchers.size === 0;
  }

  /** Something changed. */
  notify(): void {
    if (this.#watchers === undefined || this.#watchers.size === 0) return;
    for (const watcher of [...this.#watchers]) watcher();
  }

  /** Resolves when `holds` is true, now or after a change. Rejects with the signal's reason, or with what `ended` returns. */
  watch(holds: () => boolean, ended: () => Error | undefined, signal: AbortSignal | undefined): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const watchers = (this.#watchers ??= new Set());
    const leave = (): void => {
      watchers.delete(watcher);
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
    watchers.add(watcher);
    signal?.addEventListener("abort", watcher);
    watcher();
    return promise;
  }
}
