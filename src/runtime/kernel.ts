import { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy, Hash, Log } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { MachineIdentity } from "../journal/checkpoint.ts";
import { encodeEntry, isActorId } from "../journal/entry.ts";
import type { JournalEntry, JournalHead, RequestRecord, Store } from "../journal/port.ts";
import { Actor } from "./actor.ts";
import type { EffectSpec } from "./effect.ts";
import { type ActorStart, wakeOf } from "./entry-writer.ts";
import { initEvent, type ParentLink, parseInitEvent } from "./kernel-event.ts";
import { Machine, type MachineSpec, sameMachine } from "./machine.ts";
import { migrateActor, migrates } from "./migration.ts";
import { plainOf } from "./plain-data.ts";
import { Progress } from "./progress.ts";
import { firstEntry, recoverActor } from "./recovery.ts";
import { nonDeterminism } from "./request.ts";
import { systemEntropy, wallClock } from "./wall-clock.ts";

export type { Actor } from "./actor.ts";
export type { Effect, EffectContext, OutcomeEvent } from "./effect.ts";
export type { MachineSpec } from "./machine.ts";

/** Events between two checkpoints of an actor. */
export const CHECKPOINT_EVENTS = 64;

/** An actor to run: its id, its machine, its input where it is new, and an effect for every request of its machine. */
export interface ActorSpec {
  readonly id: string;
  readonly machine: MachineSpec;
  /** Plain data. It is journalled; an actor that has a journal keeps the input it was born with. */
  readonly input?: unknown;
  readonly effects: Readonly<Record<string, EffectSpec>>;
  readonly parent?: ParentLink;
  /** Whether the store is to know when the actor has something to do by itself. */
  readonly indexed?: boolean;
}

/** What a kernel is given. `machines` are older versions, by which journals that name them are continued. */
export interface KernelOptions {
  readonly hash: Hash;
  readonly log: Log;
  readonly checkpointEvery?: number;
  readonly machines?: readonly MachineSpec[];
  /** The wall clock and the system's randomness by default. */
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  /** Carries the messages of an actor to others; without it they wait. */
  readonly deliver?: (
    from: Progress,
    target: string,
    requests: readonly RequestRecord[],
  ) => Promise<readonly PromiseSettledResult<unknown>[]>;
  /** Hears of every entry that has become durable. */
  readonly onDurable?: (actor: string, seq: number) => void;
}

/**
 * Runs actors over a store: an event is transitioned, journalled, synced, and only then acknowledged and acted upon. The first
 * entry of a journal holds, as event 1, `{type: "ipdm.init", machine, input}` and the requests of the initial state, so a
 * journal replays from its own blocks alone. One fault stops one actor.
 */
export class Kernel implements AsyncDisposable {
  readonly #store: Store;
  readonly #options: KernelOptions;
  readonly #actors = new Map<string, Actor>();
  readonly #spawning = new Set<string>();
  readonly #machines = new WeakMap<MachineSpec, Machine>();
  readonly #clock: Clock;
  #closed = false;

  constructor(store: Store, options: KernelOptions) {
    this.#store = store;
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
  }

