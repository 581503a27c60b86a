import type { CID } from "multiformats/cid";
import { equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { Chain, checkContinues, type Tip } from "./continuity.ts";
import { decodeEntry, lastSeq } from "./entry.ts";
import { corrupt } from "./errors.ts";
import { GroupCommit } from "./group-commit.ts";
import { checkMeta, checkStorable, type Operation, sizeOf } from "./operation.ts";
import type { BlockStore, EntryAppend, JournalHead, MetaStore, Store, StoredEntry, Wake } from "./port.ts";

/** What a memory store holds durably: a second store may be opened on it, as a node would after a crash. */
export interface MemoryImage {
  readonly blocks: Map<string, Uint8Array>;
  /** Entries of each actor, oldest first. */
  readonly journals: Map<string, CID[]>;
  readonly meta: Map<string, Uint8Array>;
  /** When actors have something to do by themselves. */
  readonly wakes?: Map<string, number>;
}

/** Options of a {@link MemoryStore}, which may stand for a disk that fails. */
export interface MemoryStoreOptions {
  readonly hash: Hash;
  /** What is queued becomes durable when it resolves, and is lost when it rejects. */
  readonly sync?: () => Promise<void>;
  /** Runs once a group is durable and before it is acknowledged: where it rejects, the disk holds what nobody was told of. */
  readonly synced?: () => Promise<void>;
  /** Contents to start from; they are copied. */
  readonly image?: MemoryImage;
}

/** A {@link Store} that forgets everything with the process; for tests, simulations and throw-away runs. */
export class MemoryStore implements Store {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  readonly #hash: Hash;
  readonly #sync: (() => Promise<void>) | undefined;
  readonly #synced: (() => Promise<void>) | undefined;
  readonly #durable: Required<MemoryImage>;
  readonly #tips = new Map<string, Tip>();
  readonly #commits: GroupCommit<Operation>;

  constructor(options: MemoryStoreOptions) {
    this.#hash = options.hash;
    this.#sync = options.sync;
    this.#synced = options.synced;
    this.#durable = copyOf(options.image ?? { blocks: new Map(), journals: new Map(), meta: new Map() });
    this.#commits = new GroupCommit((group) => this.#commit(group));
    this.blocks = {
      get: async (cid) => this.#block(cid),
      has: async (cid) => {
        this.#commits.check();
        return this.#durable.blocks.has(cid.toString());
      },
      put: (block) => this.#put(block),
      putAll: async (blocks) => {
        await Promise.all(blocks.map((block) => this.#put(block)));
      },
    };
    this.meta = {
      get: async (key) => {
        this.#commits.check();
        return this.#durable.meta.get(key)?.slice();
      },
      put: async (key, value) => {
        checkMeta(key, value);
        await this.#add({ kind: "meta", key, value: value.slice() });
      },
    };
    for (const [actor, cids] of this.#durable.journals) {
      const cid = cids.at(-1);
      if (cid !== undefined) this.#tips.set(actor, { cid, seq: lastSeq(this.#entry(cid).entry) });
    }
  }

  /** A copy of what is durable now: what a crash at this moment would leave. */
  image(): MemoryImage {
    return copyOf(this.#durable);
  }

  async append(append: EntryAppend): Promise<void> {
    this.#commits.check();
    for (const block of [append.block, ...(append.blocks ?? [])]) checkStorable(block);
    const { entry, block } = append;
    checkContinues(append, this.#tips.get(entry.actor));
    this.#tips.set(entry.actor, { cid: block.cid, seq: lastSeq(entry) });
    await this.#add({ kind: "entry", append });
  }

  async head(actor: string): Promise<JournalHead | undefined> {
    this.#commits.check();
    const cid = this.#durable.journals.get(actor)?.at(-1);
    if (cid === undefined) return undefined;
    const stored = this.#entry(cid);
    return { ...stored, seq: lastSeq(stored.entry) };
  }

  async *entries(actor: string, { from = 1 } = {}): AsyncIterable<StoredEntry> {
    this.#commits.check();
    let chain: Chain | undefined;
    for (const cid of [...(this.#durable.journals.get(actor) ?? [])]) {
      const stored = this.#entry(cid);
      const { entry } = stored;
      if (lastSeq(entry) < from) continue;
      chain ??= new Chain(actor, entry.prev === null ? undefined : { cid: entry.prev, seq: entry.seq - 1 });
      const problem = chain.next(stored);
      if (problem !== undefined) throw corrupt(`the journal of ${actor}: ${problem}`, { actor });
      yield stored;
    }
  }

  async first(actor: string): Promise<StoredEntry | undefined> {
    this.#commits.check();
    const cid = this.#durable.journals.get(actor)?.[0];
    return cid === undefined ? undefined : this.#entry(cid);
  }

  async kept(): Promise<number> {
    this.#commits.check();
    return 1;
  }

  async actors(): Promise<readonly string[]> {
    this.#commits.check();
    return [...this.#durable.journals.keys()].sort();
  }

  async wakes(): Promise<readonly Wake[]> {
    this.#commits.check();
    return [...this.#durable.wakes].map(([actor, at]) => ({ actor, at })).sort((a, b) => (a.actor < b.actor ? -1 : 1));
  }

  async close(): Promise<void> {
    await this.#commits.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #put(block: Block): Promise<void> {
    checkStorable(block);
    await this.#add({ kind: "block", block });
  }

  #add(operation: Operation): Promise<void> {
    return this.#commits.add(operation, sizeOf(operation));
  }

  async #commit(group: readonly Operation[]): Promise<void> {
    await this.#sync?.();
    for (const operation of group) {
      if (operation.kind === "meta") this.#durable.meta.set(operation.key, operation.value);
      else if (operation.kind === "block") this.#keep(operation.block);
      else if (operation.kind === "entry") this.#keepEntry(operation.append);
    }
    await this.#synced?.();
  }

  #keep(block: Block): void {
    this.#durable.blocks.set(block.cid.toString(), block.bytes);
  }

  #keepEntry(append: EntryAppend): void {
    for (const block of [append.block, ...(append.blocks ?? [])]) this.#keep(block);
    const { wake } = append;
    if (typeof wake === "number") this.#durable.wakes.set(append.entry.actor, wake);
    else if (wake === null) this.#durable.wakes.delete(append.entry.actor);
    const journal = this.#durable.journals.get(append.entry.actor);
    if (journal === undefined) this.#durable.journals.set(append.entry.actor, [append.block.cid]);
    else journal.push(append.block.cid);
  }

  #block(cid: CID): Uint8Array | undefined {
    this.#commits.check();
    const bytes = this.#durable.blocks.get(cid.toString());
    if (bytes === undefined) return undefined;
    if (!equalBytes(this.#hash(bytes), cid.multihash.digest)) {
      throw corrupt(`block ${cid.toString()} has other bytes`, { cid: cid.toString() });
    }
    return bytes;
  }

  #entry(cid: CID): StoredEntry {
    const bytes = this.#block(cid);
    if (bytes === undefined) throw corrupt(`entry ${cid.toString()} is missing`, { cid: cid.toString() });
    return { cid, bytes, entry: decodeEntry({ cid, bytes }) };
  }
}

function copyOf(image: MemoryImage): Required<MemoryImage> {
  return {
    blocks: new Map(image.blocks),
    journals: new Map([...image.journals].map(([actor, cids]) => [actor, [...cids]])),
    meta: new Map(image.meta),
    wakes: new Map(image.wakes),
  };
}
