import { hasCode, IpdmError } from "../core/errors.ts";
import type { Clock, Log } from "../core/ports.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord, Store } from "../journal/port.ts";
import type { Actor } from "./actor.ts";
import { wakeOf } from "./entry-writer.ts";
import { Gate } from "./gate.ts";
import type { ActorSpec, Kernel } from "./kernel.ts";
import { messageEvent, stoppedEvent } from "./kernel-event.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import type { Progress } from "./progress.ts";
import type { Quarantine } from "./quarantine.ts";
import { WakeQueue } from "./wake-queue.ts";

/** Actors looked at in one turn when room is wanted among the hot ones. */
const CANDIDATES_MAX = 512;

/** Actors that are brought back at once when many wake together. */
const WAKING_MAX = 64;

/** Actors that are read from the store at once: what many of them need meanwhile would otherwise be there for all of them together. */
const RESUMING_MAX = 128;

/** Codes of what is wrong with a call, and not with the actor. */
const NO_FAULTS = ["ACTOR_UNKNOWN", "ACTOR_ID", "ACTOR_EXISTS", "ACTOR_CLOSED"] as const;

/** What a host works with. `kernel` and host know each other: the kernel's actors send through {@link Host.deliver}. */
export interface HostPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly quarantine: Quarantine;
  /** Actors held in memory, while the others are idle enough to go. */
  readonly hotMax: number;
  kernel(): Kernel;
}

/**
 * Keeps as many actors in memory as there is room for, and brings the others back when something is for them: an event, a message, a
 * timer. Actors that fault come back after a pause, or are left alone.
 */
export class Host {
  readonly #ports: HostPorts;
  /** In the order of use, the least recent first. */
  readonly #hot = new Map<string, Actor>();
  readonly #opening = new Map<string, Promise<Actor>>();
  readonly #resuming = new Gate(RESUMING_MAX);
  readonly #wakes: WakeQueue;
  readonly #due: string[] = [];
  /** Actors that were to be brought back, and whose machine is not here. */
  readonly #waiting = new Set<string>();
  #waking = 0;
  #roomWanted = false;
  readonly #ending = Promise.withResolvers<void>();
  #closed = false;

  constructor(ports: HostPorts) {
    this.#ports = ports;
    this.#wakes = new WakeQueue(ports.clock, (actor) => this.#awake(actor));
  }

