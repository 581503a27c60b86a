import { CID } from "multiformats/cid";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import type { Tip } from "./continuity.ts";
import type { Locator } from "./segments.ts";

// First byte of every key: what it leads to.
const BLOCK = 0x62; // b, CID -> bytes of a small block
const LOCATED = 0x73; // s, CID -> locator of a large block
const ENTRY = 0x65; // e, actor, 0, u64 seq of the first event -> CID
const TIP = 0x68; // h, actor -> u64 seq of the last event, CID
const META = 0x6d; // m, key -> value
const COMMIT = 0x63; // c, u64 number -> commit record
const WAKE = 0x77; // w, actor -> u64 time at which it has something to do
const COMPLETED = 0x7a; // z, u64 segment -> u64 final size

/** A half-open range of keys. */
export interface KeyRange {
  readonly gte: Buffer;
  readonly lt: Buffer;
}

export const blockKey = (cid: CID): Buffer => prefixed(BLOCK, cid.bytes);
export const locatorKey = (cid: CID): Buffer => prefixed(LOCATED, cid.bytes);
export const tipKey = (actor: string): Buffer => prefixed(TIP, Buffer.from(actor));
export const wakeKey = (actor: string): Buffer => prefixed(WAKE, Buffer.from(actor));
export const metaKey = (key: string): Buffer => prefixed(META, Buffer.from(key));
export const commitKey = (number: number): Buffer => prefixed(COMMIT, u64(number));
export const completedKey = (segment: number): Buffer => prefixed(COMPLETED, u64(segment));
export const entryKey = (actor: string, seq: number): Buffer => Buffer.concat([entryPrefix(actor, 0), u64(seq)]);

/** All entries of an actor whose first event is after `seq`, in order. */
export const entriesAfter = (actor: string, seq: number): KeyRange => ({
  gte: entryKey(actor, seq + 1),
  lt: entryPrefix(actor, 1),
});
export const allTips: KeyRange = rangeOf(TIP);
export const allWakes: KeyRange = rangeOf(WAKE);
export const allCommits: KeyRange = rangeOf(COMMIT);
export const allCompleted: KeyRange = rangeOf(COMPLETED);

/** The text after the key's first byte. */
export const textOfKey = (key: Buffer): string => key.toString("utf8", 1);
/** The number after the key's first byte. */
export const numberOfKey = (key: Buffer): number => Number(key.readBigUInt64BE(1));

export const tipValue = (tip: Tip): Buffer => Buffer.concat([u64(tip.seq), tip.cid.bytes]);
/** Throws where the bytes are not a tip. */
export const parseTip = (value: Buffer): Tip => ({
  seq: Number(value.readBigUInt64BE(0)),
  cid: CID.decode(Uint8Array.from(value.subarray(8))),
});

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
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function entryPrefix(actor: string, end: 0 | 1): Buffer {
  return Buffer.concat([Buffer.of(ENTRY), Buffer.from(actor), Buffer.of(end)]);
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
