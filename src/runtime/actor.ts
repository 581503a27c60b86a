import type { CID } from "multiformats/cid";
import { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy, Log } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { ActorState } from "../journal/checkpoint.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { EffectSpec, OutcomeEvent } from "./effect.ts";
import { type ActorStart, EntryWriter, type WriterPorts } from "./entry-writer.ts";
import { KERNEL_EVENT, revivedEvent } from "./kernel-event.ts";
import { Lifetime } from "./lifetime.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import { type Letter, Mailbox, type Receipt } from "./mailbox.ts";
import { OpenWork } from "./open-work.ts";
import type { Deliver } from "./outbox.ts";
import { Outcomes } from "./outcome.ts";
import type { Progress } from "./progress.ts";
import { checkEvent, requestNotDead } from "./request.ts";
import { type Taken, takeLetters } from "./take-letters.ts";

/** Most events that one drain of a mailbox puts into one entry. */
export const EVENTS_PER_ENTRY_MAX = 256;

/** Entries of one actor that may be on their way to the disk; meanwhile events gather in the mailbox. */
export const ENTRIES_IN_FLIGHT_MAX = 2;

/** What an actor needs from its kernel. */
export interface ActorPorts extends WriterPorts {
  readonly log: Log;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly effects: Readonly<Record<string, EffectSpec>>;
  readonly deliver: Deliver;
  /** The input that the actor was born with. */
  input(): Promise<Ipld>;
  /** Hears of every entry that has become durable, by the number of its last event. */
  onDurable(seq: number): void;
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
  readonly #writer: EntryWriter;
  readonly #mailbox = new Mailbox();
  /** Made when there is some. */
  #work: OpenWork | undefined;
  readonly #life = new Lifetime();
  readonly #outcomes = new Outcomes();
  #draining = false;

  constructor(ports: ActorPorts, start: ActorStart) {
    this.id = start.progress.actor;
    this.closed = this.#life.closed;
    this.#ports = ports;
    this.#progress = start.progress;
    this.#writer = new EntryWriter(ports, start);
  }

  /** The newest durable state. */
  snapshot(): ActorState {
    return this.#progress.machine.stateOf(this.#writer.durable.snapshot);
  }

  /** Number of the newest durable event; the first is 1. */
  get seq(): number {
    return this.#writer.durable.seq;
  }

  /** CID of the newest durable entry. */
  head(): CID {
    return this.#writer.durable.head;
  }

  get status(): "running" | "faulted" | "closed" {
    return this.#life.status;
  }

  /** Why the actor stopped by itself, if it did. */
  get fault(): IpdmError | undefined {
    return this.#life.fault;
  }

  /** The fold of its events, durable or on their way; only to be read. */
  get progress(): Progress {
    return this.#progress;
  }

  /** True when nothing would be lost, or done twice, by letting the actor go: at most timers and pauses are open. */
  get idle(): boolean {
    return this.#isQuiet() && this.#work?.busy !== true && this.#outcomes.empty;
  }

  /** Calls the listener when the actor faults; at once when it has. Returns a function that takes it off. */
  onFault(listener: (fault: IpdmError) => void): () => void {
    return this.#life.onFault(listener);
  }

  /**
   * Resolves when the event is durable; waits while the mailbox is full. An event whose `request` is the id of an open request
   * settles it. Rejects with `ACTOR_EVENT_NOT_PLAIN`, `ACTOR_EVENT_RESERVED` (types of the kernel), `ACTOR_CLOSED`, the fault, or what
   * the machine threw.
   */
  send(event: OutcomeEvent): Promise<void> {
    if (this.#life.end !== undefined) return Promise.reject(this.#life.end);
    try {
      return this.#post(checkEvent(this.id, event));
    } catch (error) {
      return Promise.reject(error as IpdmError);
    }
  }

  /** As {@link send}, and waits for what the event asked for: the events that settled its requests, in the order of the requests. */
  async ask(event: OutcomeEvent): Promise<{ readonly seq: number; readonly outcomes: readonly Ipld[] }> {
    if (this.#life.end !== undefined) throw this.#life.end;
    let outcomes: Promise<Ipld[]> | undefined;
    const letter = this.#mailbox.send(checkEvent(this.id, event), {
      // Before the entry is on its way, so that no outcome can come first.
      taken: ({ requests }) => {
        outcomes = Promise.all(requests.map((request) => this.#outcomes.of(request)));
        outcomes.catch(() => {});
      },
    });
    this.#drain();
    const receipt = await letter;
    return { seq: receipt?.seq ?? this.seq, outcomes: (await outcomes) ?? [] };
  }

  /** Takes another actor's message once, whatever comes again; resolves when it is durable. */
  async receive(from: string, id: string, event: Ipld): Promise<void> {
    if (this.#life.end !== undefined) throw this.#life.end;
    await this.#post(event, { message: { from, id } });
  }

  /** Tries a request again that waits for a person. Resolves when that is durable. */
  async revive(request: string): Promise<void> {
    const record = this.#progress.pending.get(request);
    const attempts = this.#progress.books.attempts.get(request);
    if (record === undefined || attempts === undefined || attempts.due !== undefined) throw requestNotDead(request);
    await this.#answer(request, revivedEvent(request));
    this.#start(record);
  }

  /** Resolves once no event waits, nothing is on its way to the disk, and no request is open. Rejects when the actor ends before. */
  settled(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#life.watch(() => this.#isQuiet() && this.#progress.pending.size === 0, options.signal);
  }

  /** Resolves with the first durable state for which `wanted` holds, now or later. Rejects when the actor ends before. */
  async until(
    wanted: (state: ActorState) => boolean,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<ActorState> {
    let state = this.snapshot();
    await this.#life.watch(() => {
      state = this.snapshot();
      return wanted(state);
    }, options.signal);
    return state;
  }

  /** Resolves once its children are there: their first entries are durable. Rejects when the actor ends before. */
  born(): Promise<void> {
    return this.#life.watch(() => !this.#progress.pending.values().some(({ type }) => type === KERNEL_REQUEST.spawn));
  }

  /** Starts the effects of all open requests. Called once, by the kernel, when the entries that hold them are durable. */
  start(): void {
    for (const request of [...this.#progress.pending.values()]) this.#start(request);
  }

  /** Aborts effects, rejects what waits in the mailbox, and waits for entries on their way to the disk. */
  async close(end = new IpdmError("ACTOR_CLOSED", `actor ${this.id} is closed`, { where: this.id })): Promise<void> {
    this.#finish(end, false);
    await this.#writer.all();
  }

  #finish(end: IpdmError, faulted: boolean): void {
    this.#life.finish(end, faulted, () => {
      this.#work?.close(end);
      this.#mailbox.fail(end);
      this.#outcomes.fail(end);
      if (faulted) this.#ports.log.warn(`actor ${this.id} faulted: ${end.message}`, { actor: this.id, code: end.code });
    });
  }

  #post(event: Ipld, more: Pick<Letter, "message"> = {}): Promise<void> {
    const delivered = this.#mailbox.send(event, more);
    this.#drain();
    return delivered as Promise<unknown> as Promise<void>; // whoever asks for no receipt gets none
  }

