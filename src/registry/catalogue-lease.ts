import { setTimeout as later } from "node:timers/promises";
import { hasCode, IpdmError } from "../core/errors.ts";
import { Catalogue, type CatalogueOptions } from "./catalogue.ts";

/** How long a folder is kept open after its last use, in milliseconds: a peer's next question comes sooner. */
const IDLE_MS = 200;
/** How long a folder is kept open while peers ask without a pause, and how long it is left to others then, in milliseconds. */
const HELD_MS = 2_000;
const PAUSE_MS = 200;
/** How long a folder that another process has open is waited for, and how often it is tried, in milliseconds. */
const BUSY_MS = 5_000;
const BUSY_STEP_MS = 50;

/** Does something with a catalogue that is open for as long as that takes. */
export type CatalogueAccess = <T>(work: (catalogue: Catalogue) => Promise<T>) => Promise<T>;

/** One opening of the folder. */
interface Opening {
  readonly catalogue: Promise<Catalogue>;
  readonly since: number;
  readonly unused: PromiseWithResolvers<void>;
  users: number;
}

/** Opens a catalogue, for which it waits a moment where another process has it. Throws as `Catalogue.open` does. */
export async function openCatalogue(folder: string, options: CatalogueOptions = {}): Promise<Catalogue> {
  const until = performance.now() + BUSY_MS;
  for (;;) {
    try {
      return await Catalogue.open(folder, options);
    } catch (error) {
      if (!hasCode(error, "DATA_DIR_IN_USE") || performance.now() > until) throw error;
    }
    await later(BUSY_STEP_MS);
  }
}

/**
 * A catalogue whose folder is open only while it is used, so that it can be served while others publish to it: whoever has it open
 * keeps everyone else out, for a moment each.
 */
export class CatalogueLease implements AsyncDisposable {
  private readonly folder: string;
  private current: Opening | undefined;
  private closing: Promise<unknown> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private isEnded = false;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** Throws as {@link openCatalogue}, and `CATALOGUE_CLOSED`. */
  readonly use: CatalogueAccess = async (work) => {
    if (this.isEnded) throw new IpdmError("CATALOGUE_CLOSED", "the catalogue is closed", { kind: "interrupted" });
    clearTimeout(this.timer);
    if (this.current !== undefined && performance.now() - this.current.since > HELD_MS) {
      this.release();
      this.closing = this.closing.then(() => later(PAUSE_MS));
    }
    const opening = (this.current ??= this.open());
    opening.users++;
    try {
      return await work(await opening.catalogue);
    } finally {
      opening.users--;
      if (opening.users === 0) this.rest(opening);
    }
  };

  /** Lets the folder go when the last use is over. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.isEnded = true;
    clearTimeout(this.timer);
    this.release();
    await this.closing;
  }

  private open(): Opening {
    const catalogue = this.closing.then(() => openCatalogue(this.folder));
    const opening = { catalogue, since: performance.now(), unused: Promise.withResolvers<void>(), users: 0 };
    // One that did not open is tried again by the next who asks; whoever waits for it is told why.
    catalogue.catch(() => {
      if (this.current === opening) this.current = undefined;
    });
    return opening;
  }

  /** Nobody uses an opening any more: the one that others may still join is kept for a moment. */
  private rest(opening: Opening): void {
    if (this.current !== opening) return opening.unused.resolve();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.release(), IDLE_MS);
    this.timer.unref();
  }

  /** Closes the folder once those who use it are done. */
  private release(): void {
    const { current } = this;
    if (current === undefined) return;
    this.current = undefined;
    if (current.users === 0) current.unused.resolve();
    const closed = current.unused.promise.then(async () => (await current.catalogue).close());
    this.closing = Promise.all([this.closing, closed.catch(() => undefined)]);
  }
}
