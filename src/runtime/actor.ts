import type { CID } from "multiformats/cid";
import type { AnyMachineSnapshot } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Hash, Log } from "../core/ports.ts";
import type { Block, Ipld } from "../dag/block.ts";
import { type ActorState, encodeCheckpoint, stateBlock } from "../journal/checkpoint.ts";
import { encodeEntry } from "../journal/entry.ts";
import type { JournalEntry, RequestRecord, Store } from "../journal/port.ts";
import { type Letter, Mailbox } from "./mailbox.ts";
import { doneEvent, type Progress } from "./progress.ts";
import { checkEvent, type Effect, failedEvent, faultOf, type OutcomeEvent } from "./request.ts";
import { Watchers } from "./watchers.ts";

/** Most events that one drain of a mailbox puts into one entry. */
export const EVENTS_PER_ENTRY_MAX = 256;

/** Entries of one actor that may be on their way to the disk; meanwhile events gather in the mailbox. */
export const ENTRIES_IN_FLIGHT_MAX = 2;

/** What an actor needs from its kernel. */
export interface ActorPorts {
  readonly store: Store;
  readonly hash: Hash;
  readonly log: Log;
  readonly effects: Readonly<Record<string, Effect>>;
  readonly checkpointEvery: number;
}

/** Where an actor is to begin: in memory, in its journal, and at its newest checkpoint. */
export interface ActorStart {
  readonly progress: Progress;
  readonly head: CID;
  readonly checkpointSeq: number;
}

interface Durable {
  readonly snapshot: AnyMachineSnapshot;
  readonly seq: number;
  readonly head: CID;
}

/**
 * A machine and its journal, at work. What it shows (`snapshot`, `seq`, `head`) is what is durable. Made by `Kernel.spawn`.
 */
export class Actor {
  readonly id: string;
  /** Resolves when the actor takes no more events: closed, or faulted. */
  readonly closed: Promise<void>;
  readonly #ports: ActorPorts;
  readonly #progress: Progress;
  readonly #mailbox = new Mailbox();
  readonly #abort = new AbortController();
  readonly #ended = Promise.withResolvers<void>();
  readonly #inFlight = new Set<Promise<void>>();
  readonly #watchers = new Watchers();
  readonly #faultListeners = new Set<(fault: IpdmError) => void>();
  #durable: Durable;
  /** Newest entry handed to the store, durable or not: what the next entry links to. */
  #newest: CID;
  #checkpointSeq: number;
  #draining = false;
  #end: IpdmError | undefined;
  #faulted = false;

  constructor(ports: ActorPorts, start: ActorStart) {
    this.id = start.progress.actor;
    this.closed = this.#ended.promise;
    this.#ports = ports;
    this.#progress = start.progress;
    this.#newest = start.head;
    this.#checkpointSeq = start.checkpointSeq;
    this.#durable = { snapshot: start.progress.snapshot, seq: start.progress.seq, head: start.head };
  }

  /** The newest durable state. */
  snapshot(): ActorState {
    return this.#progress.machine.stateOf(this.#durable.snapshot);
  }

  /** Number of the newest durable event; the first is 1. */
  get seq(): number {
    return this.#durable.seq;
  }

  /** CID of the newest durable entry. */
  head(): CID {
    return this.#durable.head;
  }

