import { CID } from "multiformats/cid";
import type { Hash } from "../core/ports.ts";
import type { CommitMark } from "./commit-log.ts";
import type { Write } from "./level-index.ts";
import type { SegmentTail } from "./segments.ts";

/** An entry in a group commit. */
export interface PlannedEntry {
  readonly actor: string;
  readonly cid: CID;
  /** Its block; `undefined` where that is so large that a segment holds it. */
  readonly bytes: Uint8Array | undefined;
  /** Numbers of its first and its last event. */
  readonly from: number;
  readonly to: number;
  /** When the actor has something to do by itself, in milliseconds since 1970; `null` for never. Absent: as it was. */
  readonly wake?: number | null | undefined;
}

/** What one group commit brings into LevelDB, in order. */
export type Step = Write | { readonly type: "entry"; readonly entry: PlannedEntry };

/** A group commit as the write-ahead log holds it. */
export interface AheadRecord {
  readonly mark: CommitMark;
  readonly segments: SegmentTail;
  readonly steps: readonly Step[];
}

// Record, little-endian: u32 magic, u32 bytes of payload, u64 number, 32 bytes hash of the record before; payload; SHA-256 of all that.
// Payload: u64 segment, u64 its bytes; then steps: u8 kind and what it needs, see below.
const MAGIC = 0x61647069;
const PREFIX_BYTES = 48;
const HASH_BYTES = 32;
const TAIL_BYTES = 16;

const KIND = { entry: 1, put: 2, del: 3 } as const;
const WAKE = { asItWas: 0, never: 1, at: 2 } as const;
/** Bytes of an entry's step beside actor, CID and block, and of another's beside key and value. */
const ENTRY_BYTES = 1 + 2 + 1 + 8 + 2 + 9 + 4;
const WRITE_BYTES = 1 + 4 + 4;

const FIRST_BYTES = 64 * 1024;
/** A larger buffer is not kept for the next record. */
const KEPT_BYTES = 1024 * 1024;

/** The magic number as the bytes that a record begins with. */
export const AHEAD_MAGIC: Buffer = Buffer.alloc(4);
AHEAD_MAGIC.writeUInt32LE(MAGIC);

/** Writes records, each into the same buffer. */
export class AheadRecordWriter {
  readonly #hash: Hash;
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);

  constructor(hash: Hash) {
    this.#hash = hash;
  }

  /** The record of the commit after `before`. Its bytes are good up to the next call. */
  write(
    before: CommitMark,
    segments: SegmentTail,
    steps: readonly Step[],
  ): { readonly mark: CommitMark; readonly bytes: Buffer } {
    this.#reserve(PREFIX_BYTES + TAIL_BYTES + sizeOfSteps(steps) + HASH_BYTES);
    const buffer = this.#buffer;
    const number = before.number + 1;
    buffer.writeUInt32LE(MAGIC, 0);
    writeU64(buffer, number, 8);
    buffer.set(before.hash, 16);
    writeU64(buffer, segments.segment, PREFIX_BYTES);
    writeU64(buffer, segments.sizeBytes, PREFIX_BYTES + 8);
    let at = PREFIX_BYTES + TAIL_BYTES;
    for (const step of steps) at = writeStep(buffer, step, at);
    buffer.writeUInt32LE(at - PREFIX_BYTES, 4);
    const hash = this.#hash(buffer.subarray(0, at));
    buffer.set(hash, at);
    return { mark: { number, hash }, bytes: buffer.subarray(0, at + HASH_BYTES) };
  }

  #reserve(bytes: number): void {
    const isKept = this.#buffer.length <= KEPT_BYTES || bytes > KEPT_BYTES;
    if (bytes <= this.#buffer.length && isKept) return;
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, 2 ** Math.ceil(Math.log2(bytes))));
  }
}

/** Reads the record at an offset; `undefined` where there is no whole one. */
export function readAheadRecord(
  hash: Hash,
  file: Buffer,
  at: number,
): { readonly record: AheadRecord; readonly prev: Uint8Array; readonly end: number } | undefined {
  if (at + PREFIX_BYTES + TAIL_BYTES + HASH_BYTES > file.length || file.readUInt32LE(at) !== MAGIC) return undefined;
  const end = at + PREFIX_BYTES + file.readUInt32LE(at + 4);
  if (end < at + PREFIX_BYTES + TAIL_BYTES || end + HASH_BYTES > file.length) return undefined;
  const digest = hash(file.subarray(at, end));
  if (file.compare(digest, 0, HASH_BYTES, end, end + HASH_BYTES) !== 0) return undefined;
  const number = readU64(file, at + 8);
  const segments = { segment: readU64(file, at + PREFIX_BYTES), sizeBytes: readU64(file, at + PREFIX_BYTES + 8) };
  const steps: Step[] = [];
  for (let next = at + PREFIX_BYTES + TAIL_BYTES; next < end; ) next = readStep(file, next, steps);
  const prev = Uint8Array.from(file.subarray(at + 16, at + PREFIX_BYTES));
  return { record: { mark: { number, hash: digest }, segments, steps }, prev, end: end + HASH_BYTES };
}

