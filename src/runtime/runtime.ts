import { join } from "node:path";
import type { AnyStateMachine } from "xstate";
import { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy, Log } from "../core/ports.ts";
import { LevelStore } from "../journal/level-store.ts";
import { MemoryStore } from "../journal/memory-store.ts";
import type { Store } from "../journal/port.ts";
import { ReopeningStore } from "../journal/reopening-store.ts";
import { hasRoom } from "../journal/room.ts";
import { quietLog, sha256 } from "../network/node-defaults.ts";
import { DurableActor, type InputOf } from "./durable-actor.ts";
import type { DurableMachine } from "./durable-machine.ts";
import type { Appended } from "./event-stream.ts";
import { Host } from "./host.ts";
import { CHECKPOINT_EVENTS, Kernel } from "./kernel.ts";
import type { MachineSpec } from "./machine.ts";
import { MachineRegistry } from "./machine-registry.ts";
import { Quarantine, type Quarantined } from "./quarantine.ts";
import { systemEntropy, wallClock } from "./wall-clock.ts";
import { Watchers } from "./watchers.ts";

/** Actors held in memory by default. */
export const HOT_ACTORS_MAX = 10_000;

/** What a runtime is made of. */
export interface RuntimeOptions {
  /** Folder of its store, made when it is not there. Without one everything is in memory, and gone with the process. */
  readonly dir?: string;
  /** A store that is open already; it stays open when the runtime closes. */
  readonly store?: Store;
  /** The machines that its actors run, older versions included. Machines may be added by {@link Runtime.register} and by `spawn`. */
  readonly machines?: readonly (DurableMachine | AnyStateMachine)[];
  readonly clock?: Clock;
  readonly entropy?: Entropy;
  readonly log?: Log;
  /** Actors held in memory, 10,000 by default. Others come back when something is for them. */
  readonly hotMax?: number;
  /** Events between two checkpoints of an actor, 64 by default: what bringing one back has to redo at most. */
  readonly checkpointEvery?: number;
}

/** A machine, plain or with how it is run. */
export type MachineOf<M extends AnyStateMachine> = M | DurableMachine<M>;

/**
 * Opens a runtime of durable actors. Actors with something to do by themselves (timers, open requests) go on; the others rest in the
 * store. Throws `DATA_DIR_IN_USE`, `JOURNAL_CORRUPT`, `DISK_FULL`, and as {@link Runtime.register}.
 */
export async function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { dir, clock = wallClock, entropy = systemEntropy } = options;
  const own = options.store === undefined;
  let runtime: Runtime | undefined;
  const store = options.store ?? (await ownStore(dir, clock, () => void runtime?.resume()));
  try {
    const quarantine = await Quarantine.open(store.meta, clock, entropy);
    runtime = new Runtime(store, quarantine, { ...options, clock, entropy }, own);
    for (const machine of options.machines ?? []) runtime.register(machine);
    await runtime.start();
    return runtime;
  } catch (error) {
    if (own) await store.close();
    throw error;
  }
}

/** Opens the store of a runtime's folder. `failed` hears why it stops. */
export async function openStore(dir: string, failed?: (error: IpdmError) => void): Promise<LevelStore> {
  const path = join(dir, "store");
  return await LevelStore.open({ path, hash: sha256, ...(failed === undefined ? {} : { failed }) });
}

async function ownStore(dir: string | undefined, clock: Clock, reopened: () => void): Promise<Store> {
  if (dir === undefined) return new MemoryStore({ hash: sha256 });
  return await ReopeningStore.open({
    clock,
    open: (failed) => openStore(dir, failed),
    hasRoom: () => hasRoom(join(dir, "store")),
    reopened,
  });
}

/** Durable actors over one store. Made by {@link createRuntime}. */
export class Runtime implements AsyncDisposable {
  readonly #store: Store;
  readonly #ownsStore: boolean;
  readonly #machines = new MachineRegistry(sha256);
  readonly #kernel: Kernel;
  readonly #host: Host;
  readonly #quarantine: Quarantine;
  readonly #log: Log;
  readonly #watchers = new Map<string, { readonly watchers: Watchers; seq: number }>();
  #closed = false;

