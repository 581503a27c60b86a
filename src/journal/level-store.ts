import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { CommitWitness, readCommits } from "./commit-log.ts";
import { CommitWriter } from "./commit-writer.ts";
import { type Compacted, Compaction, type CompactOptions } from "./compaction.ts";
import type { Tip } from "./continuity.ts";
import { closed, corrupt, writeFailed } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import { GroupPace } from "./group-pace.ts";
import { noteHolder, removeHolder } from "./holder.ts";
import { LevelBlocks } from "./level-blocks.ts";
import { LevelIndex } from "./level-index.ts";
import { LevelJournals } from "./level-journals.ts";
import { COMMIT_RECORDS_KEPT } from "./limits.ts";
import { checkMeta, checkStorable, type Operation, sizeOf } from "./operation.ts";
import type { BlockStore, EntryAppend, JournalHead, MetaStore, Store, StoredEntry, Wake } from "./port.ts";
import { Scrub } from "./scrub.ts";
import { Segments, syncDirectory } from "./segments.ts";
import { Tips } from "./tips.ts";

/** Options of a {@link LevelStore}. `path` is a folder of its own, made when it is not there. */
export interface LevelStoreOptions {
  readonly path: string;
  readonly hash: Hash;
  /** Bytes after which a new segment file is begun; 64 MiB. */
  readonly segmentBytes?: number;
  /** Commit records kept at most for the check on open; 16,384. */
  readonly commitRecordsKept?: number;
  /** Bytes of LevelDB's tables that are read before it opens, the others afterwards; 64 MiB. */
  readonly tableBytesChecked?: number;
  /** Hears why a write failed, before those who wait for it; after that the store takes nothing more. */
  readonly failed?: (error: IpdmError) => void;
}

interface Parts {
  readonly index: LevelIndex;
  readonly segments: Segments;
  readonly witness: CommitWitness;
  readonly blocks: LevelBlocks;
  readonly writer: CommitWriter;
}

/** Tips compared at once when a store is opened. */
const TIPS_PAGE = 1000;

/** Bytes that a write of upkeep counts as beyond its own. */
const WRITE_OVERHEAD_BYTES = 32;

/**
 * A {@link Store} on disk: entries and small blocks in LevelDB, large and raw blocks in segment files that LevelDB indexes. A
 * group commit syncs the segment first, then one LevelDB batch with its own numbered, linked commit record.
 */
