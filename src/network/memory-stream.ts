import type { ByteStream, ByteStreamListener } from "./byte-stream.ts";
import type { MemoryScheduler } from "./memory-scheduler.ts";

/** Bytes under way in one direction at which a sender waits: one stream window of the real transport. */
const WINDOW_BYTES = 256 * 1024;

/** A pair of connected byte streams in one process. `delayMs` is asked for each piece; pieces never overtake each other. */
export function memoryStreamPair(
  scheduler: MemoryScheduler,
  delayMs: () => number,
): { readonly near: MemoryStream; readonly far: MemoryStream } {
  const near = new MemoryStream(scheduler, delayMs);
  const far = new MemoryStream(scheduler, delayMs);
  near.connect(far);
  far.connect(near);
  return { near, far };
}

type Event = (listener: ByteStreamListener) => void;

/** One end of a stream inside a {@link MemoryHub}. */
export class MemoryStream implements ByteStream {
  readonly #scheduler: MemoryScheduler;
  readonly #delayMs: () => number;
  #other: MemoryStream | undefined;
  #listener: ByteStreamListener | undefined;
  readonly #early: Event[] = [];
  readonly #onGone: (() => void)[] = [];
  #lastDueMs = 0;
  #underWayBytes = 0;
  #wake: (() => void)[] = [];
  #writeClosed = false;
  #readClosed = false;
  #gone = false;

  constructor(scheduler: MemoryScheduler, delayMs: () => number) {
    this.#scheduler = scheduler;
    this.#delayMs = delayMs;
  }

  connect(other: MemoryStream): void {
    this.#other = other;
  }

  /** Runs once this end is done, however it ended. */
  onGone(run: () => void): void {
    this.#onGone.push(run);
  }

  listen(listener: ByteStreamListener): void {
    this.#listener = listener;
    for (const event of this.#early.splice(0)) event(listener);
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.#gone || this.#writeClosed) throw new Error("the stream is closed");
    const copy = bytes.slice();
    this.#underWayBytes += copy.length;
    this.#toOther((other) => {
      this.#underWayBytes -= copy.length;
      if (this.#underWayBytes <= WINDOW_BYTES) this.#wakeAll();
      other.#tell((listener) => listener.data(copy));
    });
    while (this.#underWayBytes > WINDOW_BYTES && !this.#gone) {
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
      });
    }
    if (this.#gone) throw new Error("the stream was reset");
  }

  async closeWrite(): Promise<void> {
    if (this.#gone || this.#writeClosed) return;
    this.#writeClosed = true;
    this.#toOther((other) => {
      other.#readClosed = true;
      other.#tell((listener) => listener.end());
      other.#settle();
      this.#settle();
    });
  }

  abort(_error: Error): void {
    if (this.#gone) return;
    this.#end();
    this.#toOther((other) => other.cut());
  }

  /** Breaks this end at once, as a lost connection does. */
  cut(): void {
    if (this.#gone) return;
    this.#tell((listener) => listener.fail(new Error("the stream was reset")));
    this.#end();
  }

  #toOther(run: (other: MemoryStream) => void): void {
    const other = this.#other;
    if (other === undefined) return;
    this.#lastDueMs = Math.max(this.#lastDueMs, this.#scheduler.nowMs + this.#delayMs());
    this.#scheduler.deliver(this.#lastDueMs, () => run(other));
  }

  #tell(event: Event): void {
    if (this.#gone) return;
    if (this.#listener === undefined) this.#early.push(event);
    else event(this.#listener);
  }

  #settle(): void {
    if (this.#writeClosed && this.#readClosed) this.#end();
  }

  #end(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#wakeAll();
    for (const run of this.#onGone.splice(0)) run();
  }

  #wakeAll(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}
