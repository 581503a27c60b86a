import type { CID } from "multiformats/cid";
import { isActorId, lastSeq } from "./entry.ts";
import { conflict, overLimit } from "./errors.ts";
import { ENTRY_EVENTS_MAX } from "./limits.ts";
import type { EntryAppend, StoredEntry } from "./port.ts";
import { nextSkip, type SkipPoint, sameSkip, skipPointAfter } from "./skip.ts";

/** The end of a journal: its newest entry and the number of that entry's last event. */
export interface Tip {
  readonly cid: CID;
  readonly seq: number;
}

/** Throws `JOURNAL_CONFLICT` or `JOURNAL_LIMIT` where an entry does not continue the journal that ends there. */
export function checkContinues({ entry }: EntryAppend, tip: Tip | undefined): void {
  // The id of a journal that is there was looked at with its first entry.
  if (tip === undefined && !isActorId(entry.actor))
    throw conflict(String(entry.actor), "the actor id is empty, too long or holds U+0000", {});
  if (entry.events.length === 0) throw conflict(entry.actor, "it has no events", {});
  if (entry.events.length > ENTRY_EVENTS_MAX)
    throw overLimit("an entry's event count", entry.events.length, ENTRY_EVENTS_MAX);
  const seq = (tip?.seq ?? 0) + 1;
  if (entry.seq !== seq)
    throw conflict(entry.actor, `it starts at event ${entry.seq}, not ${seq}`, { expected: seq, found: entry.seq });
  const linked = tip === undefined ? entry.prev === null : entry.prev !== null && tip.cid.equals(entry.prev);
  if (!linked) {
    throw conflict(entry.actor, "prev is not the newest entry", {
      expected: tip?.cid.toString() ?? null,
      found: entry.prev?.toString() ?? null,
    });
  }
}

/** Follows the entries of one actor from the first, checking that each continues the one before. */
export class Chain {
  readonly #actor: string;
  #tip: Tip | undefined;
  #point: SkipPoint | undefined;

  /** `before` is the end of what comes before the first entry. */
  constructor(actor: string, before?: Tip) {
    this.#actor = actor;
    this.#tip = before;
  }

  get tip(): Tip | undefined {
    return this.#tip;
  }

  /** Says what is wrong with the next entry, or `undefined` when it continues the chain and is taken. */
  next(stored: StoredEntry): string | undefined {
    const { entry, cid } = stored;
    const seq = (this.#tip?.seq ?? 0) + 1;
    if (entry.actor !== this.#actor) return `entry ${cid.toString()} belongs to ${entry.actor}`;
    if (entry.seq !== seq) return `an entry starts at event ${entry.seq}, not ${seq}`;
    const linked =
      this.#tip === undefined ? entry.prev === null : entry.prev !== null && this.#tip.cid.equals(entry.prev);
    if (!linked) return `the entry at event ${seq} does not link to the one before`;
    // A chain that begins in the middle takes the first skip links that it meets as they are.
    if (entry.skip !== undefined && this.#point !== undefined && !sameSkip(entry.skip, nextSkip(this.#point)))
      return `the skip links of the entry at event ${seq} do not lead where they should`;
    this.#point = skipPointAfter(this.#point, stored);
    this.#tip = { cid, seq: lastSeq(entry) };
    return undefined;
  }
}