export class LevelStore implements Store {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  readonly #path: string;
  readonly #parts: Parts;
  readonly #journals: LevelJournals;
  readonly #tips: Tips;
  readonly #commits: GroupCommit<Operation>;
  readonly #scrub: Scrub;
  #damage: IpdmError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, parts: Parts) {
    const { index, blocks, writer } = parts;
    this.#path = path;
    this.#parts = parts;
    this.#journals = new LevelJournals(index, blocks);
    this.#tips = new Tips((actor) => index.tip(actor));
    this.#commits = new GroupCommit((group) => writer.write(group), new GroupPace());
    this.#scrub = new Scrub(index.path, index.unchecked, (damage) => {
      this.#damage = damage;
    });
    this.blocks = {
      get: async (cid) => {
        this.#check();
        return await blocks.get(cid);
      },
      has: async (cid) => {
        this.#check();
        return await index.has(cid);
      },
      put: async (block) => {
        checkStorable(block);
        await this.#add({ kind: "block", block });
      },
      putAll: async (all) => {
        await Promise.all(all.map((block) => this.blocks.put(block)));
      },
    };
    this.meta = {
      get: async (key) => {
        this.#check();
        return await index.meta(key);
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
    const { path, hash } = options;
    await mkdir(path, { recursive: true }).catch((cause: unknown) => {
      throw writeFailed(cause, path);
    });
    const index = await LevelIndex.open(path, options.tableBytesChecked);
    let witness: CommitWitness | undefined;
    try {
      await noteHolder(path);
      const opened = await CommitWitness.open(join(path, "commits"));
      witness = opened.witness;
      const history = await readCommits(hash, index.commits(), opened.mark);
      await checkTips(index, history.tips);
      const segments = await Segments.open(
        join(path, "segments"),
        await index.completed(),
        history.segments,
        options.segmentBytes,
      );
      await syncDirectory(path);
      const blocks = new LevelBlocks(index, segments, hash);
      const recordsKept = options.commitRecordsKept ?? COMMIT_RECORDS_KEPT;
      const ports = { path, hash, index, segments, blocks, witness, recordsKept, failed: options.failed };
      const writer = new CommitWriter(ports, history.mark, history.oldest);
      return new LevelStore(path, { index, segments, witness, blocks, writer });
    } catch (error) {
      await witness?.close();
      await index.close();
      throw error instanceof IpdmError ? error : writeFailed(error, path);
    }
  }

  async append(append: EntryAppend): Promise<void> {
    this.#check();
    checkStorable(append.block);
    for (const block of append.blocks ?? []) checkStorable(block);
    await this.#tips.advance(append, () => this.#add({ kind: "entry", append }));
  }

  async head(actor: string): Promise<JournalHead | undefined> {
    this.#check();
    return await this.#journals.head(actor);
  }

  async first(actor: string): Promise<StoredEntry | undefined> {
    this.#check();
    return await this.#journals.first(actor);
  }

  async kept(actor: string): Promise<number> {
    this.#check();
    return await this.#journals.kept(actor);
  }

  async *entries(actor: string, { from = 1 } = {}): AsyncIterable<StoredEntry> {
    this.#check();
    yield* this.#journals.entries(actor, from);
  }

  async actors(): Promise<readonly string[]> {
    this.#check();
    return [...(await this.#parts.index.actors())].sort();
  }

  async wakes(): Promise<readonly Wake[]> {
    this.#check();
    return await this.#parts.index.wakes();
  }

  /**
   * Seals older entries into compressed frames, drops what the options say, and gives the space back. Takes as long as there is to do; the
   * store may be used meanwhile. Rejects with `JOURNAL_CORRUPT`, and with what `archive` rejects with.
   */
  async compact(options: CompactOptions = {}): Promise<Compacted> {
    this.#check();
    const { index, blocks } = this.#parts;
    const commit = async (writes: CompactionWrites): Promise<void> => {
      let sizeBytes = 0;
      for (const write of writes)
        sizeBytes += write.key.length + WRITE_OVERHEAD_BYTES + (write.type === "put" ? write.value.length : 0);
      await this.#add({ kind: "upkeep", writes, sizeBytes });
    };
    return await new Compaction({ index, blocks, journals: this.#journals, commit }, options).run();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #check(): void {
    if (this.#closing !== undefined) throw closed();
    if (this.#damage !== undefined) throw this.#damage;
    this.#commits.check();
  }

  async #close(): Promise<void> {
    const { segments, witness, index } = this.#parts;
    await this.#tips.settled();
    await this.#commits.close();
    await this.#scrub.close();
    await segments.close();
    await witness.close();
    // Before the lock is given back: afterwards it may be another's note.
    await removeHolder(this.#path);
    await index.close();
  }

  #add(operation: Operation): Promise<void> {
    if (this.#damage !== undefined) return Promise.reject(this.#damage);
    return this.#commits.add(operation, sizeOf(operation));
  }
}

type CompactionWrites = Extract<Operation, { readonly kind: "upkeep" }>["writes"];

/** Journals must end where the newest commits that name them left them. */
async function checkTips(index: LevelIndex, recorded: ReadonlyMap<string, Tip>): Promise<void> {
  const all = [...recorded];
  for (let at = 0; at < all.length; at += TIPS_PAGE) {
    const page = all.slice(at, at + TIPS_PAGE);
    const found = await index.tips(page.map(([actor]) => actor));
    for (const [place, [actor, expected]] of page.entries()) {
      const tip = found[place];
      if (tip === undefined) throw corrupt(`the journal of ${actor} is missing`, { actor });
      if (expected.seq !== tip.seq || !expected.cid.equals(tip.cid)) {
        throw corrupt(`the journal of ${actor} does not end where its last commit left it`, {
          actor,
          expected: expected.seq,
          found: tip.seq,
        });
      }
    }
  }
}
