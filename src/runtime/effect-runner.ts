import { IpdmError } from "../core/errors.ts";
import type { Clock, Entropy, Log } from "../core/ports.ts";
import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import type { RequestRecord } from "../journal/port.ts";
import type { Attempts } from "./bookkeeping.ts";
import { type EffectPolicy, type EffectSpec, type OutcomeEvent, policyOf, retryDelay } from "./effect.ts";
import { deadEvent, doneEvent, errorEvent, resultEvent, retryEvent } from "./kernel-event.ts";
import { plainError } from "./machine.ts";
import { type PromiseCode, promiseArgs } from "./machine-logic.ts";
import { KERNEL_REQUEST } from "./machine-requests.ts";
import { plainOf } from "./plain-data.ts";
import { checkEvent, describedError, failedEvent } from "./request.ts";

/** What carries out an actor's requests works with. */
export interface EffectPorts {
  readonly actor: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly log: Log;
  readonly effects: Readonly<Record<string, EffectSpec>>;
  /** The code of a named promise of the machine, where no effect has its name. */
  promise(src: string): PromiseCode | undefined;
  attempts(request: string): Attempts | undefined;
  /** Journals an event about a request; resolves when it is durable, rejects when the actor has ended. */
  answer(request: string, event: Ipld): Promise<unknown>;
  emit(event: OutcomeEvent): Promise<void>;
}

/** Carries out an actor's effects: attempts with their pauses, time limits, and what becomes of the last failure. */
export class EffectRunner {
  readonly #ports: EffectPorts;
  readonly #running = new Map<string, AbortController>();
  /** Of those running, the ones between two attempts. */
  readonly #paused = new Set<string>();

  constructor(ports: EffectPorts) {
    this.#ports = ports;
  }

  /** True while code of an effect runs. */
  get busy(): boolean {
    return this.#running.size > this.#paused.size;
  }