  /**
   * A new actor, or the one that its journal remembers; open requests are issued again with their ids. Resolves when its first
   * entry is durable. Rejects with `ACTOR_EXISTS`, `ACTOR_EFFECT_MISSING`, `MACHINE_UNSUPPORTED`, `MACHINE_VERSION_MISSING`,
   * `NON_DETERMINISM`, `JOURNAL_CORRUPT`, `MIGRATION_FAILED`; other actors are not touched.
   */
  async spawn(spec: ActorSpec): Promise<Actor> {
    for (const type of spec.machine.requests)
      if (!Object.hasOwn(spec.effects, type)) throw effectMissing(spec.id, type);
    return await this.#open(spec.id, async () => {
      const head = await this.#store.head(spec.id);
      const start = head === undefined ? await this.#create(spec) : await this.#recover(spec.id, head, spec.machine);
      return this.#actor(spec, start);
    });
  }

  /**
   * The actor that a journal remembers, of a machine that this kernel was given, with the machine's own effects. Rejects as {@link spawn}, and
   * with `ACTOR_UNKNOWN` where there is no journal.
   */
  async resume(id: string): Promise<Actor> {
    return await this.#open(id, async () => {
      const head = await this.#store.head(id);
      if (head === undefined) throw unknown(id);
      const start = await this.#recover(id, head, undefined);
      const machine = start.progress.machine.spec;
      return this.#actor({ id, machine, effects: machine.effects ?? {}, indexed: true }, start);
    });
  }

  /** A running actor. */
  actor(id: string): Actor | undefined {
    return this.#actors.get(id);
  }

  /** Aborts effects and waits for entries on their way to the disk. Nothing more is journalled; open requests stay open. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#actors.values()].map((actor) => actor.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #open(id: string, make: () => Promise<Actor>): Promise<Actor> {
    if (this.#closed) throw closed(id);
    if (!isActorId(id)) throw new IpdmError("ACTOR_ID", `${JSON.stringify(id)} is not an actor id`);
    if (this.#actors.has(id) || this.#spawning.has(id))
      throw new IpdmError("ACTOR_EXISTS", `actor ${id} is running`, { kind: "conflict", where: id });
    this.#spawning.add(id);
    try {
      const actor = await make();
      if (this.#closed) throw closed(id);
      this.#actors.set(id, actor);
      void actor.closed.then(() => {
        if (this.#actors.get(id) === actor) this.#actors.delete(id);
      });
      actor.start();
      return actor;
    } finally {
      this.#spawning.delete(id);
    }
  }

  async #create(spec: ActorSpec): Promise<ActorStart> {
    const machine = this.#machine(spec.machine);
    const input = plainOf(spec.input ?? null);
    if (!input.ok) {
      throw new IpdmError("ACTOR_EVENT_NOT_PLAIN", `the input of ${spec.id} holds ${input.reason} at ${input.path}`, {
        where: spec.id,
        facts: { path: input.path, reason: input.reason },
      });
    }
    const { parent } = spec;
    const at = machine.timed ? this.#clock.now() : undefined;
    const { progress, requests } = Progress.begin(machine, spec.id, input.value, { at, parent });
    const events: Ipld[] = [initEvent(machine.identity, input.value, { at, parent })];
    const entry: JournalEntry = { v: 1, actor: spec.id, seq: 1, prev: null, events, requests };
    const block = encodeEntry(this.#options.hash, entry);
    const wake = spec.indexed === true ? { wake: wakeOf(progress) } : {};
    await this.#store.append({ entry, block, ...wake });
    return { progress, head: block.cid, checkpointSeq: 0, point: { cid: block.cid } };
  }

  #actor(spec: ActorSpec, start: ActorStart): Actor {
    const {
      hash,
      log,
      checkpointEvery = CHECKPOINT_EVENTS,
      entropy = systemEntropy,
      deliver,
      onDurable,
    } = this.#options;
    const store = this.#store;
    return new Actor(
      {
        store,
        hash,
        log,
        clock: this.#clock,
        entropy,
        effects: spec.effects,
        checkpointEvery,
        indexed: spec.indexed === true,
        deliver: async (target, requests) =>
          (await deliver?.(start.progress, target, requests)) ?? requests.map(() => undeliverable(target)),
        onDurable: (seq) => onDurable?.(spec.id, seq),
        input: async () => parseInitEvent((await firstEntry(store, spec.id)).events[0])?.input ?? null,
      },
      start,
    );
  }

  async #recover(id: string, head: JournalHead, own: MachineSpec | undefined): Promise<ActorStart> {
    const { hash, log, machines = [] } = this.#options;
    const candidates = own === undefined ? machines : [own, ...machines];
    const { progress, checkpointSeq, point, skipped } = await recoverActor(this.#store, head, (actor, identity) =>
      this.#find(candidates, actor, identity),
    );
    for (const cid of skipped) log.warn(`a checkpoint of ${id} could not be read`, { actor: id, cid: cid.toString() });
    log.debug(`actor ${id} recovered at event ${progress.seq}`, { actor: id, open: progress.pending.size });
    const start: ActorStart = { progress, head: head.cid, checkpointSeq, point };
    const newest = own ?? newestOf(candidates, progress.machine.identity.name);
    if (!migrates(progress.machine, newest)) return start;
    const machine = this.#machine(newest);
    log.info(`actor ${id} becomes one of ${machine.label}`, { actor: id, seq: progress.seq + 1 });
    return await migrateActor(this.#store, hash, machine, start);
  }

  #find(candidates: readonly MachineSpec[], actor: string, identity: MachineIdentity): Machine {
    for (const candidate of candidates) {
      if (candidate.name !== identity.name || candidate.version !== identity.version) continue;
      const machine = this.#machine(candidate);
      if (sameMachine(machine.identity, identity)) return machine;
      throw nonDeterminism(actor, machine.label, {
        seq: 1,
        expected: { definition: identity.definition.toString() },
        found: { definition: machine.identity.definition.toString() },
      });
    }
    throw new IpdmError(
      "MACHINE_VERSION_MISSING",
      `actor ${actor} was journalled by machine ${identity.name}@${identity.version}, which is not here`,
      {
        where: actor,
        hint: "register that version of the machine, or migrate the actor",
        facts: { actor, name: identity.name, version: identity.version },
      },
    );
  }

  #machine(spec: MachineSpec): Machine {
    let machine = this.#machines.get(spec);
    if (machine === undefined) {
      machine = new Machine(this.#options.hash, spec);
      this.#machines.set(spec, machine);
    }
    return machine;
  }
}

function newestOf(specs: readonly MachineSpec[], name: string): MachineSpec | undefined {
  return specs.filter((spec) => spec.name === name).sort((a, b) => b.version - a.version)[0];
}

function effectMissing(actor: string, type: string): IpdmError {
  return new IpdmError("ACTOR_EFFECT_MISSING", `actor ${actor} has no effect for request ${type}`, {
    where: actor,
    facts: { type },
  });
}

function unknown(actor: string): IpdmError {
  return new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, {
    where: actor,
    hint: "`ipdm-runtime actors list` shows those that there are; spawn makes a new one",
  });
}

function undeliverable(target: string): PromiseRejectedResult {
  const reason = new IpdmError("ACTOR_UNKNOWN", `nobody here carries messages to ${target}`, { where: target });
  return { status: "rejected", reason };
}

function closed(actor: string): IpdmError {
  return new IpdmError("ACTOR_CLOSED", `the kernel is closed; actor ${actor} was not started`, { where: actor });
}
