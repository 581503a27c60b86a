import type { Clock, Entropy, Log } from "../core/ports.ts";
import type { RequestRecord } from "../journal/port.ts";
import { backOff } from "./effect.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";

/** Pauses before a message is tried again whose receiver cannot take it. */
const PAUSES = { firstDelayMs: 50, maxDelayMs: 30_000 };

/** Carries messages to other actors. Resolves each with whether it is durable there. */
export type Deliver = (
  target: string,
  requests: readonly RequestRecord[],
) => Promise<readonly PromiseSettledResult<unknown>[]>;

/** What an outbox works with. */
export interface OutboxPorts {
  readonly actor: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly deliver: Deliver;
  /** The request is carried out. */
  done(request: string): void;
}

interface Lane {
  readonly waiting: RequestRecord[];
  running: boolean;
}

/**
 * An actor's messages to others. Those for one receiver arrive in the order in which they were asked for, each taken once: a message
 * that could not be delivered holds back what comes after it, and is tried again until it is.
 */
export class Outbox {
  readonly #ports: OutboxPorts;
  readonly #lanes = new Map<string, Lane>();
  readonly #pauses = new Set<() => void>();
  #closed = false;

  constructor(ports: OutboxPorts) {
    this.#ports = ports;
  }

  get empty(): boolean {
    return this.#lanes.size === 0;
  }

  post(target: string, request: RequestRecord): void {
    let lane = this.#lanes.get(target);
    if (lane === undefined) this.#lanes.set(target, (lane = { waiting: [], running: false }));
    lane.waiting.push(request);
    if (!lane.running) void this.#run(target, lane);
  }

  close(): void {
    this.#closed = true;
    for (const end of this.#pauses) end();
  }

  async #run(target: string, lane: Lane): Promise<void> {
    lane.running = true;
    let failures = 0;
    while (lane.waiting.length > 0 && !this.#closed) {
      const batch = batchOf(lane.waiting);
      const results = await this.#ports.deliver(target, batch);
      if (this.#closed) return;
      const failed = results.findIndex(({ status }) => status === "rejected");
      const delivered = failed === -1 ? batch.length : failed;
      for (const request of lane.waiting.splice(0, delivered)) this.#ports.done(request.id);
      if (failed === -1) failures = 0;
      else await this.#pause((failures += 1), target, results[failed] as PromiseRejectedResult);
    }
    this.#lanes.delete(target);
  }

  async #pause(failures: number, target: string, { reason }: PromiseRejectedResult): Promise<void> {
    const { clock, entropy, log, actor } = this.#ports;
    log.debug(`a message of ${actor} to ${target} waits: ${String(reason)}`, { actor, target });
    await new Promise<void>((resolve) => {
      const take = clock.after(backOff(PAUSES, failures, entropy()), end);
      const pauses = this.#pauses;
      pauses.add(end);
      function end(): void {
        take();
        pauses.delete(end);
        resolve();
      }
    });
  }
}

// A child has to be there before anything is said to it.
function batchOf(waiting: readonly RequestRecord[]): readonly RequestRecord[] {
  const isSpawn = (request: RequestRecord): boolean => request.type === KERNEL_REQUEST.spawn;
  const spawn = waiting.findIndex(isSpawn);
  if (spawn === 0) return waiting.slice(0, 1);
  return spawn === -1 ? waiting.slice() : waiting.slice(0, spawn);
}
