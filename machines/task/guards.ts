import type { CertifiedEvent, ExecutedEvent, OfferedEvent, RecordedEvent } from "./events.ts";
import type { TaskContext } from "./step.ts";
import { isComplete } from "./step.ts";

/** Offers are taken in sequence, by voters, while there is room; others are repeated by whoever sent them. */
export function offerFits(context: TaskContext, event: OfferedEvent): boolean {
  return context.role === "voter" && event.seq === context.nextSeq && !context.ended && context.open.length < context.openMax;
}

/** The slot is open and not yet executed. */
export function awaitsExecution(context: TaskContext, event: ExecutedEvent): boolean {
  return context.open.some((slot) => slot.seq === event.seq && slot.statement === null);
}

/** The slot is open and has no certificate yet: certificates may be told more than once. */
export function awaitsCertificate(context: TaskContext, event: CertifiedEvent): boolean {
  return context.open.some((slot) => slot.seq === event.seq && slot.certificate === null);
}

/** The record is that of the oldest open slot. */
export function awaitsRecord(context: TaskContext, event: RecordedEvent): boolean {
  return context.open[0]?.seq === event.seq;
}

/** See {@link isComplete}. */
export function complete(context: TaskContext): boolean {
  return isComplete(context);
}
