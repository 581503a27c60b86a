import { describe, expect, it } from "vitest";
import { cborBlock } from "../../../src/dag/block.ts";
import { type AheadRecord, AheadRecordWriter, readAheadRecord, type Step } from "../../../src/journal/ahead-record.ts";
import { scanAhead } from "../../../src/journal/ahead-scan.ts";
import { type CommitMark, NO_COMMIT } from "../../../src/journal/commit-log.ts";
import { sha256 } from "../../integration/journal/seeded-store.ts";

const writer = new AheadRecordWriter(sha256);

function stepsOf(number: number): Step[] {
  const { cid, bytes: block } = cborBlock(sha256, { number });
  const bytes = Buffer.from(block);
  return [
    { type: "entry", entry: { actor: `tâsk/${number}`, cid, bytes, from: number * 3, to: number * 3 + 2, wake: 17 } },
    { type: "put", key: Buffer.from("key"), value: Buffer.from([number]) },
    { type: "del", key: Buffer.from("gone") },
  ];
}

/** Records from the one after `before`, one behind the other; and where each ends. */
function logOf(before: CommitMark, count: number): { bytes: Buffer; ends: number[]; marks: CommitMark[] } {
  const parts: Buffer[] = [];
  const ends: number[] = [];
  const marks: CommitMark[] = [];
  let last = before;
  for (let at = 0; at < count; at++) {
    const record = writer.write(last, { segment: 1, sizeBytes: last.number }, stepsOf(last.number + 1));
    parts.push(Buffer.from(record.bytes));
    ends.push((ends.at(-1) ?? 0) + record.bytes.length);
    marks.push(record.mark);
    last = record.mark;
  }
  return { bytes: Buffer.concat(parts), ends, marks };
}

const EMPTY = Buffer.alloc(0);
const log = logOf(NO_COMMIT, 5);
const newest = log.marks[4] as CommitMark;

/** Numbers of the records found. */
function found(files: readonly Buffer[], applied: CommitMark = NO_COMMIT): number[] {
  return scanAhead(sha256, files, applied).records.map(({ mark }) => mark.number);
}

describe("the write-ahead log's files", () => {
  it("give back every record, with its steps", () => {
    const { records, mark, end, file } = scanAhead(sha256, [log.bytes, EMPTY], NO_COMMIT);
    expect(records.map(({ steps }) => steps)).toEqual([1, 2, 3, 4, 5].map(stepsOf));
    expect(records.map(({ segments }) => segments.sizeBytes)).toEqual([0, 1, 2, 3, 4]);
    expect({ mark, end, file }).toEqual({ mark: newest, end: log.bytes.length, file: 0 });
  });

  it("end before a record that is half written, wherever it was cut", () => {
    const start = log.ends[3] as number;
    for (let end = start; end < log.bytes.length; end++) {
      // Behind it stand zeros, or what an earlier turn of the file left.
      for (const rest of [EMPTY, Buffer.alloc(300), logOf(NO_COMMIT, 2).bytes]) {
        const scanned = scanAhead(sha256, [Buffer.concat([log.bytes.subarray(0, end), rest]), EMPTY], NO_COMMIT);
        expect(scanned.mark.number, `cut at ${end}`).toBe(4);
        expect(scanned.end).toBe(start);
      }
    }
  });

  it("name the commit whose record is altered, for every byte of those before the last", () => {
    for (let at = 0; at < (log.ends[3] as number); at++) {
      const bytes = Buffer.from(log.bytes);
      bytes[at] = (bytes[at] as number) ^ 0x10;
      const commit = 1 + log.ends.findIndex((end) => at < end);
      expect(() => scanAhead(sha256, [bytes, EMPTY], NO_COMMIT), `byte ${at}`).toThrow(
        expect.objectContaining({ code: "JOURNAL_CORRUPT", facts: { commit } }),
      );
    }
  });

  it("name the last commit where LevelDB has it and the log does not", () => {
    const bytes = Buffer.from(log.bytes);
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
    expect(found([bytes, EMPTY])).toEqual([1, 2, 3, 4]);
    expect(() => found([bytes, EMPTY], newest)).toThrow(expect.objectContaining({ facts: { commit: 5 } }));
  });

  it("take turns: the one with higher numbers continues the other, and old records behind it count for nothing", () => {
    const second = logOf(newest, 3);
    const sixth = second.marks[0] as CommitMark;
    expect(found([log.bytes, second.bytes])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    // The first file begins again while the second still holds what comes before.
    const third = logOf(second.marks[2] as CommitMark, 1);
    const again = Buffer.concat([third.bytes, log.bytes.subarray(third.bytes.length)]);
    expect(found([again, second.bytes], sixth)).toEqual([6, 7, 8, 9]);
    // Its first record is half written.
    const torn = Buffer.concat([third.bytes.subarray(0, 60), log.bytes.subarray(60)]);
    expect(found([torn, second.bytes], sixth)).toEqual([6, 7, 8]);
    expect(scanAhead(sha256, [torn, second.bytes], sixth)).toMatchObject({ file: 1, end: second.bytes.length });
  });

  it("name what is missing between the two, or between LevelDB and the log", () => {
    const second = logOf(newest, 3);
    const cases: readonly [readonly Buffer[], CommitMark, number][] = [
      [[log.bytes.subarray(0, log.ends[2]), second.bytes], NO_COMMIT, 4],
      [[EMPTY, second.bytes], NO_COMMIT, 1],
      [[EMPTY, second.bytes], log.marks[2] as CommitMark, 4],
      [[EMPTY, second.bytes.subarray(10)], newest, 6],
      [[log.bytes, EMPTY], second.marks[1] as CommitMark, 6],
      [[log.bytes, EMPTY], { number: 3, hash: new Uint8Array(32) }, 3],
      [[EMPTY, second.bytes], { number: 5, hash: new Uint8Array(32) }, 5],
    ];
    for (const [files, applied, commit] of cases)
      expect(() => found(files, applied)).toThrow(expect.objectContaining({ facts: { commit } }));
  });

  it("hold nothing: the newest commit is LevelDB's", () => {
    expect(scanAhead(sha256, [EMPTY, Buffer.alloc(100)], newest)).toMatchObject({ records: [], mark: newest, end: 0 });
  });
});

describe("a record", () => {
  it("is larger than what was written before without a trace of it", () => {
    const wide = writer.write(NO_COMMIT, { segment: 0, sizeBytes: 0 }, [
      { type: "put", key: Buffer.from("k"), value: Buffer.alloc(3_000_000, 1) },
    ]);
    expect(readAheadRecord(sha256, Buffer.from(wide.bytes), 0)?.record.steps).toHaveLength(1);
    const small = Buffer.from(writer.write(NO_COMMIT, { segment: 0, sizeBytes: 0 }, stepsOf(1)).bytes);
    expect((readAheadRecord(sha256, small, 0) as { record: AheadRecord }).record.steps).toEqual(stepsOf(1));
  });

  it("of an entry in a segment holds no block", () => {
    const { cid } = cborBlock(sha256, 1);
    const entry = { actor: "a", cid, bytes: undefined, from: 2 ** 40, to: 2 ** 40, wake: null };
    const bytes = Buffer.from(writer.write(NO_COMMIT, { segment: 0, sizeBytes: 0 }, [{ type: "entry", entry }]).bytes);
    expect(readAheadRecord(sha256, bytes, 0)?.record.steps).toEqual([{ type: "entry", entry }]);
  });
});