/** The number that a record at an offset would have; 0 where there is no room for one. */
export function numberAt(file: Buffer, at: number): number {
  return at + PREFIX_BYTES > file.length ? 0 : readU64(file, at + 8);
}

function sizeOfSteps(steps: readonly Step[]): number {
  let size = 0;
  for (const step of steps) {
    if (step.type === "entry") {
      const { actor, cid, bytes } = step.entry;
      // An id has at most three bytes a unit.
      size += ENTRY_BYTES + 3 * actor.length + cid.bytes.length + (bytes?.length ?? 0);
    } else size += WRITE_BYTES + step.key.length + (step.type === "put" ? step.value.length : 0);
  }
  return size;
}

function writeStep(into: Buffer, step: Step, at: number): number {
  if (step.type === "entry") return writeEntry(into, step.entry, at);
  into[at] = KIND[step.type];
  into.writeUInt32LE(step.key.length, at + 1);
  into.set(step.key, at + 5);
  const next = at + 5 + step.key.length;
  if (step.type === "del") return next;
  into.writeUInt32LE(step.value.length, next);
  into.set(step.value, next + 4);
  return next + 4 + step.value.length;
}

// u8 kind, u64 first event, u16 events, u8 wake, u64 time, u16 bytes of the actor's id, u8 bytes of the CID, u32 bytes of the block; these three.
function writeEntry(into: Buffer, { actor, cid, bytes, from, to, wake }: PlannedEntry, at: number): number {
  const name = at + ENTRY_BYTES;
  const named = into.write(actor, name);
  into[at] = KIND.entry;
  writeU64(into, from, at + 1);
  into.writeUInt16LE(to - from + 1, at + 9);
  into[at + 11] = wake === undefined ? WAKE.asItWas : wake === null ? WAKE.never : WAKE.at;
  writeU64(into, wake ?? 0, at + 12);
  into.writeUInt16LE(named, at + 20);
  into[at + 22] = cid.bytes.length;
  into.writeUInt32LE(bytes?.length ?? 0, at + 23);
  into.set(cid.bytes, name + named);
  const block = name + named + cid.bytes.length;
  if (bytes === undefined) return block;
  into.set(bytes, block);
  return block + bytes.length;
}

function readStep(file: Buffer, at: number, steps: Step[]): number {
  const kind = file[at];
  if (kind === KIND.entry) return readEntry(file, at, steps);
  const key = at + 5;
  const keyEnd = key + file.readUInt32LE(at + 1);
  if (kind === KIND.del) {
    steps.push({ type: "del", key: file.subarray(key, keyEnd) });
    return keyEnd;
  }
  const value = keyEnd + 4;
  const end = value + file.readUInt32LE(keyEnd);
  steps.push({ type: "put", key: file.subarray(key, keyEnd), value: file.subarray(value, end) });
  return end;
}

function readEntry(file: Buffer, at: number, steps: Step[]): number {
  const name = at + ENTRY_BYTES;
  const cid = name + file.readUInt16LE(at + 20);
  const block = cid + file.readUInt8(at + 22);
  const end = block + file.readUInt32LE(at + 23);
  const from = readU64(file, at + 1);
  const tag = file[at + 11];
  const wake = tag === WAKE.never ? null : tag === WAKE.at ? readU64(file, at + 12) : undefined;
  steps.push({
    type: "entry",
    entry: {
      actor: file.toString("utf8", name, cid),
      cid: CID.decode(Uint8Array.from(file.subarray(cid, block))),
      bytes: block === end ? undefined : file.subarray(block, end),
      from,
      to: from + file.readUInt16LE(at + 9) - 1,
      wake,
    },
  });
  return end;
}

function writeU64(into: Buffer, value: number, at: number): void {
  into.writeUInt32LE(value % 0x1_0000_0000, at);
  into.writeUInt32LE(Math.floor(value / 0x1_0000_0000), at + 4);
}

function readU64(from: Buffer, at: number): number {
  return from.readUInt32LE(at) + from.readUInt32LE(at + 4) * 0x1_0000_0000;
}
