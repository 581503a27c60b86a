import type { ClaimedEvent, CompletedEvent, ObservedEvent } from "./events.ts";
import type { DomainContext } from "./step.ts";
import { isFor } from "./step.ts";

/** Pieces of evidence a run keeps; more would only fill the journal. */
export const EVIDENCE_MAX = 256;

/** A claim may be told more than once: it counts while no ballot is open for its slot. */
export function isNewClaim(context: DomainContext, event: ClaimedEvent): boolean {
  return !context.ballots.some((ballot) => isFor(ballot, event));
}

/** The task belongs to the run and was not complete before. */
export function isNewCompletion(context: DomainContext, event: CompletedEvent): boolean {
  return context.tasks.includes(event.task) && context.completed[event.task] === undefined;
}

/** There is room for evidence. */
export function keepsEvidence(context: DomainContext, _event: ObservedEvent): boolean {
  return context.evidence < EVIDENCE_MAX;
}