  /** Starts an open request, or goes on with it where its attempts had come. */
  start(request: RequestRecord): void {
    if (this.#running.has(request.id)) return;
    const attempts = this.#ports.attempts(request.id);
    if (attempts !== undefined && attempts.due === undefined) return; // it waits for a person
    const control = new AbortController();
    this.#running.set(request.id, control);
    void this.#perform(request, control).finally(() => this.#running.delete(request.id));
  }

  /** Calls a request off: its effect is aborted, and what it answers is dropped. */
  cancel(request: string, reason: Error): void {
    this.#running.get(request)?.abort(reason);
  }

  close(reason: Error): void {
    for (const control of this.#running.values()) control.abort(reason);
  }

  /** Never rejects. */
  async #perform(request: RequestRecord, control: AbortController): Promise<void> {
    const { signal } = control;
    const { actor, log } = this.#ports;
    try {
      for (;;) {
        const attempts = this.#ports.attempts(request.id);
        if (attempts?.due !== undefined) await this.#pause(request.id, attempts.due, signal);
        if (signal.aborted) return;
        const answer = await this.#attempt(request, attempts?.failed ?? 0, signal);
        if (signal.aborted) return;
        await this.#ports.answer(request.id, answer.event);
        if (!answer.again) return;
      }
    } catch (error) {
      // The actor has ended, and says so itself; or the request was called off between two attempts.
      if (!signal.aborted) log.debug(`request ${request.id} of ${actor} ended: ${String(error)}`, { actor });
    }
  }

  async #attempt(
    request: RequestRecord,
    failed: number,
    signal: AbortSignal,
  ): Promise<{ readonly event: Ipld; readonly again: boolean }> {
    const policy = this.#policy(request);
    try {
      const outcome = await this.#run(request, policy, signal);
      return { event: this.#settledBy(request, outcome), again: false };
    } catch (error) {
      if (!signal.aborted) this.#warn(request, error);
      return this.#failure(request, policy, failed + 1, error);
    }
  }

  #policy(request: RequestRecord): EffectPolicy {
    const name = nameOf(request);
    const spec = Object.hasOwn(this.#ports.effects, name) ? this.#ports.effects[name] : undefined;
    if (spec !== undefined) return policyOf(spec);
    const run = request.type === KERNEL_REQUEST.invoke ? this.#ports.promise(name) : undefined;
    if (run !== undefined)
      return { run: async ({ params }, { signal }) => await run(promiseArgs(record(params)?.["input"], signal)) };
    return {
      run: async () => {
        throw new IpdmError("ACTOR_EFFECT_MISSING", `no effect for request ${name}`);
      },
    };
  }

  async #run(request: RequestRecord, policy: EffectPolicy, signal: AbortSignal): Promise<unknown> {
    const { timeoutMs } = policy;
    const emit = (event: OutcomeEvent): Promise<void> => this.#ports.emit(event);
    if (timeoutMs === undefined) return await policy.run(request, { signal, emit });
    const limit = new AbortController();
    const late = Promise.withResolvers<never>();
    late.promise.catch(() => {});
    const timeUp = this.#ports.clock.after(timeoutMs, () => {
      const error = new IpdmError("EFFECT_TIMEOUT", `request ${request.id} took longer than ${timeoutMs} ms`, {
        where: request.id,
        retry: "later",
      });
      limit.abort(error);
      late.reject(error);
    });
    try {
      const either = AbortSignal.any([signal, limit.signal]);
      return await Promise.race([policy.run(request, { signal: either, emit }), late.promise]);
    } finally {
      timeUp();
    }
  }

  #settledBy(request: RequestRecord, outcome: unknown): Ipld {
    const { actor } = this.#ports;
    if (request.type !== KERNEL_REQUEST.invoke)
      return outcome === undefined
        ? doneEvent(request.id)
        : checkEvent(actor, { ...(outcome as OutcomeEvent), request: request.id });
    const output = plainOf(outcome ?? null);
    if (output.ok) return resultEvent(request.id, output.value);
    throw new IpdmError(
      "ACTOR_EVENT_NOT_PLAIN",
      `the output of ${request.id} holds ${output.reason} at ${output.path}`,
      {
        where: request.id,
        hint: "resolve with JSON-like values, byte arrays and CIDs only",
      },
    );
  }

  #failure(
    request: RequestRecord,
    policy: EffectPolicy,
    failed: number,
    error: unknown,
  ): { readonly event: Ipld; readonly again: boolean } {
    const { clock, entropy } = this.#ports;
    const { retry, exhausted = retry === undefined ? "failed" : "dead-letter" } = policy;
    const helpless = retry?.unless?.(error) === true;
    const pause = retry === undefined || helpless ? undefined : retryDelay(retry, failed, entropy());
    if (pause !== undefined)
      return { event: retryEvent(request.id, failed, clock.now() + pause, describedError(error)), again: true };
    if (exhausted === "dead-letter")
      return { event: deadEvent(request.id, failed, describedError(error)), again: false };
    const told =
      request.type === KERNEL_REQUEST.invoke
        ? errorEvent(request.id, plainError(error))
        : failedEvent(request.id, error);
    return { event: told, again: false };
  }

  async #pause(request: string, due: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    this.#paused.add(request);
    try {
      for (let left = due - clock.now(); left > 0 && !signal.aborted; left = due - clock.now()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const take = clock.after(left, resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
        await promise;
        take();
      }
    } finally {
      this.#paused.delete(request);
    }
  }

  #warn(request: RequestRecord, error: unknown): void {
    const { log, actor } = this.#ports;
    log.warn(`request ${nameOf(request)} of ${actor} failed`, { request: request.id, error: String(error) });
  }
}

/** The name under which an effect is looked up: a request's type, or the name of the promise's source. */
function nameOf(request: RequestRecord): string {
  if (request.type !== KERNEL_REQUEST.invoke) return request.type;
  return String(record(request.params)?.["src"]);
}
