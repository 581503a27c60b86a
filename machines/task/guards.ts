import type { CertifiedEvent, ExecutedEvent, OfferedEvent, PulledEvent, RecordedEvent } from "./events.ts";
import type { TaskContext } from "./step.ts";
import { isComplete } from "./step.ts";

/** The piece is the one that was asked for. */
export function pullFits(context: TaskContext, event: PulledEvent): boolean {
  return context.pulling && event.seq === context.nextSeq && !context.ended;
}

/** Offers are taken in sequence, by voters, while there is room; others are repeated by whoever sent them. */
export function offerFits(context: TaskContext, event: OfferedEvent): boolean {
  return (
    context.role === "voter" && event.seq === context.nextSeq && !context.ended && context.open.length < context.openMax
  );
}

/** The slot is the oldest that is open and not yet executed: execution follows the sequence. */
export function awaitsExecution(context: TaskContext, event: ExecutedEvent): boolean {
  return context.executing && context.open.find((slot) => slot.statement === null)?.seq === event.seq;
}

/** The slot is open and has no certificate yet: certificates may be told more than once. */
export function awaitsCertificate(context: TaskContext, event: CertifiedEvent): boolean {
  return context.open.some((slot) => slot.seq === event.seq && slot.certificate === null);
}

/** The record is that of the oldest open slot, and was asked for. */
export function awaitsRecord(context: TaskContext, event: RecordedEvent): boolean {
  return context.recording && context.open[0]?.seq === event.seq;
}

/** See {@link isComplete}. */
export function complete(context: TaskContext): boolean {
  return isComplete(context);
}