  constructor(
    store: Store,
    quarantine: Quarantine,
    options: RuntimeOptions & Required<Pick<RuntimeOptions, "clock" | "entropy">>,
    ownsStore: boolean,
  ) {
    const { clock, entropy, log = quietLog, hotMax = HOT_ACTORS_MAX, checkpointEvery = CHECKPOINT_EVENTS } = options;
    this.#store = store;
    this.#ownsStore = ownsStore;
    this.#quarantine = quarantine;
    this.#log = log;
    this.#host = new Host({ store, clock, log, quarantine, hotMax, kernel: () => this.#kernel });
    this.#kernel = new Kernel(store, {
      hash: sha256,
      log,
      clock,
      entropy,
      checkpointEvery,
      machines: this.#machines.specs,
      deliver: (from, target, requests) => this.#host.deliver(from, target, requests),
      onDurable: (actor, seq) => this.#appended(actor, seq),
    });
  }

  /** Lets actors go on that have something to do by themselves. Called by {@link createRuntime}. */
  async start(): Promise<void> {
    await this.#host.start();
  }

  /** Lets actors go on after the store could take nothing for a time: those that it stopped come back from their journals. */
  async resume(): Promise<void> {
    if (this.#closed) return;
    this.#log.info("there is room on the disk again: actors go on");
    await this.#host.start().catch((error: unknown) => this.#log.warn(`actors could not go on: ${String(error)}`));
  }

  /**
   * Makes a machine known, and those of its children. Throws `MACHINE_UNSUPPORTED` with the reason and the place for what could not survive a
   * restart, `MACHINE_CONFLICT`, `MACHINE_NAME`, `ACTOR_EFFECT_MISSING`.
   */
  register(machine: DurableMachine | AnyStateMachine): void {
    this.#add(machine);
  }

  /**
   * A new actor, or the one of this id that the store remembers, with the input that it was born with. Resolves when it is durable. Throws
   * as {@link register}; `ACTOR_ID`, `ACTOR_EVENT_NOT_PLAIN` (the input), `ACTOR_QUARANTINED`, `ACTOR_EXISTS` where the id is
   * another machine's.
   */
  async spawn<M extends AnyStateMachine>(
    machine: MachineOf<M>,
    options: { readonly id: string } & InputOf<M>,
  ): Promise<DurableActor<M>> {
    this.#check();
    const spec = this.#add(machine);
    const { id, input } = options as { readonly id: string; readonly input?: unknown };
    const actor = await this.#host.spawn({ id, machine: spec, input });
    const { name } = actor.progress.machine.identity;
    if (name !== spec.name)
      throw new IpdmError("ACTOR_EXISTS", `actor ${id} is there already, of machine ${name} and not ${spec.name}`, {
        kind: "conflict",
        where: id,
      });
    return this.#handle<M>(id);
  }

  /** An actor that the store remembers; nothing is read before it is used. `machine` only says of which type it is. */
  actor<M extends AnyStateMachine = AnyStateMachine>(id: string, _machine?: MachineOf<M>): DurableActor<M> {
    this.#check();
    return this.#handle<M>(id);
  }

  /** Ids of all actors, sorted, whether in memory or not. */
  async actors(): Promise<readonly string[]> {
    this.#check();
    return await this.#store.actors();
  }

  /** Ids of the actors that are in memory at this moment. */
  hot(): readonly string[] {
    return this.#host.hot;
  }

  /** Actors that are left alone because they could not be run, and why. */
  quarantined(): readonly Quarantined[] {
    return this.#quarantine.list();
  }

  /** Lets a quarantined actor run again. */
  async release(id: string): Promise<void> {
    await this.#quarantine.release(id);
  }

  /** Ends it in order: effects are aborted and begin again at the next start; what was acknowledged is safe. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#host.close();
    await this.#kernel.close();
    for (const { watchers } of this.#watchers.values()) watchers.notify();
    if (this.#ownsStore) await this.#store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #handle<M extends AnyStateMachine>(id: string): DurableActor<M> {
    return new DurableActor<M>(id, { host: this.#host, store: this.#store, appended: this.#waiter(id) });
  }

  #appended(actor: string, seq: number): void {
    this.#quarantine.recovered(actor);
    const followed = this.#watchers.get(actor);
    if (followed === undefined) return;
    followed.seq = seq;
    followed.watchers.notify();
  }

  #waiter(id: string): Appended {
    return async (seq, signal) => {
      let followed = this.#watchers.get(id);
      if (followed === undefined) this.#watchers.set(id, (followed = { watchers: new Watchers(), seq: 0 }));
      const { watchers } = followed;
      // What became durable before anybody followed is in the store.
      const head = this.#closed ? undefined : await this.#store.head(id);
      followed.seq = Math.max(followed.seq, head?.seq ?? 0);
      const newest = followed;
      try {
        await watchers.watch(
          () => newest.seq > seq,
          () => (this.#closed ? closed() : undefined),
          signal,
        );
      } finally {
        if (watchers.empty && this.#watchers.get(id) === newest) this.#watchers.delete(id);
      }
    };
  }

  #add(machine: DurableMachine | AnyStateMachine): MachineSpec {
    const before = this.#machines.specs.length;
    const spec = this.#machines.add(machine);
    if (this.#machines.specs.length > before) this.#host.moreMachines();
    return spec;
  }

  #check(): void {
    if (this.#closed) throw closed();
  }
}

function closed(): IpdmError {
  return new IpdmError("ACTOR_CLOSED", "the runtime is closed");
}
