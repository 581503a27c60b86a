import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import { equalBytes } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { type CommitMark, CommitWitness, encodeCommit, readCommits } from "./commit-log.ts";
import { planCommit } from "./commit-plan.ts";
import { Chain, type Tip, Tips } from "./continuity.ts";
import { decodeEntry, lastSeq } from "./entry.ts";
import { corrupt, writeFailed } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import { LevelIndex, put, type Write } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { COMMIT_RECORDS_KEPT } from "./limits.ts";
import { checkMeta, checkStorable, type Operation, sizeOf } from "./operation.ts";
import type { BlockStore, EntryAppend, JournalHead, MetaStore, Store, StoredEntry, Wake } from "./port.ts";
import { Segments, type SegmentTail, segmentName, syncDirectory } from "./segments.ts";

/** Options of a {@link LevelStore}. `path` is a folder of its own, made when it is not there. */
export interface LevelStoreOptions {
  readonly path: string;
  readonly hash: Hash;
  /** Bytes after which a new segment file is begun; 64 MiB. */
  readonly segmentBytes?: number;
  /** Commit records kept for the check on open; 16,384. */
  readonly commitRecordsKept?: number;
}

interface Parts {
  readonly index: LevelIndex;
  readonly segments: Segments;
  readonly witness: CommitWitness;
  readonly mark: CommitMark;
  readonly oldest: number;
  readonly tips: Tips;
}

const ENTRIES_PAGE = 256;

/**
 * A {@link Store} on disk: entries and small blocks in LevelDB, large and raw blocks in segment files that LevelDB indexes. A
 * group commit syncs the segment first, then one LevelDB batch with its own numbered, linked commit record.
 */
export class LevelStore implements Store {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  readonly #path: string;
  readonly #hash: Hash;
  readonly #kept: number;
  readonly #index: LevelIndex;
  readonly #segments: Segments;
  readonly #witness: CommitWitness;
  readonly #tips: Tips;
  readonly #commits: GroupCommit<Operation>;
  /** Blocks whose stored bytes were found damaged: the next `put` of one writes it again. */
  readonly #damaged = new Set<string>();
  #mark: CommitMark;
  #oldest: number;
  #closing: Promise<void> | undefined;

