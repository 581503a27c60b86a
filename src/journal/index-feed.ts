import type { IpdmError } from "../core/errors.ts";
import type { AheadRecord, PlannedEntry } from "./ahead-record.ts";
import type { CommitMark } from "./commit-log.ts";
import type { Tip } from "./continuity.ts";
import { writeFailed } from "./errors.ts";
import { type LevelIndex, put, type Write } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { FEED_BYTES, FEED_BYTES_MAX } from "./limits.ts";

interface Waiter {
  readonly number: number;
  readonly settle: PromiseWithResolvers<void>;
}

/**
 * Brings commits that are durable in the write-ahead log into LevelDB, in order and many at a time, without a sync: what a crash takes
 * from LevelDB the log gives back. Whoever reads LevelDB waits for {@link IndexFeed.settled} first.
 */
export class IndexFeed {
  readonly #index: LevelIndex;
  readonly #path: string;
  readonly #tellFailed: ((error: IpdmError) => void) | undefined;
  #pending: AheadRecord[] = [];
  #pendingBytes = 0;
  #newest: number;
  #applied: number;
  #waiters: Waiter[] = [];
  #running = false;
  #failure: unknown;
  #failed = false;

  /**
   * `path` is the store's folder, for messages; `applied` the number of the newest commit that LevelDB has. `failed` hears why it takes no more,
   * before those who wait for it.
   */
  constructor(index: LevelIndex, path: string, applied: number, failed?: (error: IpdmError) => void) {
    this.#index = index;
    this.#path = path;
    this.#tellFailed = failed;
    this.#newest = applied;
    this.#applied = applied;
  }

  /** Takes a commit that is durable in the log. It is brought into LevelDB when enough have gathered, or somebody wants to read. */
  add(record: AheadRecord, sizeBytes: number): void {
    this.#pending.push(record);
    this.#pendingBytes += sizeBytes;
    this.#newest = record.mark.number;
    if (this.#pendingBytes >= FEED_BYTES) this.#start();
  }

  /** Resolves when there is room for further commits; `undefined` for now. Rejects as {@link settled}. */
  room(): Promise<void> | undefined {
    if (this.#failed) return Promise.reject(this.#failure);
    return this.#pendingBytes < FEED_BYTES_MAX ? undefined : this.settled();
  }

  /** Resolves when LevelDB has all commits up to this moment; `undefined` where it has. Rejects with `DISK_FULL`, `JOURNAL_WRITE_FAILED`. */
  settled(): Promise<void> | undefined {
    if (this.#failed) return Promise.reject(this.#failure);
    if (this.#applied >= this.#newest) return undefined;
    const waiter: Waiter = { number: this.#newest, settle: Promise.withResolvers() };
    this.#waiters.push(waiter);
    this.#start();
    return waiter.settle.promise;
  }

  #start(): void {
    if (this.#running || this.#failed) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (this.#waiters.length > 0 || this.#pendingBytes >= FEED_BYTES) {
        const records = this.#pending;
        this.#pending = [];
        this.#pendingBytes = 0;
        const last = records.at(-1);
        if (last === undefined) break;
        await this.#index.write(writesOf(records), false);
        this.#applied = last.mark.number;
        this.#told();
      }
    } catch (cause) {
      const error = writeFailed(cause, this.#path);
      this.#failed = true;
      this.#failure = error;
      this.#tellFailed?.(error);
      for (const { settle } of this.#waiters) settle.reject(error);
      this.#waiters = [];
    } finally {
      this.#running = false;
    }
  }

  #told(): void {
    const waiting = this.#waiters;
    this.#waiters = waiting.filter(({ number }) => number > this.#applied);
    for (const { number, settle } of waiting) if (number <= this.#applied) settle.resolve();
  }
}

/** What commits in a row come to in LevelDB. */
export function writesOf(records: readonly AheadRecord[]): Write[] {
  const writes: Write[] = [];
  const tips = new Map<string, Tip>();
  for (const { steps } of records) {
    for (const step of steps) {
      if (step.type === "entry") entryWrites(step.entry, writes, tips);
      else writes.push(step);
    }
  }
  for (const [actor, tip] of tips) writes.push(put(keys.tipKey(actor), keys.tipValue(tip)));
  const last = records.at(-1);
  if (last !== undefined) writes.push(markWrite(last.mark, last.segments));
  return writes;
}

/** How far LevelDB is. */
export function markWrite(mark: CommitMark, segments: AheadRecord["segments"]): Write {
  return put(keys.markKey, keys.markValue({ ...mark, segments }));
}

function entryWrites(
  { actor, cid, bytes, from, to, wake }: PlannedEntry,
  writes: Write[],
  tips: Map<string, Tip>,
): void {
  if (bytes !== undefined) writes.push(put(keys.blockKey(cid), bytes));
  writes.push(put(keys.entryKey(actor, from), cid.bytes));
  if (wake === null) writes.push({ type: "del", key: keys.wakeKey(actor) });
  else if (wake !== undefined) writes.push(put(keys.wakeKey(actor), keys.u64(wake)));
  tips.set(actor, { cid, seq: to });
}
