import { CID } from "multiformats/cid";
import { equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import { decodeCbor } from "../dag/cbor.ts";
import type { Tip } from "./continuity.ts";
import { isSeq, record } from "./entry.ts";
import { damagedCommit } from "./errors.ts";
import type { SegmentTail } from "./segments.ts";

/** One group commit as stores from before there was a write-ahead log recorded it, in the same LevelDB batch as what it made durable. */
interface Commit {
  /** Store-wide number, counted from 1. */
  readonly number: number;
  /** SHA-256 of the record before; 32 zero bytes in the first. */
  readonly prev: Uint8Array;
  /** Number of the oldest record that is kept beside this one. */
  readonly oldest: number;
  /** New tip of every journal that this commit continued. */
  readonly tips: ReadonlyMap<string, Tip>;
  readonly segments: SegmentTail;
}

/** The newest commit: its number (0 for none) and the SHA-256 of its record. */
export interface CommitMark {
  readonly number: number;
  readonly hash: Uint8Array;
}

/** The mark of an empty store. */
export const NO_COMMIT: CommitMark = { number: 0, hash: new Uint8Array(32) };

/** Decodes a commit record; `undefined` when the bytes are not one. */
function decodeCommit(bytes: Uint8Array): Commit | undefined {
  let node: Readonly<Record<string, unknown>> | undefined;
  try {
    node = record(decodeCbor(bytes));
  } catch {
    return undefined;
  }
  if (node === undefined || node["v"] !== 1) return undefined;
  const { number, prev, oldest, tips, segments } = node;
  if (!isSeq(number) || !isSeq(oldest) || oldest > number || !(prev instanceof Uint8Array) || prev.length !== 32)
    return undefined;
  if (!Array.isArray(tips) || !Array.isArray(segments)) return undefined;
  const [segment, sizeBytes] = segments as readonly unknown[];
  if (typeof segment !== "number" || typeof sizeBytes !== "number") return undefined;
  const parsed = new Map<string, Tip>();
  for (const item of tips as readonly unknown[]) {
    if (!Array.isArray(item)) return undefined;
    const [actor, seq, link] = item as readonly unknown[];
    const cid = CID.asCID(link);
    if (typeof actor !== "string" || !isSeq(seq) || cid === null) return undefined;
    parsed.set(actor, { cid, seq });
  }
  return { number, prev, oldest, tips: parsed, segments: { segment, sizeBytes } };
}

/** What the commit records of such a store say, once they are checked against each other. */
export interface CommitHistory {
  readonly mark: CommitMark;
  readonly segments: SegmentTail;
  /** Newest tip of every journal that the records name. */
  readonly tips: ReadonlyMap<string, Tip>;
}

/**
 * Follows commit records from the oldest kept to the newest. LevelDB drops a damaged record of its log in silence; here it
 * shows as a gap or a wrong link. Throws `JOURNAL_CORRUPT` naming the commit.
 */
export async function readCommits(
  hash: Hash,
  records: AsyncIterable<readonly [number, Uint8Array]>,
  witness: CommitMark | undefined,
): Promise<CommitHistory> {
  const tips = new Map<string, Tip>();
  let mark = NO_COMMIT;
  let first = 0;
  let oldest = 1;
  let segments: SegmentTail = { segment: 0, sizeBytes: 0 };
  for await (const [number, bytes] of records) {
    const commit = decodeCommit(bytes);
    if (commit === undefined || commit.number !== number) throw damagedCommit(number, "its record is altered");
    if (first === 0) first = number;
    else if (number !== mark.number + 1) throw damagedCommit(mark.number + 1, "it is missing");
    if ((first !== number || number === 1) && !equalBytes(commit.prev, mark.hash)) {
      // Either record may be the altered one; the link only shows that the two no longer fit.
      throw damagedCommit(Math.max(1, number - 1), `the record of commit ${number} does not link to it`);
    }
    for (const [actor, tip] of commit.tips) tips.set(actor, tip);
    segments = commit.segments;
    oldest = commit.oldest;
    mark = { number, hash: hash(bytes) };
    if (witness?.number === number && !equalBytes(witness.hash, mark.hash))
      throw damagedCommit(number, "its record is altered");
  }
  if (first > oldest) throw damagedCommit(first - 1, "it is missing");
  // Without any record there is nothing to be missed here: the write-ahead log may hold everything.
  if (first > 0 && witness !== undefined && witness.number > mark.number)
    throw damagedCommit(mark.number + 1, "it was acknowledged and is missing");
  return { mark, segments, tips };
}
