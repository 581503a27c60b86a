import type { AnyMachineSnapshot } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import type { ActorState, Checkpoint } from "../journal/checkpoint.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import { Bookkeeping } from "./bookkeeping.ts";
import { type Intake, intakeOf } from "./intake.ts";
import { KERNEL_EVENT, type ParentLink, timeEvent } from "./kernel-event.ts";
import type { Machine, RawRequest, Step } from "./machine.ts";
import { causeOf, isMachineFailure, sameData } from "./machine-failure.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import { OpenRequests } from "./open-requests.ts";
import { nonDeterminism } from "./request.ts";

/** Where an actor is: the fold of its events. The one place that decides what an event does, live and in replay. */
export class Progress {
  readonly actor: string;
  readonly books: Bookkeeping;
  #machine: Machine;
  #snapshot: AnyMachineSnapshot;
  #seq: number;
  readonly #open: OpenRequests;

  private constructor(machine: Machine, actor: string, snapshot: AnyMachineSnapshot, seq: number, books: Bookkeeping) {
    this.#machine = machine;
    this.actor = actor;
    this.#snapshot = snapshot;
    this.#seq = seq;
    this.books = books;
    this.#open = new OpenRequests(actor, books);
  }

  /** After event 1. Throws as {@link Machine}. */
  static begin(
    machine: Machine,
    actor: string,
    input: Ipld,
    more: { readonly at?: number | undefined; readonly parent?: ParentLink | undefined } = {},
  ): { progress: Progress; requests: readonly RequestRecord[] } {
    const step = machine.initial(input, actor);
    const books = new Bookkeeping();
    books.now = more.at ?? 0;
    books.parent = more.parent;
    const progress = new Progress(machine, actor, step.snapshot, 0, books);
    progress.#check(step.requests);
    return { progress, requests: progress.#accept(step, {}, "active") };
  }

  /** After the event that a checkpoint was taken at. */
  static restore(machine: Machine, checkpoint: Checkpoint, state: ActorState): Progress {
    const books = Bookkeeping.parse(checkpoint.kernel);
    const progress = new Progress(machine, checkpoint.actor, machine.restore(state), checkpoint.seq, books);
    for (const request of checkpoint.pending) progress.#open.pending.set(request.id, request);
    return progress;
  }

  get machine(): Machine {
    return this.#machine;
  }

  get snapshot(): AnyMachineSnapshot {
    return this.#snapshot;
  }

  /** Number of the last event. */
  get seq(): number {
    return this.#seq;
  }

  /** Requests without an outcome, oldest first. */
  get pending(): ReadonlyMap<string, RequestRecord> {
    return this.#open.pending;
  }

  /** Requests that were called off since the last call, by id. */
  takeCancelled(): readonly string[] {
    return this.#open.takeCancelled();
  }

  /** Takes the next event, which must be plain. Returns what it asked for. Throws as {@link Machine}, and then nothing changes. */
  apply(event: Ipld): readonly RequestRecord[] {
    return this.applyAt(event, undefined).requests;
  }

  /**
   * As {@link apply}, at a time in milliseconds since 1970. Where the event starts a timer and the journal does not tell that time yet, an event
   * that does is taken before it, and given back.
   */
  applyAt(event: Ipld, now: number | undefined): { readonly requests: readonly RequestRecord[]; readonly time?: Ipld } {
    const node = record(event);
    if (node?.["type"] === KERNEL_EVENT.failed) return { requests: this.#fail(node) };
    const intake = intakeOf(this, event);
    const step = this.#step(intake);
    const before = intake.begins === undefined ? this.#snapshot.status : "active";
    const starts =
      now !== undefined && now > this.books.now && step.requests.some(({ type }) => type === KERNEL_REQUEST.after);
    if (!starts) return { requests: this.#accept(step, intake, before) };
    this.books.now = now;
    this.#seq += 1;
    return { requests: this.#accept(step, intake, before), time: timeEvent(now) };
  }

  /** The actor is another machine's from the next event on. */
  migrate(machine: Machine, state: Pick<ActorState, "value" | "context">): void {
    const { history, children, status } = this.#machine.stateOf(this.#snapshot);
    const kept = { ...(history === undefined ? {} : { history }), ...(children === undefined ? {} : { children }) };
    this.#snapshot = machine.restore({ status, ...state, ...kept });
    this.#machine = machine;
    this.#seq += 1;
  }

  #step(intake: Intake): Step {
    if (intake.begins !== undefined) return this.#checked(this.#machine.initial(intake.begins, this.actor));
    if (intake.stops === true) return { snapshot: this.#machine.stopped(this.#snapshot), requests: [] };
    if (intake.event === undefined) return { snapshot: this.#snapshot, requests: intake.requests ?? [] };
    return this.#checked(this.#machine.next(this.#snapshot, intake.event, this.actor));
  }

  /** The machine threw on the event inside: it has to do so again. */
  #fail(node: Readonly<Record<string, unknown>>): readonly RequestRecord[] {
    const { event, error, at, restart } = node as { event: Ipld; error: Ipld; at: number; restart?: number };
    const intake = intakeOf(this, event);
    const found = this.#failureOn(intake);
    if (found === undefined || !sameData(found, error))
      throw nonDeterminism(this.actor, this.machine.label, {
        seq: this.#seq + 1,
        expected: { error },
        found: found === undefined ? "a state" : { error: found },
      });
    this.books.now = Math.max(this.books.now, at);
    this.books.failures = restart === undefined ? [] : [...this.books.failures, at];
    const snapshot = this.#machine.failed(this.#snapshot, error);
    const status = this.#snapshot.status;
    if (restart === undefined) return this.#accept({ snapshot, requests: [] }, intake, status);
    const again: RawRequest = { type: KERNEL_EVENT.restarted, params: { due: restart } };
    return this.#accept({ snapshot, requests: [again] }, { ...intake, restarts: true }, status);
  }

  #failureOn(intake: Intake): Ipld | undefined {
    try {
      this.#step(intake);
      return undefined;
    } catch (error) {
      if (!isMachineFailure(error)) throw error;
      return causeOf(error);
    }
  }

  #checked(step: Step): Step {
    this.#check(step.requests);
    return step;
  }

  /** Everything that could go wrong with requests, before anything has changed. */
  #check(requests: readonly RawRequest[]): void {
    const problem = this.#open.problem(requests);
    if (problem !== undefined)
      throw new IpdmError("ACTOR_FAULT", `machine ${this.machine.label} ${problem}`, { where: this.actor });
  }

  #accept(step: Step, intake: Intake, before: string): readonly RequestRecord[] {
    this.#snapshot = step.snapshot;
    this.#seq += 1;
    this.#open.begin(this.#seq);
    if (intake.settles !== undefined) this.#open.settle(intake.settles);
    intake.notes?.(this.books);
    for (const raw of step.requests) this.#open.ask(raw, this.#machine);
    const { status } = step.snapshot;
    if (before === "active" && status !== "active") this.#open.end(step.snapshot, intake.restarts === true);
    return this.#open.asked;
  }
}
