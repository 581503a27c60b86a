import type { CID } from "multiformats/cid";
import { isActorId, lastSeq } from "./entry.ts";
import { conflict, overLimit } from "./errors.ts";
import { ENTRY_EVENTS_MAX } from "./limits.ts";
import type { EntryAppend, StoredEntry } from "./port.ts";

/** The end of a journal: its newest entry and the number of that entry's last event. */
export interface Tip {
  readonly cid: CID;
  readonly seq: number;
}

/** Tips of all journals of a store, queued entries included: decides whether an entry continues its journal. */
export class Tips {
  readonly #tips = new Map<string, Tip>();

  set(actor: string, tip: Tip): void {
    this.#tips.set(actor, tip);
  }

  /** Takes the entry as the new tip. Throws `JOURNAL_CONFLICT` or `JOURNAL_LIMIT`, and then changes nothing. */
  advance(append: EntryAppend): void {
    const { entry, block } = append;
    if (!isActorId(entry.actor))
      throw conflict(String(entry.actor), "the actor id is empty, too long or holds U+0000", {});
    if (entry.events.length === 0) throw conflict(entry.actor, "it has no events", {});
    if (entry.events.length > ENTRY_EVENTS_MAX)
      throw overLimit("an entry's event count", entry.events.length, ENTRY_EVENTS_MAX);
    const tip = this.#tips.get(entry.actor);
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
    this.#tips.set(entry.actor, { cid: block.cid, seq: lastSeq(entry) });
  }
}

/** Follows the entries of one actor from the first, checking that each continues the one before. */
export class Chain {
  readonly #actor: string;
  #tip: Tip | undefined;

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
    this.#tip = { cid, seq: lastSeq(entry) };
    return undefined;
  }
}
