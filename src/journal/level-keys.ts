import { CID } from "multiformats/cid";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import type { Tip } from "./continuity.ts";
import type { Locator, SegmentTail } from "./segments.ts";

// First byte of every key: what it leads to.
const BLOCK = 0x62; // b, CID -> bytes of a small block
const LOCATED = 0x73; // s, CID -> locator of a large block
const ENTRY = 0x65; // e, actor, 0, u64 seq of the first event -> CID
const TIP = 0x68; // h, actor -> u64 seq of the last event, CID
const META = 0x6d; // m, key -> value
const COMMIT = 0x63; // c, u64 number -> commit record, of a store from before there was a write-ahead log
const MARK = 0x67; // g -> number and hash of the newest commit that is here, and the segments' end with it
const BASE = 0x61; // a, actor -> where its kept entries begin, dag-cbor
const FRAME = 0x66; // f, u64 frame number -> sealed frame
const SEALED = 0x69; // i, first bytes of an entry's digest -> frame number
const FRAME_AT = 0x6a; // j, actor, 0, u64 seq of the frame's first event -> u64 frame number, u64 seq of its last event
const WAKE = 0x77; // w, actor -> u64 time at which it has something to do
const COMPLETED = 0x7a; // z, u64 segment -> u64 final size

/** Bytes of a digest that tell one sealed entry from another: two of 2^40 that share them would be a surprise. */
const DIGEST_BYTES = 10;

/** A half-open range of keys. */
export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export const blockKey = (cid: CID): Buffer => prefixed(BLOCK, cid.bytes);
export const locatorKey = (cid: CID): Buffer => prefixed(LOCATED, cid.bytes);
export const tipKey = (actor: string): Buffer => prefixed(TIP, Buffer.from(actor));
export const baseKey = (actor: string): Buffer => prefixed(BASE, Buffer.from(actor));
export const frameKey = (number: number): Buffer => prefixed(FRAME, u64(number));
export const sealedKey = (cid: CID): Buffer => prefixed(SEALED, cid.multihash.digest.subarray(0, DIGEST_BYTES));
export const wakeKey = (actor: string): Buffer => prefixed(WAKE, Buffer.from(actor));
export const metaKey = (key: string): Buffer => prefixed(META, Buffer.from(key));
export const markKey: Buffer = Buffer.of(MARK);
/** Behind all keys. */
export const behindAll: Buffer = Buffer.of(0xff);
export const completedKey = (segment: number): Buffer => prefixed(COMPLETED, u64(segment));
export const entryKey = (actor: string, seq: number): Buffer => placeKey(ENTRY, actor, seq);
export const frameAtKey = (actor: string, seq: number): Buffer => placeKey(FRAME_AT, actor, seq);

function placeKey(kind: number, actor: string, seq: number): Buffer {
  const key = Buffer.allocUnsafe(1 + Buffer.byteLength(actor) + 1 + 8);
  key[0] = kind;
  const end = 1 + key.write(actor, 1);
  key[end] = 0;
  writeU64(key, seq, end + 1);
  return key;
}

/** All entries of an actor whose first event is after `seq`, in order. */
export const entriesAfter = (actor: string, seq: number): KeyRange => ({
  gte: entryKey(actor, seq + 1),
  lt: placePrefix(ENTRY, actor, 1),
});
export const allTips: KeyRange = rangeOf(TIP);
export const allWakes: KeyRange = rangeOf(WAKE);
export const allCommits: KeyRange = rangeOf(COMMIT);
export const allCompleted: KeyRange = rangeOf(COMPLETED);
export const allFrames: KeyRange = rangeOf(FRAME);
/** Every place of an actor's frames, in order. */
export const framesOf = (actor: string): KeyRange => ({
  gte: frameAtKey(actor, 0),
  lt: placePrefix(FRAME_AT, actor, 1),
});

/** The text after the key's first byte. */
export const textOfKey = (key: Buffer): string => key.toString("utf8", 1);
/** The number after the key's first byte. */
export const numberOfKey = (key: Buffer): number => Number(key.readBigUInt64BE(1));

