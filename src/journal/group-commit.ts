import { closed, stopped } from "./errors.ts";
import type { GroupPace } from "./group-pace.ts";
import { GROUP_BYTES_MAX, GROUP_OPERATIONS_MAX, QUEUE_BYTES_MAX, QUEUE_OPERATIONS_MAX } from "./limits.ts";

interface Waiting<T> {
  readonly operation: T;
  readonly sizeBytes: number;
  readonly settle: PromiseWithResolvers<void>;
  readonly ended: (() => void) | undefined;
}

/** Makes a group durable: when it returns `undefined`, or when the promise resolves. `alone`: there was one writer lately, and it waits. */
type WriteGroup<T> = (group: readonly T[], alone: boolean) => Promise<void> | undefined;

/**
 * A queue in front of a slow synced write: everything that arrives while one group is written becomes the next group, in
 * order. Operations beyond the queue's limits wait outside it until there is room. A failed write stops it for good.
 */
export class GroupCommit<T> {
  readonly #write: WriteGroup<T>;
  readonly #pace: GroupPace | undefined;
  readonly #queue: Waiting<T>[] = [];
  readonly #outside: Waiting<T>[] = [];
  #queueBytes = 0;
  #running: Promise<void> | undefined;
  #failure: unknown;
  #failed = false;
  #closed = false;

  /** `write` makes a group durable, all of it or nothing acknowledged. Without `pace` a group is everything that waits. */
  constructor(write: WriteGroup<T>, pace?: GroupPace) {
    this.#write = write;
    this.#pace = pace;
  }

  /** Throws `JOURNAL_STOPPED` after a failed write, `JOURNAL_CLOSED` after `close`. */
  check(): void {
    if (this.#failed) throw stopped(this.#failure);
    if (this.#closed) throw closed();
  }

  /**
   * Resolves when the operation is durable. Rejects with the write's error, or as {@link check}. `ended` is called right before, however it
   * ends.
   */
  add(operation: T, sizeBytes: number, ended?: () => void): Promise<void> {
    try {
      this.check();
    } catch (error) {
      ended?.();
      return Promise.reject(error);
    }
    const waiting: Waiting<T> = { operation, sizeBytes, settle: Promise.withResolvers<void>(), ended };
    if (this.#outside.length > 0 || !this.#hasRoom(sizeBytes)) this.#outside.push(waiting);
    else this.#enqueue(waiting);
    this.#running ??= this.#run();
    return waiting.settle.promise;
  }

  /** Refuses further operations and waits for the queued ones. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  #hasRoom(sizeBytes: number): boolean {
    // One operation larger than the whole queue is let into an empty one.
    if (this.#queue.length === 0) return true;
    return this.#queue.length < QUEUE_OPERATIONS_MAX && this.#queueBytes + sizeBytes <= QUEUE_BYTES_MAX;
  }

  #enqueue(waiting: Waiting<T>): void {
    this.#queue.push(waiting);
    this.#queueBytes += waiting.sizeBytes;
  }

  async #run(): Promise<void> {
    // One turn later, so that what is added in the same turn shares the first group.
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#failed) {
      const pause = this.#closed ? undefined : this.#pace?.before();
      if (pause !== undefined) await pause;
      const group = this.#take();
      const alone = group.length === 1 && this.#queue.length === 0 && this.#pace?.isAlone === true;
      const start = performance.now();
      try {
        const writing = this.#write(
          group.map((waiting) => waiting.operation),
          alone,
        );
        if (writing !== undefined) await writing;
        this.#pace?.wrote(group.length, performance.now() - start);
        for (const { settle, ended } of group) {
          ended?.();
          settle.resolve();
        }
      } catch (error) {
        this.#stop(error, group);
      }
    }
    this.#running = undefined;
  }

  #take(): Waiting<T>[] {
    let count = 0;
    let bytes = 0;
    const most = Math.min(GROUP_OPERATIONS_MAX, this.#pace?.most(this.#queue.length) ?? GROUP_OPERATIONS_MAX);
    for (const waiting of this.#queue) {
      if (count > 0 && (count >= most || bytes + waiting.sizeBytes > GROUP_BYTES_MAX)) break;
      count += 1;
      bytes += waiting.sizeBytes;
    }
    const group = this.#queue.splice(0, count);
    this.#queueBytes -= bytes;
    let admitted = 0;
    for (const waiting of this.#outside) {
      if (!this.#hasRoom(waiting.sizeBytes)) break;
      this.#enqueue(waiting);
      admitted += 1;
    }
    this.#outside.splice(0, admitted);
    return group;
  }

  #stop(error: unknown, group: readonly Waiting<T>[]): void {
    this.#failed = true;
    this.#failure = error;
    const later = stopped(error);
    for (const { settle, ended } of group) {
      ended?.();
      settle.reject(error);
    }
    for (const { settle, ended } of [...this.#queue, ...this.#outside]) {
      ended?.();
      settle.reject(later);
    }
    this.#queue.length = 0;
    this.#outside.length = 0;
    this.#queueBytes = 0;
  }
}
