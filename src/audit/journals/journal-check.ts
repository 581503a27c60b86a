import type { CID } from "multiformats/cid";
import { toHex } from "../../core/bytes.ts";
import { hasCode, IpdmError } from "../../core/errors.ts";
import { lastSeq } from "../../journal/entry.ts";
import type { Store, StoredEntry } from "../../journal/port.ts";
import { forkEvidence } from "../../journal/signed-head.ts";
import { wayBack } from "../../journal/skip.ts";
import { verifyEd25519 } from "../../node.ts";
import type { JournalFile } from "./journal-file.ts";

/** Two histories of one actor. */
export interface JournalFork {
  readonly code: "JOURNAL_FORK";
  /** The first event that the histories differ at. */
  readonly at: number;
  readonly message: string;
  /** The key, in hexadecimal, that has signed both; then the fork is its owner's. */
  readonly signedBy?: string;
  /** How the signed heads contradict each other: by number, event, order, or history. */
  readonly kind?: string;
}

/**
 * Whether two files hold two histories of an actor; `undefined` where one continues the other. Throws `JOURNAL_MISMATCH` where they are of two
 * actors, or of parts that do not meet.
 */
export async function journalFork(a: JournalFile, b: JournalFile): Promise<JournalFork | undefined> {
  if (a.actor !== b.actor) throw mismatch(a.actor, `the other file is of ${b.actor}`);
  for (const one of a.heads) {
    for (const other of b.heads) {
      const newer =
        one.number < other.number ? { head: other, file: b, seq: one.seq } : { head: one, file: a, seq: other.seq };
      const way = await wayBack(readerOf(newer.file), newer.head.head, newer.seq);
      const evidence = forkEvidence(verifyEd25519, one, other, way);
      if (evidence !== undefined) {
        const at = difference(a, b) ?? Math.min(one.seq, other.seq);
        const { kind } = evidence;
        return { code: "JOURNAL_FORK", at, message: message(a.actor), signedBy: toHex(one.key), kind };
      }
    }
  }
  const at = difference(a, b);
  return at === undefined ? undefined : { code: "JOURNAL_FORK", at, message: message(a.actor) };
}

/** What was found of one journal of a store. */
export interface StoreFinding {
  readonly actor: string;
  readonly entries: number;
  readonly events: number;
  readonly from: number;
  readonly problem?: IpdmError;
}

/** Reads journals of a store from where they are kept on, every byte, link and number. Without `actors` all of them. */
export async function* verifyStore(store: Store, actors: readonly string[]): AsyncIterable<StoreFinding> {
  for (const actor of actors.length > 0 ? actors : await store.actors()) {
    let entries = 0;
    let events = 0;
    let from = 1;
    try {
      if ((await store.head(actor)) === undefined)
        throw new IpdmError("ACTOR_UNKNOWN", `there is no actor ${actor} here`, { kind: "usage", where: actor });
      from = await store.kept(actor);
      for await (const { entry } of store.entries(actor, { from })) {
        entries += 1;
        events += entry.events.length;
      }
      yield { actor, entries, events, from };
    } catch (error) {
      if (!hasCode(error, "JOURNAL_CORRUPT") || !(error instanceof IpdmError)) throw error;
      yield { actor, entries, events, from, problem: error };
    }
  }
}

/** Number of the first event of the first entry that one has and the other has not, where both should have it. */
function difference(a: JournalFile, b: JournalFile): number | undefined {
  const [x, y] = [a.entries, b.entries];
  const from = Math.max((x[0] as StoredEntry).entry.seq, (y[0] as StoredEntry).entry.seq);
  const to = Math.min(lastSeq((x.at(-1) as StoredEntry).entry), lastSeq((y.at(-1) as StoredEntry).entry));
  if (from > to + 1) throw mismatch(a.actor, "the files hold parts of it that do not meet");
  const inBoth = (entries: readonly StoredEntry[]): readonly StoredEntry[] =>
    entries.filter(({ entry }) => entry.seq >= from && entry.seq <= to);
  const others = inBoth(y);
  for (const [at, { cid, entry }] of inBoth(x).entries())
    if (others[at]?.cid.equals(cid) !== true) return Math.min(entry.seq, others[at]?.entry.seq ?? entry.seq);
  return undefined;
}

function readerOf({ entries }: JournalFile): (cid: CID) => Promise<StoredEntry | undefined> {
  const known = new Map(entries.map((stored) => [stored.cid.toString(), stored]));
  return async (cid) => known.get(cid.toString());
}

function message(actor: string): string {
  return `the files tell two histories of ${actor}`;
}

function mismatch(actor: string, problem: string): IpdmError {
  return new IpdmError("JOURNAL_MISMATCH", `the journal of ${actor}: ${problem}`, {
    kind: "verification",
    where: actor,
  });
}
