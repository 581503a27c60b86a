import type { CID } from "multiformats/cid";
import type { Block, Ipld } from "../dag/block.ts";

/** Blocks by content. Every `put` resolves once the block would survive a loss of power. */
export interface BlockStore {
  /** The bytes, checked against the CID; `undefined` when the store has never held them. Throws `JOURNAL_CORRUPT`. */
  get(cid: CID): Promise<Uint8Array | undefined>;
  has(cid: CID): Promise<boolean>;
  /** Stores a block whose CID the caller has computed. Waits while the write queue is full, and joins a group commit. */
  put(block: Block): Promise<void>;
  /** Stores many blocks, which may span several group commits; resolves when all are durable. */
  putAll(blocks: readonly Block[]): Promise<void>;
}

/** An effect that a machine asked for. The id is `actor:seq:index`: the event that caused it, and its place among that event's requests. */
export interface RequestRecord {
  readonly id: string;
  readonly type: string;
  readonly params: Ipld;
}

/**
 * Links over many entries, in an entry with a checkpoint. `n` counts these entries from 1; number 0 is the journal's first entry. The links lead to
 * the entry numbered n − 1, and to those whose numbers come of it by clearing its lowest set bit, down to 0: newest first.
 */
export interface Skip {
  readonly n: number;
  readonly links: readonly CID[];
}

/**
 * What an actor made durable in one step, as one dag-cbor block. `seq` is the number of its first event, counted from 1;
 * `prev` links the actor's entry before it. The very first event of a journal carries the actor's input.
 */
export interface JournalEntry {
  readonly v: 1;
  readonly actor: string;
  readonly seq: number;
  readonly prev: CID | null;
  readonly events: readonly Ipld[];
  /** Requests that these events caused, in order. */
  readonly requests: readonly RequestRecord[];
  /** The actor's state after these events. */
  readonly checkpoint?: CID;
  /** Only beside a checkpoint. Older journals have none. */
  readonly skip?: Skip;
}

/** An entry ready to append: its block, and the blocks (checkpoint, state) that become durable with it. */
export interface EntryAppend {
  readonly entry: JournalEntry;
  readonly block: Block;
  readonly blocks?: readonly Block[];
  /** When the actor has something to do by itself, in milliseconds since 1970; `null` for never. Absent: as it was. */
  readonly wake?: number | null;
}

/** An actor that has something to do by itself. */
export interface Wake {
  readonly actor: string;
  /** Milliseconds since 1970; 0 for at once. */
  readonly at: number;
}

/** An entry read back. */
export interface StoredEntry {
  readonly cid: CID;
  readonly entry: JournalEntry;
  readonly bytes: Uint8Array;
}

/** The newest entry of an actor; `seq` is the number of its last event. */
export interface JournalHead extends StoredEntry {
  readonly seq: number;
}

/** Small values under a text key, for what is not history: a node's own bookkeeping. */
export interface MetaStore {
  get(key: string): Promise<Uint8Array | undefined>;
  /** Durable once it resolves. Throws `JOURNAL_LIMIT` for an overlong key or value. */
  put(key: string, value: Uint8Array): Promise<void>;
}

/**
 * A node's durable memory: the journals of its actors and its blocks. Acknowledges only what is synced. After a failed
 * write or sync it stops: every later call rejects with `JOURNAL_STOPPED`. After `close` calls reject with `JOURNAL_CLOSED`.
 */
export interface Store extends AsyncDisposable {
  readonly blocks: BlockStore;
  readonly meta: MetaStore;
  /**
   * Makes an entry durable. The order of calls is the order of entries, and a later call may be made before an earlier one
   * resolves. Rejects with `JOURNAL_CONFLICT` when the entry does not continue the actor's journal (`prev`, `seq`).
   */
  append(append: EntryAppend): Promise<void>;
  /** The newest durable entry of an actor. Throws `JOURNAL_CORRUPT`. */
  head(actor: string): Promise<JournalHead | undefined>;
  /**
   * Durable entries of an actor, oldest first, from the one that holds event `from` (1 by default); links and numbers are checked. Throws
   * `JOURNAL_CORRUPT`, and `JOURNAL_ARCHIVED` where they were dropped: see {@link kept}.
   */
  entries(actor: string, options?: { readonly from?: number }): AsyncIterable<StoredEntry>;
  /** The first entry of an actor, which is kept whatever else was dropped. Throws `JOURNAL_CORRUPT`. */
  first(actor: string): Promise<StoredEntry | undefined>;
  /** Number of the event that entries are kept from: 1 where nothing was dropped. */
  kept(actor: string): Promise<number>;
  /** Ids of all actors with a durable entry, sorted. */
  actors(): Promise<readonly string[]>;
  /** Actors that have something to do by themselves, as their newest entries with a `wake` say. */
  wakes(): Promise<readonly Wake[]>;
  /** Waits for what is queued to become durable, then lets go of the files. */
  close(): Promise<void>;
}