  /** Actors in memory. */
  get hot(): readonly string[] {
    return [...this.#hot.keys()];
  }

  /** Brings back actors that have something to do by themselves, now or later. Takes as long as there are of them. */
  async start(): Promise<void> {
    const wakes = await this.#ports.store.wakes();
    if (this.#closed) return;
    for (const { actor, at } of wakes) this.#wakes.set(actor, at);
  }

  /** An actor, in memory. Rejects with `ACTOR_UNKNOWN`, `ACTOR_QUARANTINED`, and as {@link Kernel.resume}. */
  async actor(id: string): Promise<Actor> {
    return this.#running(id) ?? (await this.#open(id, () => this.#resume(id)));
  }

  /** The actor, where it is in memory; it counts as used. */
  #running(id: string): Actor | undefined {
    const hot = this.#hot.get(id);
    if (hot?.status !== "running") return undefined;
    this.#hot.delete(id);
    this.#hot.set(id, hot);
    return hot;
  }

  /** A new actor, or the one that its journal remembers. */
  async spawn(spec: Omit<ActorSpec, "effects">): Promise<Actor> {
    const { id } = spec;
    if (this.#hot.get(id)?.status === "running") return await this.actor(id);
    if ((await this.#ports.store.head(id)) !== undefined) return await this.actor(id);
    const effects = spec.machine.effects ?? {};
    return await this.#open(id, () => this.#ports.kernel().spawn({ ...spec, effects, indexed: true }));
  }

  /** There are more machines than before: actors that had none may have theirs now. */
  moreMachines(): void {
    for (const id of this.#waiting) this.#wakes.set(id, 0);
    this.#waiting.clear();
  }

  /** Does something with an actor, once more where it has left the memory meanwhile. */
  async with<T>(id: string, work: (actor: Actor) => Promise<T>): Promise<T> {
    for (;;) {
      const actor = this.#running(id) ?? (await this.actor(id));
      try {
        return await work(actor);
      } catch (error) {
        if (!hasCode(error, "ACTOR_PASSIVATED")) throw error;
      }
    }
  }

  /** Carries messages of an actor: each is taken once, in order; a message behind one that was not taken is not taken either. */
  async deliver(
    from: Progress,
    target: string,
    requests: readonly RequestRecord[],
  ): Promise<readonly PromiseSettledResult<unknown>[]> {
    try {
      if (requests[0]?.type === KERNEL_REQUEST.spawn)
        return await Promise.allSettled(requests.map((request) => this.#bear(from, target, request)));
      const actor = await this.actor(target);
      return await Promise.allSettled(requests.map((request) => receive(actor, from.actor, request)));
    } catch (reason) {
      return requests.map(() => ({ status: "rejected", reason }));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#ending.resolve();
    this.#wakes.close();
    await Promise.allSettled(this.#opening.values());
  }

  async #bear(from: Progress, id: string, request: RequestRecord): Promise<void> {
    const { id: child, src, input } = record(request.params) ?? {};
    const machine = from.machine.spec.children?.[String(src)];
    if (machine === undefined)
      throw new IpdmError(
        "MACHINE_VERSION_MISSING",
        `no machine for the children ${String(src)} of ${from.actor} is here`,
        {
          where: from.actor,
        },
      );
    await this.spawn({ id, machine, input, parent: { actor: from.actor, child: String(child) } });
  }

  #open(id: string, make: () => Promise<Actor>): Promise<Actor> {
    const before = this.#opening.get(id);
    if (before !== undefined) return before;
    const opening = this.#make(id, make).finally(() => this.#opening.delete(id));
    this.#opening.set(id, opening);
    return opening;
  }

  async #make(id: string, make: () => Promise<Actor>): Promise<Actor> {
    const { quarantine } = this.#ports;
    quarantine.check(id);
    const pause = quarantine.pause(id);
    if (pause > 0) await this.#pause(pause);
    // An actor that has just left is still known to the kernel until its end is told.
    await this.#hot.get(id)?.closed;
    if (this.#closed)
      throw new IpdmError("ACTOR_CLOSED", `the runtime is closed; actor ${id} was not started`, { where: id });
    const actor = await make();
    this.#wakes.delete(id);
    this.#hot.set(id, actor);
    actor.onFault((fault) => void this.#judge(id, fault).catch((error: unknown) => this.#warn(id, error)));
    void actor.closed.then(() => {
      if (this.#hot.get(id) === actor) this.#hot.delete(id);
    });
    this.#wantRoom();
    return actor;
  }

  async #resume(id: string): Promise<Actor> {
    try {
      return await this.#resuming.pass(() => this.#ports.kernel().resume(id));
    } catch (error) {
      const isFault = error instanceof IpdmError && !NO_FAULTS.some((code) => hasCode(error, code));
      if (isFault) await this.#judge(id, error);
      throw error;
    }
  }

  /** Waits, and no longer than until the end. */
  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const take = this.#ports.clock.after(ms, resolve);
    await Promise.race([promise, this.#ending.promise]);
    take();
  }

  async #judge(id: string, fault: IpdmError): Promise<void> {
    if (this.#closed) return;
    const { quarantine, log } = this.#ports;
    const verdict = await quarantine.fault(id, fault);
    if (verdict.kind === "again") this.#wakes.set(id, verdict.at);
    if (verdict.kind === "machines") this.#waiting.add(id);
    if (verdict.kind === "quarantine")
      log.warn(`actor ${id} is left alone: ${fault.message}`, { actor: id, code: fault.code });
  }

  // One turn later: whoever asked for an actor has given it its event by then, and it does not count as idle.
  #wantRoom(): void {
    if (this.#roomWanted || this.#hot.size <= this.#ports.hotMax) return;
    this.#roomWanted = true;
    setImmediate(() => {
      this.#roomWanted = false;
      this.#makeRoom();
    });
  }

  #makeRoom(): void {
    let over = this.#hot.size - this.#ports.hotMax;
    if (over <= 0 || this.#closed) return;
    let seen = 0;
    let left = 0;
    for (const [id, actor] of this.#hot) {
      if (over <= 0 || (seen += 1) > CANDIDATES_MAX) break;
      this.#hot.delete(id);
      if (!actor.idle) {
        this.#hot.set(id, actor); // what is at work counts as used
        continue;
      }
      over -= 1;
      left += 1;
      const wake = wakeOf(actor.progress);
      if (wake !== null) this.#wakes.set(id, wake);
      const end = new IpdmError("ACTOR_PASSIVATED", `actor ${id} has left the memory`, { where: id, retry: "now" });
      void actor.close(end);
    }
    if (over > 0 && left > 0) this.#wantRoom();
  }

  #awake(id: string): void {
    this.#due.push(id);
    void this.#wakeDue();
  }

  async #wakeDue(): Promise<void> {
    if (this.#waking >= WAKING_MAX) return;
    this.#waking += 1;
    for (let id = this.#due.shift(); id !== undefined && !this.#closed; id = this.#due.shift())
      await this.actor(id).catch((error: unknown) => this.#warn(String(id), error));
    this.#waking -= 1;
  }

  #warn(id: string, error: unknown): void {
    if (!this.#closed) this.#ports.log.warn(`actor ${id} could not be brought back: ${String(error)}`, { actor: id });
  }
}

function receive(actor: Actor, from: string, request: RequestRecord): Promise<void> {
  const { event } = record(request.params) ?? {};
  const taken =
    request.type === KERNEL_REQUEST.stop
      ? stoppedEvent(from, request.id)
      : messageEvent(from, request.id, event as Parameters<typeof messageEvent>[2]);
  return actor.receive(from, request.id, taken);
}