  #answer(request: string, event: Ipld): Promise<Receipt | undefined> {
    if (this.#life.end !== undefined) return Promise.reject(this.#life.end); // the request stays open, and is issued again after recovery
    const delivered = this.#mailbox.answer(request, event);
    this.#drain();
    return delivered;
  }

  #drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    // One turn later, so that events sent in the same turn share an entry.
    void Promise.resolve().then(this.#run);
  }

  readonly #run = (): void => {
    while (this.#life.end === undefined && !this.#mailbox.empty) {
      if (this.#writer.inFlight >= ENTRIES_IN_FLIGHT_MAX) {
        void this.#writer.one().then(this.#run);
        return;
      }
      // What is to begin again takes nothing from outside before it has.
      const letters = this.#restarting() ? this.#mailbox.takeAnswers() : this.#mailbox.take(EVENTS_PER_ENTRY_MAX);
      if (letters.length === 0) break;
      this.#step(letters);
    }
    // In the turn that saw the empty mailbox: an event that comes later starts the next drain.
    this.#draining = false;
    this.#life.changed();
  };

  #restarting(): boolean {
    if (this.#progress.snapshot.status !== "error") return false;
    for (const { type } of this.#progress.pending.values()) if (type === KERNEL_EVENT.restarted) return true;
    return false;
  }

  /** Transitions the events and hands their entry to the store. */
  #step(letters: readonly Letter[]): void {
    const seq = this.#progress.seq + 1;
    const taken = takeLetters(this.#progress, letters, this.#ports);
    let { fault } = taken;
    for (const { letter, receipt } of taken.kept) letter.taken?.(receipt);
    if (taken.events.length > 0) {
      const unwritten = this.#writer.write(seq, taken, (failed) => this.#arrived(taken, failed));
      if (unwritten !== undefined) {
        for (const { letter } of taken.kept) letter.delivered.reject(unwritten);
        fault = unwritten;
      }
    }
    if (taken.repeated.length > 0) void this.#repeat(taken.repeated);
    if (fault !== undefined) this.#finish(fault, true);
  }

  /** What was taken before is durable when what is on its way is. */
  async #repeat(letters: readonly Letter[]): Promise<void> {
    await this.#writer.all();
    for (const { delivered } of letters) {
      if (this.#life.fault !== undefined) delivered.reject(this.#life.fault);
      else delivered.resolve(undefined);
    }
  }

  /** An entry is durable, or it failed. */
  #arrived({ kept, events, requests, cancelled }: Taken, failed: IpdmError | undefined): void {
    if (failed !== undefined) {
      for (const { letter } of kept) letter.delivered.reject(failed);
      this.#finish(failed, true);
      return;
    }
    for (const { letter, receipt, failure } of kept) {
      // A sender hears that the machine failed; another actor's message has arrived all the same.
      if (failure !== undefined && letter.message === undefined) letter.delivered.reject(failure);
      else letter.delivered.resolve(letter.taken === undefined ? undefined : receipt);
    }
    this.#ports.onDurable(this.seq);
    for (const request of cancelled) this.#called(request);
    for (const event of events) this.#outcomes.tell(event);
    if (this.#life.end === undefined)
      for (const request of requests) if (this.#progress.pending.has(request.id)) this.#start(request);
    this.#life.changed();
  }

  #start(request: RequestRecord): void {
    this.#work ??= OpenWork.of(this.#progress, {
      ...this.#ports,
      answer: (each, event) => this.#answer(each, event),
      emit: (event) => this.send(event),
    });
    this.#work.start(request);
  }

  #called(request: string): void {
    const off = new IpdmError("EFFECT_CANCELLED", `request ${request} was called off: its state was left`, {
      where: request,
    });
    this.#work?.cancel(request, off);
    this.#outcomes.cancelled(request, off);
  }

  #isQuiet(): boolean {
    return !this.#draining && this.#mailbox.empty && this.#writer.inFlight === 0;
  }
}
