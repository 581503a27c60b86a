import { equalBytes } from "../core/bytes.ts";
import type { Hash } from "../core/ports.ts";
import { AHEAD_MAGIC, type AheadRecord, numberAt, readAheadRecord } from "./ahead-record.ts";
import type { CommitMark } from "./commit-log.ts";
import { damagedCommit } from "./errors.ts";

/** Records of one file from its beginning, each linked to the one before. */
interface Run {
  readonly file: number;
  readonly records: readonly AheadRecord[];
  /** What the first one links to. */
  readonly prev: Uint8Array;
  /** Offset behind the last one. */
  readonly end: number;
}

/** What the files of a write-ahead log hold. */
export interface AheadContents {
  /** In order, without a gap, over both files. */
  readonly records: readonly AheadRecord[];
  /** The newest commit: that of the last record, or `applied`. */
  readonly mark: CommitMark;
  /** The file that the next record goes to, and where in it. */
  readonly file: number;
  readonly end: number;
  /** Number of the newest record in each file; 0 where it holds none. */
  readonly newest: readonly number[];
}

/**
 * Reads the files of a write-ahead log, of which the one with the higher numbers is the newer. What a crash left half written at the end is passed over;
 * anything else that does not fit, and a log that does not reach back to `applied` or not up to it, is damage: throws `JOURNAL_CORRUPT`
 * naming the commit. `applied` is the newest commit that LevelDB has.
 */
export function scanAhead(hash: Hash, files: readonly Buffer[], applied: CommitMark): AheadContents {
  const runs = files.map((bytes, file) => runOf(hash, bytes, file));
  const used = runs.filter(({ records }) => records.length > 0).sort((a, b) => firstOf(a) - firstOf(b));
  const [older, newer] = used;
  if (older !== undefined && newer !== undefined) {
    const { mark } = lastOf(older);
    if (firstOf(newer) !== mark.number + 1) throw damagedCommit(mark.number + 1, "it is missing");
    if (!equalBytes(newer.prev, mark.hash)) throw damagedCommit(mark.number, "the record after it does not link to it");
  }
  const last = used.at(-1);
  const mark = last === undefined ? applied : lastOf(last).mark;
  // Written only after the record before it was synced: where one is there, so must be all before it.
  for (const { file, end } of runs)
    if (hasLater(hash, files[file] as Buffer, end, mark.number))
      throw damagedCommit(mark.number + 1, "its record is altered");
  const records = used.flatMap((run) => run.records);
  if (older !== undefined) checkJoins(records, older.prev, applied);
  return {
    records,
    mark,
    file: last?.file ?? 0,
    end: last?.end ?? 0,
    newest: runs.map((run) => (run.records.length === 0 ? 0 : lastOf(run).mark.number)),
  };
}

function runOf(hash: Hash, bytes: Buffer, file: number): Run {
  const records: AheadRecord[] = [];
  let first: Uint8Array = new Uint8Array();
  let end = 0;
  for (;;) {
    const found = readAheadRecord(hash, bytes, end);
    if (found === undefined) break;
    const before = records.at(-1)?.mark;
    const follows =
      before === undefined || (found.record.mark.number === before.number + 1 && equalBytes(found.prev, before.hash));
    if (!follows) break;
    if (before === undefined) first = found.prev;
    records.push(found.record);
    end = found.end;
  }
  return { file, records, prev: first, end };
}

/** True where a record with a higher number stands anywhere behind an offset. */
function hasLater(hash: Hash, bytes: Buffer, from: number, number: number): boolean {
  for (let at = bytes.indexOf(AHEAD_MAGIC, from); at >= 0; at = bytes.indexOf(AHEAD_MAGIC, at + 1))
    if (numberAt(bytes, at) > number && readAheadRecord(hash, bytes, at) !== undefined) return true;
  return false;
}

/** The log begins at the latest where LevelDB ends, and ends at the earliest there. */
function checkJoins(records: readonly AheadRecord[], prev: Uint8Array, applied: CommitMark): void {
  const first = (records[0] as AheadRecord).mark.number;
  const last = first + records.length - 1;
  if (first > applied.number + 1) throw damagedCommit(applied.number + 1, "it is missing");
  if (last < applied.number) throw damagedCommit(last + 1, "its record is altered");
  const same = first === applied.number + 1 ? prev : records[applied.number - first]?.mark.hash;
  if (same !== undefined && !equalBytes(same, applied.hash))
    throw damagedCommit(applied.number, "its record is altered");
}

function firstOf(run: Run): number {
  return (run.records[0] as AheadRecord).mark.number;
}

function lastOf(run: Run): AheadRecord {
  return run.records.at(-1) as AheadRecord;
}
