import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Barrier } from "./barrier.ts";
import { GatheringBarrier, type Savepoint } from "./savepoint.ts";

/** Where savepoints are kept. */
export interface SavepointStore {
  /** Keeps a block under its CID. A block that is there already is the same. */
  put(cid: CID, bytes: Uint8Array): void | Promise<void>;
  /** The bytes of a block. */
  get(cid: CID): Uint8Array | Promise<Uint8Array>;
}

/** Options of {@link Checkpointer}. */
export interface CheckpointerOptions {
  /** SHA-256 of bytes. */
  readonly hash: Hash;
  readonly store: SavepointStore;
  /** A checkpoint after every so many batches of the source that joined first; without it only when asked for. */
  readonly everyBatches?: number;
  /** Called when a savepoint has been stored. */
  readonly stored?: (name: string, root: CID) => void;
}

interface JoinedSource {
  readonly rows: () => number;
  readonly emit: (barrier: Barrier) => void;
}

/**
 * Makes savepoints of a running pipeline: it lets all of its sources put a barrier into their streams at once, between two batches, gathers
 * the operators' states, and stores them under one CID. Give it to every `source` of the pipeline, and `drain` the pipeline's end: a
 * savepoint is complete when the barrier has come out there.
 */
export class Checkpointer {
  private readonly options: CheckpointerOptions;
  private readonly sources = new Map<string, JoinedSource>();
  /** Rows of sources that have ended. */
  private readonly finished = new Map<string, number>();
  private readonly begun = new Map<Barrier, Readonly<Record<string, number>>>();
  private batches = 0;
  private made = 0;

  constructor(options: CheckpointerOptions) {
    this.options = options;
  }

  /** Sources call it; the function returned leaves. Throws `SAVEPOINT_PLACE` when the name is taken. */
  join(name: string, rows: () => number, emit: (barrier: Barrier) => void): () => void {
    if (this.sources.has(name)) {
      throw new IpdmError("SAVEPOINT_PLACE", `two sources are called ${name}`, {
        kind: "config",
        hint: "give the sources different names: source(…, { name })",
        facts: { place: name },
      });
    }
    this.sources.set(name, { rows, emit });
    return () => {
      if (!this.sources.delete(name)) return;
      this.finished.set(name, rows());
    };
  }

  /** Sources call it after each batch. */
  counted(name: string): void {
    const { everyBatches } = this.options;
    if (everyBatches === undefined || this.sources.keys().next().value !== name) return;
    this.batches++;
    if (this.batches % everyBatches === 0) this.trigger();
  }

  /** Begins a savepoint; call it between two batches, not from within an operator. */
  trigger(name = `checkpoint ${this.made + 1}`): void {
    if (this.sources.size === 0) return;
    this.made++;
    const barrier = new GatheringBarrier(name, this.options.hash);
    const rows: Record<string, number> = Object.fromEntries(this.finished);
    for (const [source, each] of this.sources) rows[source] = each.rows();
    this.begun.set(barrier, rows);
    for (const { emit } of [...this.sources.values()]) emit(barrier);
  }

  /** Stores what a barrier has gathered: `drain` calls it when everything before the barrier is done. Gives the savepoint's CID. */
  async complete(barrier: Barrier): Promise<CID | undefined> {
    const rows = this.begun.get(barrier);
    if (rows === undefined || !(barrier instanceof GatheringBarrier)) return undefined;
    this.begun.delete(barrier);
    const { root, blocks }: Savepoint = barrier.finish(rows);
    const { store, stored } = this.options;
    for (const { cid, bytes } of blocks) await store.put(cid, bytes);
    await store.put(root.cid, root.bytes);
    stored?.(barrier.name, root.cid);
    return root.cid;
  }
}
