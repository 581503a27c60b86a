import type { RequestRecord } from "../journal/port.ts";

/** What an effect answers: an event for the machine. The kernel adds `request`, the id of the request that it answers. */
export interface OutcomeEvent {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What an effect may use besides its request. */
export interface EffectContext {
  /** Aborted when the actor is closed or faulted, the time is up, or the state that asked was left; what comes after is dropped. */
  readonly signal: AbortSignal;
  /** Sends a further event to the actor; resolves when it is durable. */
  emit(event: OutcomeEvent): Promise<void>;
}

/**
 * Carries out a request. It runs at least once for every request, with the same id, so what it touches must be idempotent by
 * that id. `undefined` settles the request without an event; a rejection becomes a `failed` event.
 */
export type Effect = (request: RequestRecord, context: EffectContext) => Promise<OutcomeEvent | undefined>;

/** Carries out a named promise of a machine: what it resolves with is the promise's output. Otherwise as {@link Effect}. */
export type PromiseEffect = (request: RequestRecord, context: EffectContext) => Promise<unknown>;

/** How often, and with which pauses, a failing effect is tried. A pause doubles from attempt to attempt; half of it is random. */
export interface RetryPolicy {
  /** Attempts in all, the first one included. */
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly maxDelayMs: number;
  /** An error that another attempt cannot help. */
  readonly unless?: (error: unknown) => boolean;
}

/** An effect and how it is treated. Attempts and pauses are journalled, so that a restart goes on counting where it was. */
export interface EffectPolicy {
  readonly run: Effect | PromiseEffect;
  readonly retry?: RetryPolicy;
  /** How long one attempt may take, in milliseconds; longer ones fail with `EFFECT_TIMEOUT`. */
  readonly timeoutMs?: number;
  /**
   * What happens after the last attempt: `failed` tells the machine (a `failed` event, or the promise's error); `dead-letter` leaves the
   * request open for a person to look at and try again. Without it `dead-letter` where there is a retry policy, else `failed`.
   */
  readonly exhausted?: "failed" | "dead-letter";
}

/** An effect, plain or with its policy. */
export type EffectSpec = Effect | PromiseEffect | EffectPolicy;

/** The effect with its policy. */
export function policyOf(spec: EffectSpec): EffectPolicy {
  return typeof spec === "function" ? { run: spec } : spec;
}

/**
 * The pause before the next attempt, in milliseconds; `undefined` when there is none. `failures` counts attempts that failed, `random` is of
 * [0, 1).
 */
export function retryDelay(policy: RetryPolicy, failures: number, random: number): number | undefined {
  if (failures >= policy.attempts) return undefined;
  return backOff(policy, failures, random);
}

/** A pause that doubles with every failure, half of it random, so that what failed together does not come back together. */
export function backOff(
  pauses: { readonly firstDelayMs: number; readonly maxDelayMs: number },
  failures: number,
  random: number,
): number {
  const full = Math.min(pauses.maxDelayMs, pauses.firstDelayMs * 2 ** Math.min(failures - 1, 52));
  return Math.round(full / 2 + (full / 2) * random);
}
