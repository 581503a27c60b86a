import { IpdmError } from "../core/errors.ts";
import type { Ipld } from "../dag/block.ts";
import { record } from "../journal/entry.ts";
import { KERNEL_EVENT } from "./kernel-event.ts";

/** Those who wait for the outcomes of requests. */
export class Outcomes {
  /** Made when somebody waits. */
  #all: Map<string, PromiseWithResolvers<Ipld>[]> | undefined;

  /** True while nobody waits. */
  get empty(): boolean {
    return this.#all === undefined || this.#all.size === 0;
  }

  /** The event that settles the request. Rejects with `EFFECT_DEAD` when its last attempt fails, `EFFECT_CANCELLED` when it is called off. */
  of(request: string): Promise<Ipld> {
    const waiter = Promise.withResolvers<Ipld>();
    const all = (this.#all ??= new Map<string, PromiseWithResolvers<Ipld>[]>());
    const waiting = all.get(request);
    if (waiting === undefined) all.set(request, [waiter]);
    else waiting.push(waiter);
    return waiter.promise;
  }

  /** An event about requests is durable. */
  tell(event: Ipld): void {
    if (this.empty) return;
    const { type, request, error } = record(event) ?? {};
    if (typeof request !== "string" || type === KERNEL_EVENT.retry || type === KERNEL_EVENT.revived) return;
    if (type === KERNEL_EVENT.dead)
      this.#reject(
        request,
        new IpdmError("EFFECT_DEAD", `request ${request} failed for good: ${said(error)}`, {
          where: request,
          hint: "look at it with `ipdm-runtime actors show`, and try it again with `actors retry`",
          facts: { request, error },
        }),
      );
    else this.#take(request, (waiter) => waiter.resolve(event));
  }

  cancelled(request: string, reason: Error): void {
    this.#reject(request, reason);
  }

  fail(error: Error): void {
    if (this.#all !== undefined) for (const request of [...this.#all.keys()]) this.#reject(request, error);
  }

  #reject(request: string, error: Error): void {
    this.#take(request, (waiter) => waiter.reject(error));
  }

  #take(request: string, settle: (waiter: PromiseWithResolvers<Ipld>) => void): void {
    const waiting = this.#all?.get(request);
    if (waiting === undefined) return;
    this.#all?.delete(request);
    for (const waiter of waiting) settle(waiter);
  }
}

function said(error: unknown): string {
  const { message } = record(error) ?? {};
  return typeof message === "string" ? message : "no reason given";
}
