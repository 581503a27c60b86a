import type { IpdmError } from "../core/errors.ts";
import type { Block } from "../dag/block.ts";
import type { AheadLog } from "./ahead-log.ts";
import type { Step } from "./ahead-record.ts";
import { planCommit } from "./commit-plan.ts";
import type { CommitWitness } from "./commit-witness.ts";
import { writeFailed } from "./errors.ts";
import type { IndexFeed } from "./index-feed.ts";
import type { LevelBlocks } from "./level-blocks.ts";
import { type LevelIndex, put } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import type { Operation } from "./operation.ts";
import type { Segments } from "./segments.ts";

/** What a writer of commits works with. */
export interface CommitPorts {
  readonly path: string;
  readonly index: LevelIndex;
  readonly segments: Segments;
  readonly blocks: LevelBlocks;
  readonly log: AheadLog;
  readonly feed: IndexFeed;
  readonly witness: CommitWitness;
  /** Hears why a write failed, before those who wait for it. */
  readonly failed?: ((error: IpdmError) => void) | undefined;
}

/** Makes groups of operations durable: segments first, then one record of the write-ahead log. LevelDB follows in its own time. */
export class CommitWriter {
  readonly #ports: CommitPorts;

  constructor(ports: CommitPorts) {
    this.#ports = ports;
  }

  /**
   * All or nothing: durable when it returns `undefined`, or when the promise resolves. `alone`: nobody else waits. Throws or rejects with `DISK_FULL`,
   * `JOURNAL_WRITE_FAILED`; then the object must not be used again.
   */
  write(group: readonly Operation[], alone: boolean): Promise<void> | undefined {
    const { feed, path, failed } = this.#ports;
    const fail = (error: unknown): never => {
      const failure = writeFailed(error, path);
      failed?.(failure);
      throw failure;
    };
    try {
      const { steps, large } = planCommit(group);
      const room = feed.room();
      const writing =
        large.length > 0 || room !== undefined ? this.#slowly(steps, large, room) : this.#log(steps, alone);
      return writing?.catch(fail);
    } catch (error) {
      return fail(error);
    }
  }

  async #slowly(steps: Step[], large: readonly Block[], room: Promise<void> | undefined): Promise<void> {
    await room;
    await this.#writeLarge(large, steps);
    if (steps.length > 0) await this.#log(steps, false); // else every block was here already
  }

  #log(steps: readonly Step[], alone: boolean): Promise<void> | undefined {
    const { log, segments } = this.#ports;
    const { tail } = segments;
    const done = (): undefined => {
      this.#ports.witness.note(log.mark);
      this.#ports.feed.add({ mark: log.mark, segments: tail, steps }, log.recordBytes);
    };
    const writing = log.append(tail, steps, alone);
    return writing === undefined ? done() : writing.then(done);
  }

  async #writeLarge(blocks: readonly Block[], steps: Step[]): Promise<void> {
    const { index, segments, blocks: stored } = this.#ports;
    if (blocks.length === 0) return;
    const known = await index.hasLocated(blocks.map((block) => block.cid));
    const fresh = blocks.filter((block, at) => known[at] !== true || stored.mend(block.cid));
    if (fresh.length === 0) return;
    const { locators, completed } = await segments.append(fresh);
    for (const [at, block] of fresh.entries()) {
      const locator = locators[at];
      if (locator !== undefined) steps.push(put(keys.locatorKey(block.cid), keys.locatorValue(locator)));
    }
    for (const { segment, sizeBytes } of completed) steps.push(put(keys.completedKey(segment), keys.u64(sizeBytes)));
  }
}
