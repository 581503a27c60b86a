import type { SealedEvent, WantedEvent } from "./events.ts";
import type { LakeContext } from "./step.ts";
import { isPublished } from "./step.ts";

/** A seal may be told more than once. */
export function isFirstSeal(context: LakeContext, _event: SealedEvent): boolean {
  return context.seal === null;
}

/** The output belongs to the run. */
export function isOutput(context: LakeContext, event: WantedEvent): boolean {
  return context.outputs.includes(event.output);
}

/** See {@link isPublished}. */
export function published(context: LakeContext): boolean {
  return isPublished(context);
}
