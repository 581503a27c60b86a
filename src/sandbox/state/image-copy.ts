import type { Outcome } from "../lane-messages.ts";
import type { DirtyPage, Image, ImageChange, Page } from "./image.ts";

// Pages are memory that threads share. Between processes nothing is shared, so pages go as copies and are shared again on the other side.

type PageCopy = Uint8Array | null;

/** An image as it goes to another process. */
export interface ImageCopy extends Omit<Image, "pages"> {
  readonly pages: readonly PageCopy[];
}

interface ChangeCopy extends Omit<ImageChange, "dirty"> {
  readonly dirty: readonly (Omit<DirtyPage, "page"> & { readonly page: PageCopy })[];
}

/** An outcome as it comes from another process. */
export type OutcomeCopy =
  | Exclude<Outcome, { readonly type: "saved" }>
  | { readonly type: "saved"; readonly change: ChangeCopy };

/** An image without shared memory. */
export function copiedImage({ pages, globals }: Image): ImageCopy {
  return { pages: pages.map(copied), globals };
}

/** The image that {@link copiedImage} has copied. */
export function sharedImage({ pages, globals }: ImageCopy): Image {
  return { pages: pages.map(shared), globals };
}

/** An outcome without shared memory. */
export function copiedOutcome(outcome: Outcome): OutcomeCopy {
  if (outcome.type !== "saved") return outcome;
  const { dirty, ...rest } = outcome.change;
  return { type: "saved", change: { ...rest, dirty: dirty.map((entry) => ({ ...entry, page: copied(entry.page) })) } };
}

/** The outcome that {@link copiedOutcome} has copied. */
export function sharedAgain(outcome: OutcomeCopy): Outcome {
  if (outcome.type !== "saved") return outcome;
  const { dirty, ...rest } = outcome.change;
  return { type: "saved", change: { ...rest, dirty: dirty.map((entry) => ({ ...entry, page: shared(entry.page) })) } };
}

function copied(page: Page): PageCopy {
  return page === null ? null : new Uint8Array(page);
}

function shared(page: PageCopy): Page {
  if (page === null) return null;
  const bytes = new Uint8Array(new SharedArrayBuffer(page.length));
  bytes.set(page);
  return bytes;
}
