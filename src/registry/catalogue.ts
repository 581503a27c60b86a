import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { CID } from "multiformats/cid";
import rcompare from "semver/functions/rcompare.js";
import maxSatisfying from "semver/ranges/max-satisfying.js";
import { CatalogueEffects, notSigned } from "../../actors/catalogue/actor.ts";
import type { CatalogueRecord } from "../../actors/catalogue/record.ts";
import { CATALOGUE_ENTRIES_MAX } from "../../actors/catalogue/shelf.ts";
import type { CatalogueContext, CatalogueOutcome } from "../../machines/catalogue/step.ts";
import { CATALOGUE, MACHINES } from "../../machines/registry.ts";
import type { ModuleReference } from "../config/module-reference.ts";
import { entrySigned, type ModuleEntry } from "../consensus/module-entry.ts";
import { IpdmError } from "../core/errors.ts";
import { type Block, cborBlock, rawBlock } from "../dag/block.ts";
import { LevelStore } from "../journal/level-store.ts";
import type { BlockStore, MetaStore, Store } from "../journal/port.ts";
import { quietLog, sha256, verifyEd25519 } from "../node.ts";
import { type Actor, Kernel } from "../runtime/kernel.ts";
import { checkEntry } from "./entry-check.ts";
import { refuse } from "./refusal.ts";

/** Where a catalogue is when nobody says otherwise, in the working folder. */
export const CATALOGUE_FOLDER = join(".ipdm", "catalogue");

/** Id of a catalogue's one actor. */
const ACTOR = "catalogue";
/** Events between two checkpoints. */
const CHECKPOINT_EVENTS = 16;
/** Names and versions that a message lists. */
const LISTED_MAX = 20;

/** A module of a catalogue: its entry with the signature checked, and its bytes. */
export interface CatalogueModule {
  readonly entry: ModuleEntry;
  readonly entryBlock: Block;
  readonly moduleBlock: Block;
}

/** How to open a catalogue. */
export interface CatalogueOptions {
  /** Makes one where none is. */
  readonly create?: boolean;
  /** Entries beyond which nothing is added. Default and most: {@link CATALOGUE_ENTRIES_MAX}. */
  readonly entriesMax?: number;
}

/** What came of adding a module; `present`: it was there before. */
export type AddedModule = CatalogueModule & { readonly outcome: "published" | "present" };

/**
 * A catalogue of modules in a folder: the journal of an actor, and the blocks that its entries name. Only one process at a time
 * has it open (`DATA_DIR_IN_USE`). What a stopped process left open is finished when the next one opens it.
 */
