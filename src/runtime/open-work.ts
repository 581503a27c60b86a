import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import { type EffectPorts, EffectRunner } from "./effect-runner.ts";
import { doneEvent, firedEvent, KERNEL_EVENT, restartedEvent } from "./kernel-event.ts";
import { promiseOf } from "./machine-logic.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import { type Deliver, Outbox } from "./outbox.ts";
import type { Progress } from "./progress.ts";
import { Timers } from "./timers.ts";

/** What an actor's open work needs. */
interface WorkPorts extends EffectPorts {
  readonly deliver: Deliver;
  /** The input that the actor was born with. */
  input(): Promise<Ipld>;
}

/** The open requests of one actor, at work: effects, timers, and messages to other actors. */
export class OpenWork {
  readonly #ports: WorkPorts;
  readonly #effects: EffectRunner;
  readonly #outbox: Outbox;
  readonly #timers: Timers;

  /** The work of an actor that is so far. */
  static of(progress: Progress, ports: Omit<WorkPorts, "actor" | "promise" | "attempts">): OpenWork {
    return new OpenWork({
      ...ports,
      actor: progress.actor,
      promise: (src) => promiseOf(progress.machine.spec.machine, src),
      attempts: (request) => progress.books.attempts.get(request),
    });
  }

  private constructor(ports: WorkPorts) {
    this.#ports = ports;
    const { actor, clock, entropy, log, deliver } = ports;
    this.#effects = new EffectRunner(ports);
    this.#timers = new Timers(clock);
    const done = (request: string): void => this.#answer(request, doneEvent(request));
    this.#outbox = new Outbox({ actor, clock, entropy, log, deliver, done });
  }

  /** True while something runs that a pause would have to begin again. */
  get busy(): boolean {
    return this.#effects.busy || !this.#outbox.empty;
  }

  /** Starts an open request whose entry is durable. */
  start(request: RequestRecord): void {
    const { id, type, params } = request;
    switch (type) {
      case KERNEL_REQUEST.after:
        return this.#timers.set(id, Number(record(params)?.["due"]), () => this.#answer(id, firedEvent(id)));
      case KERNEL_EVENT.restarted:
        return this.#timers.set(id, Number(record(params)?.["due"]), () => void this.#restart(id));
      case KERNEL_REQUEST.spawn:
        return this.#outbox.post(String(record(params)?.["actor"]), request);
      case KERNEL_REQUEST.send:
      case KERNEL_REQUEST.stop:
        return this.#outbox.post(String(record(params)?.["to"]), request);
      default:
        this.#effects.start(request);
    }
  }

  cancel(request: string, reason: Error): void {
    this.#timers.cancel(request);
    this.#effects.cancel(request, reason);
  }

  close(reason: Error): void {
    this.#timers.close();
    this.#outbox.close();
    this.#effects.close(reason);
  }

  async #restart(request: string): Promise<void> {
    const input = await this.#ports.input().catch(() => undefined);
    if (input !== undefined) this.#answer(request, restartedEvent(request, input));
  }

  #answer(request: string, event: Ipld): void {
    void this.#ports.answer(request, event).catch(() => {}); // the actor has ended, and says so itself
  }
}
