import { writeSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { CID } from "multiformats/cid";
import { equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import { decodeCbor } from "../dag/cbor.ts";
import { encodeCbor } from "../dag/cbor-encoder.ts";
import type { Tip } from "./continuity.ts";
import { isSeq, record } from "./entry.ts";
import { corrupt } from "./errors.ts";
import type { SegmentTail } from "./segments.ts";

/** One group commit, as it is recorded in the same LevelDB batch as what it made durable. */
export interface Commit {
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

/** Encodes a commit record (dag-cbor). */
export function encodeCommit(commit: Commit): Uint8Array {
  return encodeCbor({
    v: 1,
    number: commit.number,
    prev: commit.prev,
    oldest: commit.oldest,
    tips: [...commit.tips].map(([actor, tip]) => [actor, tip.seq, tip.cid]),
    segments: [commit.segments.segment, commit.segments.sizeBytes],
  });
}

/** Decodes a commit record; `undefined` when the bytes are not one. */
export function decodeCommit(bytes: Uint8Array): Commit | undefined {
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

/** What the commit records of a store say, once they are checked against each other. */
export interface CommitHistory {
  readonly mark: CommitMark;
  /** Number of the oldest record kept; 1 in an empty store. */
  readonly oldest: number;
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
    if (commit === undefined || commit.number !== number) throw damaged(number, "its record is altered");
    if (first === 0) first = number;
    else if (number !== mark.number + 1) throw damaged(mark.number + 1, "it is missing");
    if ((first !== number || number === 1) && !equalBytes(commit.prev, mark.hash)) {
      // Either record may be the altered one; the link only shows that the two no longer fit.
      throw damaged(Math.max(1, number - 1), `the record of commit ${number} does not link to it`);
    }
    for (const [actor, tip] of commit.tips) tips.set(actor, tip);
    segments = commit.segments;
    oldest = commit.oldest;
    mark = { number, hash: hash(bytes) };
    if (witness?.number === number && !equalBytes(witness.hash, mark.hash))
      throw damaged(number, "its record is altered");
  }
  if (first > oldest) throw damaged(first - 1, "it is missing");
  if (witness !== undefined && witness.number > mark.number)
    throw damaged(mark.number + 1, "it was acknowledged and is missing");
  return { mark, oldest, segments, tips };
}

function damaged(number: number, what: string): Error {
  return corrupt(`group commit ${number}: ${what}`, { commit: number });
}

const SLOT_BYTES = 48;
const WITNESS_MAGIC = 0x31434d49;

/**
 * A small file beside LevelDB that names the newest acknowledged commit. It is written after the commit's own sync and not
 * synced itself, so it may lag behind after a loss of power, but is never ahead; it shows when LevelDB lost its newest records.
 * Two slots are written in turn, each with a checksum.
 */
export class CommitWitness {
  readonly #file: FileHandle;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Opens or creates the file; `mark` is `undefined` where it holds no readable slot. */
  static async open(path: string): Promise<{ witness: CommitWitness; mark: CommitMark | undefined }> {
    const file = await openOrCreate(path);
    const bytes = Buffer.alloc(2 * SLOT_BYTES);
    await file.read(bytes, 0, bytes.length, 0);
    const marks = [0, 1].map((slot) => readSlot(bytes.subarray(slot * SLOT_BYTES, (slot + 1) * SLOT_BYTES)));
    let mark: CommitMark | undefined;
    for (const found of marks) if (found !== undefined && found.number > (mark?.number ?? 0)) mark = found;
    return { witness: new CommitWitness(file), mark };
  }

  /**
   * Notes the newest commit. It goes no further than the system's memory, which takes less time than handing it to another thread. A
   * failure is ignored: it is a second witness only.
   */
  note(mark: CommitMark): void {
    const slot = slotOf(mark);
    try {
      writeSync(this.#file.fd, slot, 0, slot.length, (mark.number % 2) * SLOT_BYTES);
    } catch {
      // The commit itself is synced; without this note only a later damage of the newest records could pass unseen.
    }
  }

  async close(): Promise<void> {
    await this.#file.close();
  }
}

function slotOf(mark: CommitMark): Buffer {
  const slot = Buffer.alloc(SLOT_BYTES);
  slot.writeUInt32LE(WITNESS_MAGIC, 0);
  slot.writeBigUInt64LE(BigInt(mark.number), 4);
  slot.set(mark.hash, 12);
  slot.writeUInt32LE(crc32(slot.subarray(0, SLOT_BYTES - 4)), SLOT_BYTES - 4);
  return slot;
}

function readSlot(slot: Buffer): CommitMark | undefined {
  if (slot.readUInt32LE(0) !== WITNESS_MAGIC) return undefined;
  if (slot.readUInt32LE(SLOT_BYTES - 4) !== crc32(slot.subarray(0, SLOT_BYTES - 4))) return undefined;
  return { number: Number(slot.readBigUInt64LE(4)), hash: Uint8Array.from(slot.subarray(12, 44)) };
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r+");
  } catch (error) {
    if ((error as { code?: unknown }).code !== "ENOENT") throw error;
    return await open(path, "w+");
  }
}
