import type { BallotedEvent, CertifiedEvent, ClaimedEvent, CompletedEvent, ObservedEvent } from "./events.ts";
import type { DomainContext } from "./step.ts";
import { isFor } from "./step.ts";

/** Pieces of evidence a run keeps; more would only fill the journal. */
export const EVIDENCE_MAX = 256;

/** A claim may be told more than once: it counts while no ballot is open for its slot. */
export function isNewClaim(context: DomainContext, event: ClaimedEvent): boolean {
  return !context.ballots.some((ballot) => isFor(ballot, event));
}

/** A ballot is open for the slot and has no vote yet: the first vote stands. */
export function awaitsVote(context: DomainContext, event: BallotedEvent): boolean {
  return context.ballots.some((ballot) => isFor(ballot, event) && ballot.vote === null);
}

/** This node voted in the slot's ballot, which is still open. */
export function awaitsCertificate(context: DomainContext, event: CertifiedEvent): boolean {
  return context.ballots.some((ballot) => isFor(ballot, event) && ballot.vote !== null);
}

/** The task belongs to the run and was not complete before. */
export function isNewCompletion(context: DomainContext, event: CompletedEvent): boolean {
  return context.tasks.includes(event.task) && context.completed[event.task] === undefined;
}

/** There is room for evidence. */
export function keepsEvidence(context: DomainContext, _event: ObservedEvent): boolean {
  return context.evidence < EVIDENCE_MAX;
}