  get status(): "running" | "faulted" | "closed" {
    if (this.#end === undefined) return "running";
    return this.#faulted ? "faulted" : "closed";
  }

  /** Why the actor stopped by itself, if it did. */
  get fault(): IpdmError | undefined {
    return this.#faulted ? this.#end : undefined;
  }

  /** Calls the listener when the actor faults; at once when it has. Returns a function that takes it off. */
  onFault(listener: (fault: IpdmError) => void): () => void {
    if (this.fault !== undefined) listener(this.fault);
    this.#faultListeners.add(listener);
    return () => this.#faultListeners.delete(listener);
  }

  /**
   * Resolves when the event is durable; waits while the mailbox is full. An event whose `request` is the id of an open request
   * settles it. Rejects with `ACTOR_EVENT_NOT_PLAIN`, `ACTOR_EVENT_RESERVED` (types of the kernel), `ACTOR_CLOSED`, or the fault.
   */
  async send(event: OutcomeEvent): Promise<void> {
    if (this.#end !== undefined) throw this.#end;
    const delivered = this.#mailbox.send(checkEvent(this.id, event));
    this.#drain();
    await delivered;
  }

  /** Resolves once no event waits, nothing is on its way to the disk, and no request is open. Rejects when the actor ends before. */
  settled(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#watchers.watch(
      () => this.#isSettled(),
      () => this.#end,
      options.signal,
    );
  }

  /** Resolves with the first durable state for which `wanted` holds, now or later. Rejects when the actor ends before. */
  async until(
    wanted: (state: ActorState) => boolean,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ActorState> {
    let state = this.snapshot();
    await this.#watchers.watch(
      () => {
        state = this.snapshot();
        return wanted(state);
      },
      () => this.#end,
      options.signal,
    );
    return state;
  }

  /** Starts the effects of all open requests. Called once, by the kernel, when the entries that hold them are durable. */
  start(): void {
    for (const request of this.#progress.pending.values()) void this.#perform(request);
  }

  /** Aborts effects, rejects what waits in the mailbox, and waits for entries on their way to the disk. */
  async close(): Promise<void> {
    this.#finish(new IpdmError("ACTOR_CLOSED", `actor ${this.id} is closed`, { where: this.id }), false);
    await Promise.allSettled([...this.#inFlight]);
  }

  #finish(end: IpdmError, faulted: boolean): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    this.#faulted = faulted;
    this.#abort.abort(end);
    this.#mailbox.fail(end);
    if (faulted) {
      this.#ports.log.warn(`actor ${this.id} faulted: ${end.message}`, { actor: this.id, code: end.code });
      for (const listener of this.#faultListeners) listener(end);
    }
    this.#ended.resolve();
    this.#watchers.notify();
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    void this.#run().finally(() => this.#watchers.notify());
  }

  async #run(): Promise<void> {
    // One turn later, so that events sent in the same turn share an entry.
    await Promise.resolve();
    while (this.#end === undefined && !this.#mailbox.empty) {
      if (this.#inFlight.size >= ENTRIES_IN_FLIGHT_MAX) await Promise.race(this.#inFlight);
      else this.#step(this.#mailbox.take(EVENTS_PER_ENTRY_MAX));
    }
    // In the turn that saw the empty mailbox: an event that comes later starts the next drain.
    this.#draining = false;
  }

  /** Transitions the events and hands their entry to the store. */
  #step(letters: readonly Letter[]): void {
    const events: Ipld[] = [];
    const requests: RequestRecord[] = [];
    const kept: Letter[] = [];
    let fault: IpdmError | undefined;
    const seq = this.#progress.seq + 1;
    for (const letter of letters) {
      if (fault !== undefined) {
        letter.delivered.reject(fault);
      } else if (letter.answers !== undefined && !this.#progress.pending.has(letter.answers)) {
        letter.delivered.resolve(); // its request was settled by an event meanwhile
      } else {
        try {
          requests.push(...this.#progress.apply(letter.event));
          events.push(letter.event);
          kept.push(letter);
        } catch (error) {
          fault = faultOf(this.id, error);
          letter.delivered.reject(fault);
        }
      }
    }
    if (events.length > 0)
      fault = this.#append({ v: 1, actor: this.id, seq, prev: this.#newest, events, requests }, kept) ?? fault;
    if (fault !== undefined) this.#finish(fault, true);
  }

  #append(plainEntry: JournalEntry, letters: readonly Letter[]): IpdmError | undefined {
    let entry = plainEntry;
    let block: Block;
    let blocks: readonly Block[] = [];
    try {
      if (this.#progress.seq - this.#checkpointSeq >= this.#ports.checkpointEvery) {
        blocks = this.#checkpoint();
        entry = { ...entry, checkpoint: (blocks[0] as Block).cid };
      }
      block = encodeEntry(this.#ports.hash, entry);
    } catch (error) {
      const fault = faultOf(this.id, error);
      for (const letter of letters) letter.delivered.reject(fault);
      return fault;
    }
    this.#newest = block.cid;
    const durable: Durable = { snapshot: this.#progress.snapshot, seq: this.#progress.seq, head: block.cid };
    const writing = this.#ports.store.append({ entry, block, blocks }).then(
      () => this.#synced(durable, entry.requests, letters),
      (error: unknown) => {
        const fault = faultOf(this.id, error);
        for (const letter of letters) letter.delivered.reject(fault);
        this.#finish(fault, true);
      },
    );
    this.#inFlight.add(writing);
    void writing.finally(() => {
      this.#inFlight.delete(writing);
      this.#watchers.notify();
    });
    return undefined;
  }

  #checkpoint(): readonly Block[] {
    const { machine, seq, snapshot, pending } = this.#progress;
    const state = stateBlock(this.#ports.hash, machine.stateOf(snapshot));
    this.#checkpointSeq = seq;
    const checkpoint = {
      v: 1,
      actor: this.id,
      seq,
      machine: machine.identity,
      state: state.cid,
      pending: [...pending.values()],
    } as const;
    return [encodeCheckpoint(this.#ports.hash, checkpoint), state];
  }

  #synced(durable: Durable, requests: readonly RequestRecord[], letters: readonly Letter[]): void {
    this.#durable = durable;
    for (const letter of letters) letter.delivered.resolve();
    for (const request of requests) void this.#perform(request);
    this.#watchers.notify();
  }

  /** Runs one effect and journals its outcome. Never rejects. */
  async #perform(request: RequestRecord): Promise<void> {
    if (this.#end !== undefined) return;
    const event = await this.#outcome(request);
    if (this.#end !== undefined) return; // the request stays open, and is issued again after recovery
    const delivered = this.#mailbox.answer(request.id, event);
    this.#drain();
    await delivered.catch(() => {}); // the actor has ended, and says so itself
  }

  async #outcome(request: RequestRecord): Promise<Ipld> {
    try {
      const effect = this.#ports.effects[request.type];
      if (effect === undefined) throw new IpdmError("ACTOR_EFFECT_MISSING", `no effect for request ${request.type}`);
      const outcome = await effect(request, { signal: this.#abort.signal, emit: (event) => this.send(event) });
      return outcome === undefined ? doneEvent(request.id) : checkEvent(this.id, { ...outcome, request: request.id });
    } catch (error) {
      if (this.#end === undefined)
        this.#ports.log.warn(`request ${request.type} of ${this.id} failed`, {
          request: request.id,
          error: String(error),
        });
      return failedEvent(request.id, error);
    }
  }

  #isSettled(): boolean {
    return !this.#draining && this.#mailbox.empty && this.#inFlight.size === 0 && this.#progress.pending.size === 0;
  }
}
