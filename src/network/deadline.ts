/** Runs something after a while unless cancelled first: the wall clock's timers, or a simulation's. */
export interface Timers {
  after(delayMs: number, run: () => void): () => void;
}

/** Timers of this process; they do not keep it alive by themselves. */
export const wallTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** One wait's end: an abort signal that several causes can pull, with the cause as its reason. */
export interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  /** Starts the time over. */
  touch(): void;
  /** Stops the time until the next `touch`. */
  rest(): void;
}

/** What can end a wait: any of `signals`, or `timeoutMs` without a `touch`, which aborts with `onTimeout()`. */
export interface DeadlineOptions {
  readonly signals: readonly (AbortSignal | undefined)[];
  readonly timers: Timers;
  readonly timeoutMs?: number | undefined;
  readonly onTimeout: () => Error;
}

/** Joins signals and a time limit. Dispose it when the wait is over: it holds listeners and a timer. */
export function startDeadline(options: DeadlineOptions): Deadline {
  const controller = new AbortController();
  const { timeoutMs } = options;
  let cancel: (() => void) | undefined;
  const detach: (() => void)[] = [];
  for (const signal of options.signals) {
    if (signal === undefined) continue;
    const pull = (): void => controller.abort(signal.reason);
    if (signal.aborted) pull();
    signal.addEventListener("abort", pull, { once: true });
    detach.push(() => signal.removeEventListener("abort", pull));
  }
  const touch = (): void => {
    cancel?.();
    cancel =
      timeoutMs === undefined || controller.signal.aborted
        ? undefined
        : options.timers.after(timeoutMs, () => controller.abort(options.onTimeout()));
  };
  touch();
  return {
    signal: controller.signal,
    touch,
    rest: () => cancel?.(),
    [Symbol.dispose]() {
      cancel?.();
      for (const undo of detach) undo();
    },
  };
}

/** The promise's outcome, or the signal's reason if that comes first; a late failure of the promise is ignored. */
export async function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => undefined);
    throw signal.reason;
  }
  let pull: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    pull = () => reject(signal.reason);
    signal.addEventListener("abort", pull, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    if (pull !== undefined) signal.removeEventListener("abort", pull);
  }
}