export function tipValue(tip: Tip): Buffer {
  const value = Buffer.allocUnsafe(8 + tip.cid.bytes.length);
  writeU64(value, tip.seq, 0);
  value.set(tip.cid.bytes, 8);
  return value;
}
/** Throws where the bytes are not a tip. */
export const parseTip = (value: Buffer): Tip => ({
  seq: Number(value.readBigUInt64BE(0)),
  cid: CID.decode(Uint8Array.from(value.subarray(8))),
});

/** The newest commit that LevelDB has, and how far the segments were with it. */
export interface AppliedMark {
  readonly number: number;
  readonly hash: Uint8Array;
  readonly segments: SegmentTail;
}

export const markValue = ({ number, hash, segments }: AppliedMark): Buffer =>
  Buffer.concat([u64(number), u64(segments.segment), u64(segments.sizeBytes), hash]);
/** Throws where the bytes are not a mark. */
export const parseMark = (value: Buffer): AppliedMark => {
  if (value.length !== 56) throw new RangeError(`a mark of ${value.length} bytes`);
  return {
    number: Number(value.readBigUInt64BE(0)),
    segments: { segment: Number(value.readBigUInt64BE(8)), sizeBytes: Number(value.readBigUInt64BE(16)) },
    hash: Uint8Array.from(value.subarray(24)),
  };
};

/** Where a sealed frame's events stand in a journal. */
export interface FramePlace {
  readonly frame: number;
  /** Numbers of its first and its last event. */
  readonly from: number;
  readonly to: number;
}

export const frameAtValue = ({ frame, to }: FramePlace): Buffer => Buffer.concat([u64(frame), u64(to)]);
/** Throws where the bytes are not a frame's place. */
export const parseFrameAt = (key: Buffer, value: Buffer): FramePlace => ({
  frame: Number(value.readBigUInt64BE(0)),
  from: Number(key.readBigUInt64BE(key.length - 8)),
  to: Number(value.readBigUInt64BE(8)),
});

/** A frame's number as few bytes. */
export function sealedValue(frame: number): Buffer {
  const bytes = u64(frame);
  return bytes.subarray(
    Math.min(
      7,
      bytes.findIndex((byte) => byte !== 0),
    ),
  );
}
export const parseSealed = (value: Buffer): number => value.reduce((number, byte) => number * 0x100 + byte, 0);

export function locatorValue(locator: Locator): Buffer {
  return Buffer.concat([u64(locator.segment), u64(locator.offset), u64(locator.sizeBytes)]);
}

/** Throws where the bytes are not a locator. */
export function parseLocator(value: Buffer): Locator {
  const sizeBytes = Number(value.readBigUInt64BE(16));
  if (sizeBytes > BLOCK_SIZE_MAX) throw new RangeError(`a locator of ${sizeBytes} bytes`);
  return { segment: Number(value.readBigUInt64BE(0)), offset: Number(value.readBigUInt64BE(8)), sizeBytes };
}

/** A CID stored as a value. Throws where the bytes are not one. */
export const parseCid = (value: Buffer): CID => CID.decode(Uint8Array.from(value));

export function u64(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(8);
  writeU64(bytes, value, 0);
  return bytes;
}

function writeU64(into: Buffer, value: number, at: number): void {
  into.writeUInt32BE(Math.floor(value / 0x1_0000_0000), at);
  into.writeUInt32BE(value % 0x1_0000_0000, at + 4);
}

function placePrefix(kind: number, actor: string, end: 0 | 1): Buffer {
  return Buffer.concat([Buffer.of(kind), Buffer.from(actor), Buffer.of(end)]);
}

function prefixed(kind: number, rest: Uint8Array): Buffer {
  const key = Buffer.allocUnsafe(1 + rest.length);
  key[0] = kind;
  key.set(rest, 1);
  return key;
}

function rangeOf(kind: number): KeyRange {
  return { gte: Buffer.of(kind), lt: Buffer.of(kind + 1) };
}
