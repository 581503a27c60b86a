import { hasCode, type IpdmError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { closed, fullUntilRoom } from "./errors.ts";
import { ROOM_CHECK_MS } from "./limits.ts";
import type { BlockStore, EntryAppend, JournalHead, MetaStore, Store, StoredEntry, Wake } from "./port.ts";

/** What a {@link ReopeningStore} works with. */
export interface Reopening {
  readonly clock: Clock;
  /** Opens the store. It tells `failed` why it stops, before whoever waits for it hears of that. */
  open(failed: (error: IpdmError) => void): Promise<Store>;
  /** Whether the disk takes something again. */
  hasRoom(): Promise<boolean>;
  /** The store works again; what was on its way when the disk was full may be there, or not. */
  reopened(): void;
}

/**
 * A store that outlives a full disk: it refuses everything (`DISK_FULL`), looks for room every second, and then opens itself again, as the next
 * process would. Any other failure stops it for good, as it stops the store inside.
 */
export class ReopeningStore implements Store {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  readonly #ports: Reopening;
  #inner: Store | undefined;
  /** Why nothing is taken at the moment, or any more. */
  #refusal: IpdmError | undefined;
  #takeTimer: (() => void) | undefined;
  #trying: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(ports: Reopening) {
    this.#ports = ports;
    this.blocks = {
      get: async (cid) => await this.#store().blocks.get(cid),
      has: async (cid) => await this.#store().blocks.has(cid),
      put: async (block) => await this.#store().blocks.put(block),
      putAll: async (blocks) => await this.#store().blocks.putAll(blocks),
    };
    this.meta = {
      get: async (key) => await this.#store().meta.get(key),
      put: async (key, value) => await this.#store().meta.put(key, value),
    };
  }

  /** Throws what opening the store throws, `DISK_FULL` too: only a store that was open waits for room. */
  static async open(ports: Reopening): Promise<ReopeningStore> {
    const store = new ReopeningStore(ports);
    store.#inner = await ports.open((error) => store.#failed(error));
    return store;
  }

  // The way of every entry: no promise is put around the store's own.
  append(append: EntryAppend): Promise<void> {
    try {
      return this.#store().append(append);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async head(actor: string): Promise<JournalHead | undefined> {
    return await this.#store().head(actor);
  }

  async *entries(actor: string, options?: { readonly from?: number }): AsyncIterable<StoredEntry> {
    yield* this.#store().entries(actor, options);
  }

  async first(actor: string): Promise<StoredEntry | undefined> {
    return await this.#store().first(actor);
  }

  async kept(actor: string): Promise<number> {
    return await this.#store().kept(actor);
  }

  async actors(): Promise<readonly string[]> {
    return await this.#store().actors();
  }

  async wakes(): Promise<readonly Wake[]> {
    return await this.#store().wakes();
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #store(): Store {
    if (this.#closing !== undefined) throw closed();
    if (this.#refusal !== undefined) throw this.#refusal;
    if (this.#inner === undefined) throw closed();
    return this.#inner;
  }

  #failed(error: IpdmError): void {
    if (!hasCode(error, "DISK_FULL") || this.#refusal !== undefined) return;
    this.#refusal = fullUntilRoom(error);
    this.#wait();
  }

  #wait(): void {
    if (this.#closing !== undefined) return;
    this.#takeTimer = this.#ports.clock.after(ROOM_CHECK_MS, () => {
      this.#trying = this.#try();
    });
  }

  async #try(): Promise<void> {
    const ports = this.#ports;
    try {
      if (!(await ports.hasRoom())) return this.#wait();
      // It holds what it has read, and the lock.
      await this.#inner?.close();
      this.#inner = undefined;
      if (this.#closing !== undefined) return;
      this.#inner = await ports.open((error) => this.#failed(error));
      this.#refusal = undefined;
    } catch (error) {
      if (hasCode(error, "DISK_FULL")) return this.#wait();
      this.#refusal = error as IpdmError; // damage, or another process that has taken it: for good
      return;
    }
    if (this.#closing === undefined) ports.reopened();
  }

  async #close(): Promise<void> {
    this.#takeTimer?.();
    await this.#trying;
    await this.#inner?.close();
  }
}
