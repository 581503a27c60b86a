import { checkContinues, type Tip } from "./continuity.ts";
import { lastSeq } from "./entry.ts";
import { TIPS_MAX } from "./limits.ts";
import type { EntryAppend } from "./port.ts";

interface Known {
  tip: Tip | undefined;
  /** Entries on their way to the disk. */
  pending: number;
}

/**
 * Where journals end, queued entries included, as far as somebody has asked: decides whether an entry continues its journal. Holds the
 * {@link TIPS_MAX} journals used last, and those with entries on their way.
 */
export class Tips {
  readonly #known = new Map<string, Known>();
  readonly #loading = new Map<string, ((error?: unknown) => void)[]>();
  readonly #load: (actor: string) => Promise<Tip | undefined>;

  /** `load` gives the durable end of a journal. */
  constructor(load: (actor: string) => Promise<Tip | undefined>) {
    this.#load = load;
  }

  /**
   * Calls `enter` once the entry is known to continue its journal, in the order of the calls for an actor, and at once where the journal's end
   * is known. Rejects with `JOURNAL_CONFLICT`, `JOURNAL_LIMIT` and as `enter`.
   */
  advance(append: EntryAppend, enter: (ended: () => void) => Promise<void>): Promise<void> {
    const { actor } = append.entry;
    if (this.#known.has(actor)) return this.#take(append, enter);
    return new Promise((resolve, reject) => {
      this.#whenLoaded(actor, (error) => {
        if (error === undefined) this.#take(append, enter).then(resolve, reject);
        else reject(error as Error);
      });
    });
  }

  #take(append: EntryAppend, enter: (ended: () => void) => Promise<void>): Promise<void> {
    const { actor } = append.entry;
    const known = this.#known.get(actor) ?? { tip: undefined, pending: 0 };
    try {
      checkContinues(append, known.tip);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    known.tip = { cid: append.block.cid, seq: lastSeq(append.entry) };
    known.pending += 1;
    // The order of use matters where some will have to go.
    if (this.#known.size > TIPS_MAX / 2) this.#known.delete(actor);
    this.#known.set(actor, known);
    return enter(() => {
      known.pending -= 1;
      if (this.#known.size > TIPS_MAX) this.#makeRoom();
    });
  }

  /** Resolves when everything that was handed in before has been handed on. */
  async settled(): Promise<void> {
    while (this.#loading.size > 0)
      await new Promise<void>((resolve) => this.#whenLoaded([...this.#loading.keys()][0] ?? "", () => resolve()));
  }

  /** Calls back in the order of the calls, within one turn: nobody comes between. */
  #whenLoaded(actor: string, then: (error?: unknown) => void): void {
    const waiting = this.#loading.get(actor);
    if (waiting !== undefined) {
      waiting.push(then);
      return;
    }
    const all = [then];
    this.#loading.set(actor, all);
    const end = (error?: unknown): void => {
      this.#loading.delete(actor);
      for (const each of all) each(error);
    };
    this.#load(actor).then((tip) => {
      this.#known.set(actor, { tip, pending: 0 });
      end();
    }, end);
  }

  #makeRoom(): void {
    for (const [actor, { pending }] of this.#known) {
      if (this.#known.size <= TIPS_MAX || pending > 0) return;
      this.#known.delete(actor);
    }
  }
}
