/**
 * Durable actors (`ipdm-runtime/actors`): XState machines whose events are journalled before they count, so that timers, children and
 * effects go on after a crash where they were. See docs/reference/actors.md.
 */

export { hasCode, IpdmError } from "../core/errors.ts";
export type { Clock, Entropy, Log } from "../core/ports.ts";
export type { ActorState } from "../journal/checkpoint.ts";
export type { RequestRecord } from "../journal/port.ts";
export type { Attempts } from "./bookkeeping.ts";
export type { DurableSnapshot, OpenRequest, Outcome } from "./durable-actor.ts";
export { DurableActor } from "./durable-actor.ts";
export type { ActionEffect, DurableMachine, DurableOptions, EffectsOf, SourceEffect } from "./durable-machine.ts";
export { durable } from "./durable-machine.ts";
export type { EffectContext, RetryPolicy } from "./effect.ts";
export type { JournalEvent } from "./event-stream.ts";
export { EventStream } from "./event-stream.ts";
export type { FailurePolicy } from "./machine.ts";
export type { Quarantined } from "./quarantine.ts";
export type { RuntimeOptions } from "./runtime.ts";
export { createRuntime, Runtime } from "./runtime.ts";