  private constructor(options: LevelStoreOptions, parts: Parts) {
    this.#path = options.path;
    this.#hash = options.hash;
    this.#kept = options.commitRecordsKept ?? COMMIT_RECORDS_KEPT;
    this.#index = parts.index;
    this.#segments = parts.segments;
    this.#witness = parts.witness;
    this.#mark = parts.mark;
    this.#oldest = parts.oldest;
    this.#tips = parts.tips;
    this.#commits = new GroupCommit((group) => this.#commit(group));
    this.blocks = {
      get: (cid) => this.#get(cid),
      has: async (cid) => {
        this.#commits.check();
        return await this.#index.has(cid);
      },
      put: (block) => this.#put(block),
      putAll: async (blocks) => {
        await Promise.all(blocks.map((block) => this.#put(block)));
      },
    };
    this.meta = {
      get: async (key) => {
        this.#commits.check();
        return await this.#index.meta(key);
      },
      put: async (key, value) => {
        checkMeta(key, value);
        await this.#add({ kind: "meta", key, value: value.slice() });
      },
    };
  }

  /**
   * Opens the folder, checks its commit records, and cuts off what was written but never committed. Throws `DATA_DIR_IN_USE`
   * when another process has it open, `JOURNAL_CORRUPT` when something acknowledged is missing or altered.
   */
  static async open(options: LevelStoreOptions): Promise<LevelStore> {
    await mkdir(options.path, { recursive: true }).catch((cause: unknown) => {
      throw writeFailed(cause, options.path);
    });
    const index = await LevelIndex.open(options.path);
    let witness: CommitWitness | undefined;
    try {
      const opened = await CommitWitness.open(join(options.path, "commits"));
      witness = opened.witness;
      const history = await readCommits(options.hash, index.commits(), opened.mark);
      const tips = await readTips(index, history.tips);
      const directory = join(options.path, "segments");
      const segments = await Segments.open(directory, await index.completed(), history.segments, options.segmentBytes);
      await syncDirectory(options.path);
      return new LevelStore(options, { index, segments, witness, mark: history.mark, oldest: history.oldest, tips });
    } catch (error) {
      await witness?.close();
      await index.close();
      throw error instanceof IpdmError ? error : writeFailed(error, options.path);
    }
  }

  async append(append: EntryAppend): Promise<void> {
    this.#commits.check();
    for (const block of [append.block, ...(append.blocks ?? [])]) checkStorable(block);
    this.#tips.advance(append);
    await this.#add({ kind: "entry", append });
  }

  async head(actor: string): Promise<JournalHead | undefined> {
    this.#commits.check();
    const tip = await this.#index.tip(actor);
    if (tip === undefined) return undefined;
    const stored = await this.#entry(actor, tip.cid);
    if (stored.entry.actor !== actor || lastSeq(stored.entry) !== tip.seq) {
      throw corrupt(`the journal of ${actor}: its newest entry ${tip.cid.toString()} is another one`, {
        actor,
        cid: tip.cid.toString(),
      });
    }
    return { ...stored, seq: tip.seq };
  }

  async *entries(actor: string, { from = 1 } = {}): AsyncIterable<StoredEntry> {
    const head = await this.head(actor);
    const chain = new Chain(actor, await this.#before(actor, from));
    while (head !== undefined && (chain.tip?.seq ?? 0) < head.seq) {
      const after = chain.tip?.seq ?? 0;
      const cids = await this.#index.entryCids(actor, after, ENTRIES_PAGE);
      if (cids.length === 0)
        throw corrupt(`the journal of ${actor}: event ${after + 1} is missing`, { actor, seq: after + 1 });
      for (const cid of cids) {
        const stored = await this.#entry(actor, cid);
        const problem = chain.next(stored);
        if (problem !== undefined) throw corrupt(`the journal of ${actor}: ${problem}`, { actor, seq: after + 1 });
        yield stored;
        if (stored.cid.equals(head.cid)) return;
      }
    }
  }

  /** The end of the entry before the one that holds an event. */
  async #before(actor: string, seq: number): Promise<Tip | undefined> {
    const cid = seq > 1 ? await this.#index.entryCidAt(actor, seq) : undefined;
    if (cid === undefined) return undefined;
    const { prev, seq: first } = (await this.#entry(actor, cid)).entry;
    return prev === null ? undefined : { cid: prev, seq: first - 1 };
  }

  async actors(): Promise<readonly string[]> {
    this.#commits.check();
    return [...(await this.#index.actors())].sort();
  }

  async wakes(): Promise<readonly Wake[]> {
    this.#commits.check();
    return await this.#index.wakes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    await this.#commits.close();
    await this.#segments.close();
    await this.#witness.close();
    await this.#index.close();
  }

  async #put(block: Block): Promise<void> {
    checkStorable(block);
    await this.#add({ kind: "block", block });
  }

  #add(operation: Operation): Promise<void> {
    return this.#commits.add(operation, sizeOf(operation));
  }

  async #commit(group: readonly Operation[]): Promise<void> {
    try {
      const { small, large, tips } = planCommit(group);
      const writes: Write[] = [...small];
      const segments = await this.#writeLarge(large, writes);
      for (const [actor, tip] of tips) writes.push(put(keys.tipKey(actor), keys.tipValue(tip)));
      if (writes.length === 0) return; // every block was here already
      const number = this.#mark.number + 1;
      const oldest = Math.max(this.#oldest, number - this.#kept + 1);
      const record = encodeCommit({ number, prev: this.#mark.hash, oldest, tips, segments });
      writes.push(put(keys.commitKey(number), record));
      for (let gone = this.#oldest; gone < oldest; gone++) writes.push({ type: "del", key: keys.commitKey(gone) });
      await this.#index.write(writes);
      this.#mark = { number, hash: this.#hash(record) };
      this.#oldest = oldest;
      this.#witness.note(this.#mark);
    } catch (error) {
      throw writeFailed(error, this.#path);
    }
  }

  async #writeLarge(blocks: readonly Block[], writes: Write[]): Promise<SegmentTail> {
    if (blocks.length === 0) return this.#segments.tail;
    const known = await this.#index.hasLocated(blocks.map((block) => block.cid));
    const fresh = blocks.filter((block, at) => known[at] !== true || this.#damaged.delete(block.cid.toString()));
    if (fresh.length === 0) return this.#segments.tail;
    const { locators, completed, tail } = await this.#segments.append(fresh);
    for (const [at, block] of fresh.entries()) {
      const locator = locators[at];
      if (locator !== undefined) writes.push(put(keys.locatorKey(block.cid), keys.locatorValue(locator)));
    }
    for (const { segment, sizeBytes } of completed) writes.push(put(keys.completedKey(segment), keys.u64(sizeBytes)));
    return tail;
  }

  async #get(cid: CID): Promise<Uint8Array | undefined> {
    this.#commits.check();
    const { inline, located } = await this.#index.find(cid);
    if (inline !== undefined) {
      if (this.#matches(cid, inline)) return inline;
      this.#damaged.add(cid.toString());
      throw corrupt(`block ${cid.toString()} has other bytes`, { cid: cid.toString() });
    }
    if (located === undefined) return undefined;
    const bytes = await this.#segments.read(located).catch((error: unknown) => {
      throw corrupt(`segments/${segmentName(located.segment)} cannot be read`, { cid: cid.toString() }, error);
    });
    if (bytes.length === located.sizeBytes && this.#matches(cid, bytes)) return bytes;
    this.#damaged.add(cid.toString());
    const segment = segmentName(located.segment);
    throw corrupt(`segments/${segment} at byte ${located.offset}: block ${cid.toString()} has other bytes`, {
      cid: cid.toString(),
      segment,
      offset: located.offset,
    });
  }

  #matches(cid: CID, bytes: Uint8Array): boolean {
    return equalBytes(this.#hash(bytes), cid.multihash.digest);
  }

  async #entry(actor: string, cid: CID): Promise<StoredEntry> {
    const bytes = await this.#get(cid);
    if (bytes === undefined)
      throw corrupt(`the journal of ${actor}: entry ${cid.toString()} is missing`, { actor, cid: cid.toString() });
    try {
      return { cid, bytes, entry: decodeEntry({ cid, bytes }) };
    } catch (error) {
      throw corrupt(
        `the journal of ${actor}: block ${cid.toString()} is not an entry`,
        { actor, cid: cid.toString() },
        error,
      );
    }
  }
}

async function readTips(index: LevelIndex, recorded: ReadonlyMap<string, Tip>): Promise<Tips> {
  const tips = new Tips();
  const unseen = new Map(recorded);
  for (const [actor, tip] of await index.tips()) {
    const expected = unseen.get(actor);
    if (expected !== undefined && (expected.seq !== tip.seq || !expected.cid.equals(tip.cid))) {
      throw corrupt(`the journal of ${actor} does not end where its last commit left it`, {
        actor,
        expected: expected.seq,
        found: tip.seq,
      });
    }
    unseen.delete(actor);
    tips.set(actor, tip);
  }
  const missing = unseen.keys().next();
  if (missing.done !== true) throw corrupt(`the journal of ${missing.value} is missing`, { actor: missing.value });
  return tips;
}
