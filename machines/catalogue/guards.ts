import type { LookedEvent, RecordedEvent } from "./events.ts";
import type { CatalogueContext } from "./step.ts";

/** The answer is about the entry that is being decided. */
function isAbout(context: CatalogueContext, event: { readonly entry: LookedEvent["entry"] }): boolean {
  return context.deciding !== null && context.deciding.toString() === event.entry.toString();
}

/** The first publisher of a name owns it: another key may not publish under it. */
export function isForeign(context: CatalogueContext, event: LookedEvent): boolean {
  const { owner, publisher } = event;
  return isAbout(context, event) && owner !== null && !sameKey(owner, publisher);
}

/** The very entry is in the catalogue already. */
export function isPresent(context: CatalogueContext, event: LookedEvent): boolean {
  return isAbout(context, event) && event.existing?.toString() === event.entry.toString();
}

/** The version is there with other contents: what is published never changes, not even for its publisher. */
export function isChanged(context: CatalogueContext, event: LookedEvent): boolean {
  return isAbout(context, event) && event.existing !== null && !isPresent(context, event);
}

/** Nothing stands against the entry. */
export function isNew(context: CatalogueContext, event: LookedEvent): boolean {
  return isAbout(context, event) && event.existing === null && !isForeign(context, event);
}

/** The record is that of the entry that is being decided. */
export function isRecorded(context: CatalogueContext, event: RecordedEvent): boolean {
  return isAbout(context, event);
}

function sameKey(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
