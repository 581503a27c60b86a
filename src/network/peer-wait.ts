import { abortable, startDeadline, type Timers } from "./deadline.ts";
import { timedOut } from "./errors.ts";
import type { WaitOptions } from "./port.ts";

/** Waits for conditions on the set of peers; asked again at every change of it, never by polling. */
export class PeerWait {
  readonly #timers: Timers;
  readonly #closing: AbortSignal;
  readonly #waiting = new Set<() => void>();

  constructor(timers: Timers, closing: AbortSignal) {
    this.#timers = timers;
    this.#closing = closing;
  }

  /** Says that peers came, went, or changed their topics. */
  changed(): void {
    for (const check of [...this.#waiting]) check();
  }

  /** Resolves once `holds`. */
  async until(holds: () => boolean, what: string, options: WaitOptions): Promise<void> {
    const { timeoutMs } = options;
    using deadline = startDeadline({
      signals: [options.signal, this.#closing],
      timers: this.#timers,
      timeoutMs,
      onTimeout: () => timedOut("PEERS_TIMEOUT", what, timeoutMs ?? 0),
    });
    deadline.signal.throwIfAborted();
    if (holds()) return;
    const met = Promise.withResolvers<void>();
    const check = (): void => {
      if (holds()) met.resolve();
    };
    this.#waiting.add(check);
    try {
      await abortable(met.promise, deadline.signal);
    } finally {
      this.#waiting.delete(check);
    }
  }
}
