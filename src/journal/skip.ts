import type { CID } from "multiformats/cid";
import type { Skip, StoredEntry } from "./port.ts";

/** Checkpoints of one journal that can have skip links: their numbers are handled as 32-bit integers. */
export const SKIP_NUMBER_MAX: number = 2 ** 31 - 1;

/** An entry that skip links may lead to. The journal's first one has no skip links of its own, and counts as number 0. */
export interface SkipPoint {
  readonly cid: CID;
  readonly skip?: Skip | undefined;
}

/**
 * Skip links of the next entry with a checkpoint, number n: to the entry numbered n − 1, and to those whose numbers come of it by clearing its
 * lowest set bit again and again, down to 0. At most log2(n) + 1 of them, and any older entry is about as many steps away.
 */
export function nextSkip({ cid, skip }: SkipPoint): Skip | undefined {
  const n = (skip?.n ?? 0) + 1;
  if (n > SKIP_NUMBER_MAX) return undefined;
  const before = new Map<number, CID>([[n - 1, cid]]);
  for (const [at, number] of skipNumbers(skip?.n ?? 0).entries()) {
    const link = skip?.links[at];
    if (link !== undefined) before.set(number, link);
  }
  const links = skipNumbers(n).map((number) => before.get(number));
  return links.every((link) => link !== undefined) ? { n, links } : undefined;
}

/** Numbers of the entries that the one numbered n links to, newest first. */
export function skipNumbers(n: number): readonly number[] {
  if (n === 0) return [];
  const numbers: number[] = [];
  for (let number = n - 1; number > 0; number &= number - 1) numbers.push(number);
  return [...numbers, 0];
}

/** True where both are the same links, or both are none. */
export function sameSkip(a: Skip | undefined, b: Skip | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.n === b.n && a.links.every((link, at) => b.links[at]?.equals(link) === true);
}

/** The point that the next skip links start from, once an entry was added after `point`. */
export function skipPointAfter(
  point: SkipPoint | undefined,
  { cid, entry }: Pick<StoredEntry, "cid" | "entry">,
): SkipPoint | undefined {
  if (entry.skip !== undefined) return { cid, skip: entry.skip };
  // Journals from before there were skip links begin to count at their newest checkpoint.
  if (entry.prev === null || (entry.checkpoint !== undefined && point?.skip === undefined)) return { cid };
  return point;
}

/**
 * Walks from an entry back to the one that holds an event, by skip links where there are some: every step leads to an entry that the one before
 * links to, so the way shows that the event belongs to what the first entry's CID names. `read` gives entries checked against
 * their CIDs; the way is `undefined` where one is missing, or the event is not there.
 */
export async function wayBack(
  read: (cid: CID) => Promise<StoredEntry | undefined>,
  head: CID,
  seq: number,
): Promise<readonly StoredEntry[] | undefined> {
  const way: StoredEntry[] = [];
  let at = await read(head);
  if (at !== undefined && at.entry.seq + at.entry.events.length - 1 < seq) return undefined;
  while (at !== undefined) {
    way.push(at);
    if (at.entry.seq <= seq) return way;
    at = await nearest(read, at, seq);
  }
  return undefined;
}

/** Of the entries that one links to, the oldest that is not before an event. */
async function nearest(
  read: (cid: CID) => Promise<StoredEntry | undefined>,
  { entry }: StoredEntry,
  seq: number,
): Promise<StoredEntry | undefined> {
  const links = [...(entry.skip?.links ?? [])].reverse();
  // Oldest first: the numbers of their events grow, so the first that fits is found by halving.
  let low = 0;
  let high = links.length;
  let best: StoredEntry | undefined;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const found = await read(links[middle] as CID);
    if (found !== undefined && found.entry.seq + found.entry.events.length - 1 >= seq) {
      best = found;
      high = middle;
    } else low = middle + 1;
  }
  if (best !== undefined) return best;
  return entry.prev === null ? undefined : await read(entry.prev);
}
