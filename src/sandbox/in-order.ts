import { IN_FLIGHT_BYTES_MAX, IN_FLIGHT_MAX } from "./limits.ts";
import type { Call, Processed } from "./port.ts";

type Calls = Iterable<Call> | AsyncIterable<Call>;
type Next = IteratorResult<Call>;

/** A call that was made: what it comes to, whether it has, and the bytes of its batch. */
interface Pending {
  readonly output: Promise<Processed>;
  readonly sizeBytes: number;
  isSettled: boolean;
}

/**
 * What calls come to, in their order: each as soon as it is there, while more calls are asked for. At most `window` calls are under way
 * at any time, and fewer where their batches are large: as many bytes as that many lanes have room for.
 */
export async function* inOrder(
  calls: Calls,
  run: (call: Call) => Promise<Processed>,
  window = 2 * IN_FLIGHT_MAX,
): AsyncIterable<Processed> {
  const source = new CallSource(calls);
  const pending: Pending[] = [];
  const bytesMax = (window / IN_FLIGHT_MAX) * IN_FLIGHT_BYTES_MAX;
  let bytes = 0;
  try {
    for (;;) {
      const [oldest] = pending;
      const isFull = source.isDone || pending.length > window || bytes >= bytesMax;
      if (oldest !== undefined && (isFull || oldest.isSettled)) {
        pending.shift();
        bytes -= oldest.sizeBytes;
        yield await oldest.output;
        continue;
      }
      if (source.isDone) return;
      const next = source.next();
      const result = next instanceof Promise ? await firstOf(next, oldest) : next;
      if (result === undefined) continue;
      source.took(result);
      if (result.done === true) continue;
      const made = begin(run, result.value);
      pending.push(made);
      bytes += made.sizeBytes;
    }
  } finally {
    await source.close();
  }
}

function begin(run: (call: Call) => Promise<Processed>, call: Call): Pending {
  const output = run(call);
  const pending: Pending = { output, sizeBytes: call.batch.bytes.length, isSettled: false };
  const settle = (): void => {
    pending.isSettled = true;
  };
  // It is awaited in its turn; until then a failure is no unhandled rejection.
  output.then(settle, settle);
  return pending;
}

/** The next call, or `undefined` where the oldest one under way has come to its end before. */
async function firstOf(next: Promise<Next>, oldest: Pending | undefined): Promise<Next | undefined> {
  if (oldest === undefined) return next;
  const over = (): undefined => undefined;
  return Promise.race([next, oldest.output.then(over, over)]);
}

/** Calls one by one; one that does not come at once is asked for once, however often the wait for it is broken off. */
class CallSource {
  private readonly iterator: Iterator<Call> | AsyncIterator<Call>;
  private coming: Next | Promise<Next> | undefined;
  isDone = false;

  constructor(calls: Calls) {
    this.iterator = Symbol.asyncIterator in calls ? calls[Symbol.asyncIterator]() : calls[Symbol.iterator]();
  }

  next(): Next | Promise<Next> {
    if (this.coming === undefined) {
      this.coming = this.iterator.next();
      // Nobody may wait for it when it fails: then it fails whoever asks next.
      if (this.coming instanceof Promise) this.coming.catch(() => undefined);
    }
    return this.coming;
  }

  took({ done = false }: Next): void {
    this.coming = undefined;
    this.isDone = done;
  }

  /** Lets go of the calls that nobody asks for any more. What is on its way is not waited for: it may never come. */
  async close(): Promise<void> {
    if (this.isDone) return;
    const over = Promise.resolve(this.iterator.return?.());
    if (this.coming === undefined) await over;
    else over.catch(() => undefined);
  }
}
