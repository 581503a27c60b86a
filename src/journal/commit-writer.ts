import type { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { type CommitMark, type CommitWitness, encodeCommit } from "./commit-log.ts";
import { planCommit } from "./commit-plan.ts";
import { writeFailed } from "./errors.ts";
import type { LevelBlocks } from "./level-blocks.ts";
import { type LevelIndex, put, type Write } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { COMMIT_BYTES_KEPT, COMMIT_RECORDS_DROPPED_MAX } from "./limits.ts";
import type { Operation } from "./operation.ts";
import type { Segments, SegmentTail } from "./segments.ts";

/** What a writer of commits works with. */
export interface CommitPorts {
  readonly path: string;
  readonly hash: Hash;
  readonly index: LevelIndex;
  readonly segments: Segments;
  readonly blocks: LevelBlocks;
  readonly witness: CommitWitness;
  /** Commit records kept at most. */
  readonly recordsKept: number;
  /** Hears why a write failed, before those who wait for it. */
  readonly failed?: ((error: IpdmError) => void) | undefined;
}

/** Makes groups of operations durable: segments first, then one synced batch of LevelDB with its own numbered, linked record. */
export class CommitWriter {
  readonly #ports: CommitPorts;
  #mark: CommitMark;
  #oldest: number;
  /** Bytes of each commit since the store was opened, the oldest first, as far as they count. */
  readonly #sizes: number[] = [];
  #sizesFrom: number;
  #sizesSum = 0;

  /** `mark` is the newest commit, `oldest` the number of the oldest record that is there. */
  constructor(ports: CommitPorts, mark: CommitMark, oldest: number) {
    this.#ports = ports;
    this.#mark = mark;
    this.#oldest = oldest;
    this.#sizesFrom = mark.number + 1;
  }

  /** All or nothing. Throws `DISK_FULL`, `JOURNAL_WRITE_FAILED`; then the object must not be used again. */
  async write(group: readonly Operation[]): Promise<void> {
    const { hash, index, witness, path, failed } = this.#ports;
    try {
      const { small, large, tips } = planCommit(group);
      const writes: Write[] = small;
      const segments = await this.#writeLarge(large, writes);
      for (const [actor, tip] of tips) writes.push(put(keys.tipKey(actor), keys.tipValue(tip)));
      if (writes.length === 0) return; // every block was here already
      const number = this.#mark.number + 1;
      const oldest = this.#oldestAfter(number, writes);
      const record = encodeCommit({ number, prev: this.#mark.hash, oldest, tips, segments });
      writes.push(put(keys.commitKey(number), record));
      for (let gone = this.#oldest; gone < oldest; gone++) writes.push({ type: "del", key: keys.commitKey(gone) });
      await index.write(writes);
      this.#mark = { number, hash: hash(record) };
      this.#oldest = oldest;
      witness.note(this.#mark);
    } catch (error) {
      const failure = writeFailed(error, path);
      failed?.(failure);
      throw failure;
    }
  }

  #oldestAfter(number: number, writes: readonly Write[]): number {
    let bytes = 0;
    for (const write of writes) bytes += write.key.length + (write.type === "put" ? write.value.length : 0);
    this.#sizes.push(bytes);
    this.#sizesSum += bytes;
    while (this.#sizesSum - (this.#sizes[0] ?? 0) >= COMMIT_BYTES_KEPT) {
      this.#sizesSum -= this.#sizes.shift() ?? 0;
      this.#sizesFrom += 1;
    }
    const byBytes = this.#sizesSum >= COMMIT_BYTES_KEPT ? this.#sizesFrom : this.#oldest;
    const wanted = Math.max(this.#oldest, number - this.#ports.recordsKept + 1, byBytes);
    return Math.min(wanted, this.#oldest + COMMIT_RECORDS_DROPPED_MAX);
  }

  async #writeLarge(blocks: readonly Block[], writes: Write[]): Promise<SegmentTail> {
    const { index, segments, blocks: stored } = this.#ports;
    if (blocks.length === 0) return segments.tail;
    const known = await index.hasLocated(blocks.map((block) => block.cid));
    const fresh = blocks.filter((block, at) => known[at] !== true || stored.mend(block.cid));
    if (fresh.length === 0) return segments.tail;
    const { locators, completed, tail } = await segments.append(fresh);
    for (const [at, block] of fresh.entries()) {
      const locator = locators[at];
      if (locator !== undefined) writes.push(put(keys.locatorKey(block.cid), keys.locatorValue(locator)));
    }
    for (const { segment, sizeBytes } of completed) writes.push(put(keys.completedKey(segment), keys.u64(sizeBytes)));
    return tail;
  }
}
