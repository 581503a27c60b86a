import type { CID } from "multiformats/cid";
import type { AnyMachineSnapshot } from "xstate";
import type { IpdmError } from "../core/errors.ts";
import type { Hash } from "../core/ports.ts";
import type { Block } from "../dag/block.ts";
import { encodeCheckpoint, stateBlock } from "../journal/checkpoint.ts";
import { encodeEntry } from "../journal/entry.ts";
import type { JournalEntry, Store } from "../journal/port.ts";
import { nextSkip, type SkipPoint, skipPointAfter } from "../journal/skip.ts";
import { dueOf } from "./open-requests.ts";
import type { Progress } from "./progress.ts";
import { faultOf } from "./request.ts";
import type { Taken } from "./take-letters.ts";

/** Bytes of entries after which an actor writes a checkpoint, however few events they hold: what bringing it back reads at most, or twice that. */
export const CHECKPOINT_BYTES = 1024 * 1024;

/** Where an actor is to begin: in memory, in its journal, and at its newest checkpoint. */
export interface ActorStart {
  readonly progress: Progress;
  readonly head: CID;
  readonly checkpointSeq: number;
  /** Where its next skip links start from. */
  readonly point?: SkipPoint | undefined;
}

/** What a writer needs from the kernel. */
export interface WriterPorts {
  readonly store: Store;
  readonly hash: Hash;
  readonly checkpointEvery: number;
  /** Whether the store is to know when the actor has something to do by itself. */
  readonly indexed: boolean;
}

/** How far an actor is on the disk. */
export interface Durable {
  readonly snapshot: AnyMachineSnapshot;
  readonly seq: number;
  readonly head: CID;
}

/** Puts an actor's events into its journal, entry by entry, each linked to the one before. */
export class EntryWriter {
  readonly #ports: WriterPorts;
  readonly #progress: Progress;
  #written = 0;
  #arrived = 0;
  #arrival: PromiseWithResolvers<void> | undefined;
  #durable: Durable;
  /** Newest entry handed to the store, durable or not: what the next entry links to. */
  #newest: CID;
  #checkpointSeq: number;
  /** Bytes of the entries since, as far as this writer wrote them. */
  #checkpointBytes = 0;
  #point: SkipPoint | undefined;
  #wake: number | null | undefined;

  constructor(ports: WriterPorts, start: ActorStart) {
    this.#ports = ports;
    this.#progress = start.progress;
    this.#newest = start.head;
    this.#checkpointSeq = start.checkpointSeq;
    this.#point = start.point;
    this.#durable = { snapshot: start.progress.snapshot, seq: start.progress.seq, head: start.head };
  }

  get durable(): Durable {
    return this.#durable;
  }

  /** Entries on their way to the disk. */
  get inFlight(): number {
    return this.#written - this.#arrived;
  }

  /** Resolves when the next of the entries on their way has arrived, or failed. */
  one(): Promise<void> {
    this.#arrival ??= Promise.withResolvers();
    return this.#arrival.promise;
  }

  /** Resolves when all entries that are on their way now have arrived, or failed. */
  async all(): Promise<void> {
    const last = this.#written;
    while (this.#arrived < last) await this.one();
  }

  /**
   * Hands the entry of these events to the store. `ended` hears of it when it is durable, or why it is not; first `durable` has moved. Returns
   * why no entry could be made.
   */
  write(
    seq: number,
    { events, requests }: Taken,
    ended: (fault: IpdmError | undefined) => void,
  ): IpdmError | undefined {
    const { actor } = this.#progress;
    // In the order of dag-cbor, so that nobody has to sort them.
    let entry: JournalEntry = { v: 1, seq, prev: this.#newest, actor, events, requests };
    let block: Block;
    let blocks: readonly Block[] = [];
    try {
      if (this.#isDue()) {
        blocks = this.#checkpoint();
        const skip = this.#point === undefined ? undefined : nextSkip(this.#point);
        entry = { ...entry, checkpoint: (blocks[0] as Block).cid, ...(skip === undefined ? {} : { skip }) };
      }
      block = encodeEntry(this.#ports.hash, entry);
    } catch (error) {
      return faultOf(actor, error);
    }
    this.#newest = block.cid;
    this.#checkpointBytes += block.bytes.length;
    this.#point = skipPointAfter(this.#point, { cid: block.cid, entry });
    const durable: Durable = { snapshot: this.#progress.snapshot, seq: this.#progress.seq, head: block.cid };
    this.#written += 1;
    this.#ports.store.append({ entry, block, blocks, ...this.#wakeChange() }).then(
      () => {
        this.#durable = durable;
        this.#arrives();
        ended(undefined);
      },
      (error: unknown) => {
        this.#arrives();
        ended(faultOf(actor, error));
      },
    );
    return undefined;
  }

  #arrives(): void {
    this.#arrived += 1;
    this.#arrival?.resolve();
    this.#arrival = undefined;
  }

  #isDue(): boolean {
    const events = this.#progress.seq - this.#checkpointSeq;
    return events >= this.#ports.checkpointEvery || this.#checkpointBytes >= CHECKPOINT_BYTES;
  }

  #checkpoint(): readonly Block[] {
    const { machine, seq, snapshot, pending, books, actor } = this.#progress;
    const state = stateBlock(this.#ports.hash, machine.stateOf(snapshot));
    this.#checkpointSeq = seq;
    this.#checkpointBytes = 0;
    const kernel = books.plain();
    const checkpoint = {
      v: 1,
      actor,
      seq,
      machine: machine.identity,
      state: state.cid,
      pending: [...pending.values()],
      ...(kernel === undefined ? {} : { kernel }),
    } as const;
    return [encodeCheckpoint(this.#ports.hash, checkpoint), state];
  }

  #wakeChange(): { readonly wake?: number | null } {
    if (!this.#ports.indexed) return {};
    const wake = wakeOf(this.#progress);
    if (wake === this.#wake) return {};
    this.#wake = wake;
    return { wake };
  }
}

/** When an actor has something to do by itself, in milliseconds since 1970: 0 for at once, `null` for never. */
export function wakeOf({ pending, books }: Progress): number | null {
  let soonest: number | null = null;
  for (const request of pending.values()) {
    const due = dueOf(request, books);
    if (due === 0) return 0;
    if (due !== undefined && (soonest === null || due < soonest)) soonest = due;
  }
  return soonest;
}