export class Catalogue implements AsyncDisposable {
  readonly folder: string;
  private readonly store: Store;
  private readonly kernel: Kernel;
  private readonly actor: Actor;
  private readonly work: CatalogueEffects;
  private entriesMax = CATALOGUE_ENTRIES_MAX;
  private readonly ending = new AbortController();
  private adding: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, store: Store, kernel: Kernel, actor: Actor, work: CatalogueEffects) {
    this.folder = folder;
    this.store = store;
    this.kernel = kernel;
    this.actor = actor;
    this.work = work;
  }

  /** Opens a catalogue. Throws `CATALOGUE_MISSING` (kind `config`), `CATALOGUE_CORRUPT`, `DATA_DIR_IN_USE` and the store's errors. */
  static async open(folder: string, options: CatalogueOptions = {}): Promise<Catalogue> {
    const { create = false, entriesMax = CATALOGUE_ENTRIES_MAX } = options;
    const path = join(folder, "store");
    if (!create && !(await isFolder(path))) {
      throw new IpdmError("CATALOGUE_MISSING", `there is no catalogue of modules in ${folder}`, {
        kind: "config",
        where: folder,
        hint: "`ipdm-runtime module publish` makes one; --catalogue names another folder",
      });
    }
    const store = await LevelStore.open({ path, hash: sha256 });
    const kernel = new Kernel(store, {
      hash: sha256,
      log: quietLog,
      checkpointEvery: CHECKPOINT_EVENTS,
      machines: MACHINES,
    });
    try {
      const work = new CatalogueEffects({ blocks: store.blocks, hash: sha256, verify: verifyEd25519 });
      const input = { catalogue: ACTOR };
      const actor = await kernel.spawn({ id: ACTOR, machine: CATALOGUE, input, effects: work.effects });
      const catalogue = new Catalogue(folder, store, kernel, actor, work);
      catalogue.entriesMax = Math.min(entriesMax, CATALOGUE_ENTRIES_MAX);
      await catalogue.ready();
      await work.follow(catalogue.context().records.head);
      return catalogue;
    } catch (error) {
      await closeBoth(kernel, store);
      throw error;
    }
  }

  /** Entries in it. */
  get size(): number {
    return this.work.shelf.size;
  }

  /** Its newest record, and how many there are. */
  get head(): { readonly head: CID | null; readonly count: number } {
    return { head: this.work.shelf.head, count: this.work.shelf.size };
  }

  /** Its blocks: what is fetched for it is kept there, and is nobody else's before a record names it. */
  get blocks(): BlockStore {
    return this.store.blocks;
  }

  /** What it remembers beside its history. */
  get notes(): MetaStore {
    return this.store.meta;
  }

  /** The record of a version here, if there is one. */
  recordOf(name: string, version: string): CatalogueRecord | undefined {
    return this.work.shelf.name(name)?.versions.get(version);
  }

  /** All entries' records, by name, then as they were published. */
  records(): CatalogueRecord[] {
    return [...this.work.shelf.records()];
  }

  /** The public key that owns a name here, if it is taken. */
  ownerOf(name: string): Uint8Array | undefined {
    return this.work.shelf.name(name)?.owner;
  }

  /**
   * Makes an entry part of the catalogue, with its module. `present` says that it was before. Throws `MODULE_SIGNATURE`,
   * `CATALOGUE_NAME_TAKEN` (another key owns the name), `CATALOGUE_VERSION_TAKEN` (that version is there, with other contents),
   * both of kind `conflict`, `CATALOGUE_FULL`, and what {@link checkEntry} throws.
   */
  add(entry: ModuleEntry, bytes: Uint8Array): Promise<AddedModule> {
    // One after the other: what came of an entry is read from the catalogue's state behind it.
    const added = this.adding.then(() => this.addNext(entry, bytes));
    this.adding = added.catch(() => undefined);
    return added;
  }

  private async addNext(entry: ModuleEntry, bytes: Uint8Array): Promise<AddedModule> {
    const moduleBlock = rawBlock(sha256, bytes);
    const entryBlock = cborBlock(sha256, entry);
    if (!entry.module.equals(moduleBlock.cid))
      throw new IpdmError(
        "MODULE_ENTRY_INVALID",
        `${entry.name}@${entry.version} names another module than the one given`,
        {
          kind: "verification",
          where: entry.module.toString(),
        },
      );
    if (!entrySigned(entry, verifyEd25519)) throw notSigned(entry);
    checkEntry(entry, bytes);
    // What cannot be taken is not stored either; the machine decides again, by what its records say.
    const foreseen = this.foresee(entry, entryBlock.cid);
    refuse(entry, foreseen, this.folder);
    if (foreseen !== "present" && this.size >= this.entriesMax) {
      throw new IpdmError("CATALOGUE_FULL", `this catalogue holds ${this.entriesMax} entries, and takes no more`, {
        where: this.folder,
        hint: "use another catalogue",
      });
    }
    await this.store.blocks.putAll([moduleBlock, entryBlock]);
    await this.ready();
    await this.actor.send({ type: "submitted", entry: entryBlock.cid });
    await this.ready();
    const { last, records } = this.context();
    await this.work.follow(records.head);
    const outcome = last?.outcome ?? "changed";
    refuse(entry, outcome, this.folder);
    return { entry, entryBlock, moduleBlock, outcome: outcome === "present" ? "present" : "published" };
  }

  /**
   * The newest version that a reference means. A pre-release is meant only where the range names one. Throws `MODULE_UNKNOWN`,
   * `MODULE_VERSION_NONE`, both of kind `config`, saying what there is, and `CATALOGUE_CORRUPT`.
   */
  async resolve({ name, range }: ModuleReference): Promise<CatalogueModule> {
    const shelved = this.work.shelf.name(name);
    if (shelved === undefined) {
      const names = [...new Set(this.records().map((record) => record.name))];
      throw new IpdmError("MODULE_UNKNOWN", `the catalogue ${this.folder} has no module ${name}`, {
        kind: "config",
        hint: names.length === 0 ? "it is empty" : `it has ${listed(names)}`,
        facts: { name, catalogue: this.folder },
      });
    }
    const versions = [...shelved.versions.keys()];
    const version = maxSatisfying(versions, range);
    const record = version === null ? undefined : shelved.versions.get(version);
    if (record === undefined) {
      throw new IpdmError("MODULE_VERSION_NONE", `no version of ${name} in ${this.folder} matches ${range}`, {
        kind: "config",
        hint: `there are ${listed(versions.sort(rcompare))}`,
        facts: { name, range, catalogue: this.folder },
      });
    }
    return this.read(record);
  }

  /** Entry and module of a record. Throws `CATALOGUE_CORRUPT`. */
  async read(record: CatalogueRecord): Promise<CatalogueModule> {
    const entry = await this.work.entry(record.entry);
    const bytes = await this.store.blocks.get(record.module);
    if (bytes === undefined || !entry.module.equals(record.module)) {
      throw new IpdmError("CATALOGUE_CORRUPT", `module ${record.module.toString()} is not in the catalogue's store`, {
        kind: "verification",
        where: record.module.toString(),
        hint: "import its modules into a new catalogue",
      });
    }
    return { entry, entryBlock: cborBlock(sha256, entry), moduleBlock: { cid: record.module, bytes } };
  }

  /** True for a record of its list. */
  isRecord(cid: CID): boolean {
    return this.work.shelf.lists(cid);
  }

  /** True for the blocks that anyone may have: records, entries and their modules. */
  private isPublic(cid: CID): boolean {
    return this.isRecord(cid) || this.work.shelf.holds(cid);
  }

  /** The bytes of a public block, for peers that ask by CID. */
  async find(cid: CID): Promise<Uint8Array | undefined> {
    return this.isPublic(cid) ? this.store.blocks.get(cid) : undefined;
  }

  /** Lets the folder go. */
  async close(): Promise<void> {
    this.ending.abort(new IpdmError("CATALOGUE_CLOSED", "the catalogue is closed", { kind: "interrupted" }));
    await closeBoth(this.kernel, this.store);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private context(): CatalogueContext {
    return this.actor.snapshot().context as unknown as CatalogueContext;
  }

  /** Waits until nothing is being decided. Rejects when an effect fails, or the actor. */
  private async ready(): Promise<void> {
    const { signal } = this.ending;
    const failed = this.work.failure.wait(signal).then((error) => Promise.reject(error as Error));
    failed.catch(() => undefined); // raced below; a close ends it
    const open = async (): Promise<void> => {
      await this.actor.until((state) => state.value === "open", { signal });
      await this.actor.settled({ signal });
    };
    await Promise.race([open(), failed]);
  }

  private foresee({ name, version, publisher }: ModuleEntry, cid: CID): CatalogueOutcome {
    const shelved = this.work.shelf.name(name);
    if (shelved === undefined) return "published";
    if (Buffer.compare(shelved.owner, publisher) !== 0) return "foreign";
    const existing = shelved.versions.get(version)?.entry;
    if (existing === undefined) return "published";
    return existing.equals(cid) ? "present" : "changed";
  }
}

function listed(items: readonly string[]): string {
  const more = items.length - LISTED_MAX;
  return more > 0 ? `${items.slice(0, LISTED_MAX).join(", ")} and ${more} more` : items.join(", ");
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Closes the store however the kernel ends: the folder is free again. */
async function closeBoth(kernel: Kernel, store: Store): Promise<void> {
  try {
    await kernel.close();
  } finally {
    await store.close();
  }
}
