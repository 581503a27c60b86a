import type { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import { type Compacted, Compaction, type CompactOptions } from "./compaction.ts";
import { closed } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import { GroupPace } from "./group-pace.ts";
import { removeHolder } from "./holder.ts";
import { LevelJournals } from "./level-journals.ts";
import { checkMeta, checkStorable, type Operation, sizeOf } from "./operation.ts";
import type { BlockStore, EntryAppend, JournalHead, MetaStore, Store, StoredEntry, Wake } from "./port.ts";
import { Scrub } from "./scrub.ts";
import { closeParts, openParts, type StoreParts } from "./store-parts.ts";
import { Tips } from "./tips.ts";

/** Options of a {@link LevelStore}. `path` is a folder of its own, made when it is not there. */
export interface LevelStoreOptions {
  readonly path: string;
  readonly hash: Hash;
  /** Bytes after which a new segment file is begun; 64 MiB. */
  readonly segmentBytes?: number;
  /** Bytes after which the other file of the write-ahead log is begun; 4 MiB. */
  readonly aheadBytes?: number;
  /** Bytes of LevelDB's tables that are read before it opens, the others afterwards; 64 MiB. */
  readonly tableBytesChecked?: number;
  /** Hears why a write failed, before those who wait for it; after that the store takes nothing more. */
  readonly failed?: (error: IpdmError) => void;
}

/** Bytes that a write of upkeep counts as beyond its own. */
const WRITE_OVERHEAD_BYTES = 32;

/**
 * A {@link Store} on disk: entries and small blocks in LevelDB, large and raw blocks in segment files that LevelDB indexes. A group commit
 * syncs the segment first, then one numbered, linked record of a write-ahead log; LevelDB gets what is in it a little later, and again at the next start.
 */
export class LevelStore implements Store {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  readonly #path: string;
  readonly #parts: StoreParts;
  readonly #journals: LevelJournals;
  readonly #tips: Tips;
  readonly #commits: GroupCommit<Operation>;
  readonly #scrub: Scrub;
  #damage: IpdmError | undefined;
  #closing: Promise<void> | undefined;

  private constructor(path: string, parts: StoreParts) {
    const { index, blocks, writer } = parts;
    this.#path = path;
    this.#parts = parts;
    this.#journals = new LevelJournals(index, blocks);
    this.#tips = new Tips((actor) => index.tip(actor));
    this.#commits = new GroupCommit((group, alone) => writer.write(group, alone), new GroupPace());
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
   * Opens the folder, checks its commits, brings into LevelDB what it may have lost, and cuts off what was written but never committed. Throws `DATA_DIR_IN_USE`
   * when another process has it open, `JOURNAL_CORRUPT` when something acknowledged is missing or altered.
   */
  static async open(options: LevelStoreOptions): Promise<LevelStore> {
    return new LevelStore(options.path, await openParts(options));
  }

  append(append: EntryAppend): Promise<void> {
    try {
      this.#check();
      checkStorable(append.block);
      if (append.blocks !== undefined) for (const block of append.blocks) checkStorable(block);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    return this.#tips.advance(append, (ended) => this.#add({ kind: "entry", append }, ended));
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
    await this.#tips.settled();
    await this.#commits.close();
    await this.#scrub.close();
    await closeParts(this.#parts);
    // Before the lock is given back: afterwards it may be another's note.
    await removeHolder(this.#path);
    await this.#parts.index.close();
  }

  #add(operation: Operation, ended?: () => void): Promise<void> {
    if (this.#damage !== undefined) {
      ended?.();
      return Promise.reject(this.#damage);
    }
    return this.#commits.add(operation, sizeOf(operation), ended);
  }
}

type CompactionWrites = Extract<Operation, { readonly kind: "upkeep" }>["writes"];
