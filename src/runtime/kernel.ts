import { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy, Hash, Log } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import type { MachineIdentity } from "../journal/checkpoint.ts";
import { encodeEntry, isActorId } from "../journal/entry.ts";
import type { JournalEntry, JournalHead, RequestRecord, Store } from "../journal/port.ts";
import { Actor } from "./actor.ts";
import type { EffectSpec } from "./effect.ts";
import type { ActorStart } from "./entry-writer.ts";
import { wakeOf } from "./entry-writer.ts";
import { initEvent, migratedEvent, type ParentLink, parseInitEvent } from "./kernel-event.ts";
import { Machine, type MachineSpec, sameMachine } from "./machine.ts";
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
   * `NON_DETERMINISM`, `JOURNAL_CORRUPT`; other actors are not touched.
   */
  async spawn(spec: ActorSpec): Promise<Actor> {
    this.#check(spec);
    this.#spawning.add(spec.id);
    try {
      const head = await this.#store.head(spec.id);
      const start = head === undefined ? await this.#create(spec) : await this.#recover(spec, head);
      if (this.#closed) throw closed(spec.id);
      const actor = this.#actor(spec, start);
      this.#actors.set(spec.id, actor);
      void actor.closed.then(() => {
        if (this.#actors.get(spec.id) === actor) this.#actors.delete(spec.id);
      });
      actor.start();
      return actor;
    } finally {
      this.#spawning.delete(spec.id);
    }
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
    return { progress, head: block.cid, checkpointSeq: 0 };
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

  async #recover(spec: ActorSpec, head: JournalHead): Promise<ActorStart> {
    const { progress, checkpointSeq, skipped } = await recoverActor(this.#store, head, (actor, identity) =>
      this.#find(spec, actor, identity),
    );
    for (const cid of skipped)
      this.#options.log.warn(`a checkpoint of ${spec.id} could not be read`, { actor: spec.id, cid: cid.toString() });
    this.#options.log.debug(`actor ${spec.id} recovered at event ${progress.seq}`, {
      actor: spec.id,
      open: progress.pending.size,
    });
    return await this.#migrated(spec, { progress, head: head.cid, checkpointSeq });
  }

  /** An actor of an older version, made one of the version that it is to run as, where that says how. */
  async #migrated(spec: ActorSpec, start: ActorStart): Promise<ActorStart> {
    const { progress } = start;
    const { identity } = progress.machine;
    const migrate = identity.name === spec.machine.name ? spec.machine.migrations?.[identity.version] : undefined;
    if (migrate === undefined || identity.version >= spec.machine.version) return start;
    const machine = this.#machine(spec.machine);
    const seq = progress.seq + 1;
    const state = migratedState(spec.id, machine, () => migrate(progress.machine.stateOf(progress.snapshot)));
    progress.migrate(machine, state);
    const events = [migratedEvent(machine.identity, state)];
    const entry: JournalEntry = { v: 1, actor: spec.id, seq, prev: start.head, events, requests: [] };
    const block = encodeEntry(this.#options.hash, entry);
    await this.#store.append({ entry, block });
    this.#options.log.info(`actor ${spec.id} is ${machine.label} from event ${seq} on`, { actor: spec.id, seq });
    return { ...start, head: block.cid };
  }

  #find(spec: ActorSpec, actor: string, identity: MachineIdentity): Machine {
    for (const candidate of [spec.machine, ...(this.#options.machines ?? [])]) {
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

  #check(spec: ActorSpec): void {
    if (this.#closed) throw closed(spec.id);
    if (!isActorId(spec.id)) throw new IpdmError("ACTOR_ID", `${JSON.stringify(spec.id)} is not an actor id`);
    if (this.#actors.has(spec.id) || this.#spawning.has(spec.id)) {
      throw new IpdmError("ACTOR_EXISTS", `actor ${spec.id} is running`, { kind: "conflict", where: spec.id });
    }
    for (const type of spec.machine.requests) {
      if (!Object.hasOwn(spec.effects, type)) {
        throw new IpdmError("ACTOR_EFFECT_MISSING", `actor ${spec.id} has no effect for request ${type}`, {
          where: spec.id,
          facts: { type },
        });
      }
    }
  }
}

function migratedState(
  actor: string,
  machine: Machine,
  migrate: () => { readonly value: Ipld; readonly context: Ipld },
): { readonly value: Ipld; readonly context: Ipld } {
  try {
    const { value, context } = migrate();
    const plain = plainOf({ value, context });
    if (!plain.ok) throw new Error(`the new state holds ${plain.reason} at ${plain.path}`);
    return plain.value as { readonly value: Ipld; readonly context: Ipld };
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new IpdmError("MIGRATION_FAILED", `actor ${actor} cannot become one of ${machine.label}: ${message}`, {
      where: actor,
      hint: "correct the migration; the actor is as it was",
      cause,
    });
  }
}

function undeliverable(target: string): PromiseRejectedResult {
  const reason = new IpdmError("ACTOR_UNKNOWN", `nobody here carries messages to ${target}`, { where: target });
  return { status: "rejected", reason };
}

function closed(actor: string): IpdmError {
  return new IpdmError("ACTOR_CLOSED", `the kernel is closed; actor ${actor} was not started`, { where: actor });
}
