import * as dagCbor from "@ipld/dag-cbor";
import { CID } from "multiformats/cid";

/** Nesting up to which values are written here; the library takes deeper ones. */
const DEPTH_MAX = 64;
/** Texts up to this many units are copied unit by unit, which is faster than a call of the encoder. */
const SHORT_TEXT = 64;
const FIRST_BYTES = 16 * 1024;
/** Larger buffers are not kept for the next value. */
const KEPT_BYTES = 1024 * 1024;

const text = new TextEncoder();
const float = new DataView(new ArrayBuffer(8));
let buffer = new Uint8Array(FIRST_BYTES);
let at = 0;

/**
 * Encodes a value as dag-cbor: the very bytes of `@ipld/dag-cbor`, several times faster for plain records, lists, texts, numbers,
 * bytes and links. Anything else is left to the library. Throws as the library does.
 */
export function encodeCbor(value: unknown): Uint8Array {
  at = 0;
  const written = write(value, 0) ? buffer.slice(0, at) : undefined;
  if (buffer.length > KEPT_BYTES) buffer = new Uint8Array(FIRST_BYTES);
  return written ?? dagCbor.encode(value);
}

/** Writes a value; false where the library has to. */
function write(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      return writeText(value);
    case "number":
      return writeNumber(value);
    case "boolean":
      room(1);
      buffer[at++] = value ? 0xf5 : 0xf4;
      return true;
    case "object":
      return value === null ? writeNull() : writeObject(value, depth);
    default:
      return false;
  }
}

function writeNull(): true {
  room(1);
  buffer[at++] = 0xf6;
  return true;
}

function writeNumber(value: number): boolean {
  if (Number.isSafeInteger(value)) {
    if (Object.is(value, -0)) return false;
    if (value >= 0) writeHead(0x00, value);
    else writeHead(0x20, -1 - value);
    return true;
  }
  if (!Number.isFinite(value) || Number.isInteger(value)) return false;
  room(9);
  buffer[at++] = 0xfb;
  float.setFloat64(0, value);
  for (let byte = 0; byte < 8; byte++) buffer[at++] = float.getUint8(byte);
  return true;
}

function writeText(value: string): boolean {
  return (value.length <= SHORT_TEXT && writeAscii(value)) || writeWideText(value);
}

/** Writes a text of ASCII; false, and nothing written, where it is not. */
function writeAscii(value: string): boolean {
  const { length } = value;
  room(length + 9);
  const start = at;
  writeHead(0x60, length);
  for (let index = 0; index < length; index++) {
    const unit = value.charCodeAt(index);
    if (unit > 0x7f) {
      at = start;
      return false;
    }
    buffer[at++] = unit;
  }
  return true;
}

function writeWideText(value: string): boolean {
  if (!value.isWellFormed()) return false;
  // The head's size depends on the number of bytes, which is known afterwards: most often it is that of the number of units.
  const guess = headSize(value.length);
  room(9 + value.length * 3);
  const start = at;
  const { written } = text.encodeInto(value, buffer.subarray(start + guess));
  const size = headSize(written);
  if (size !== guess) buffer.copyWithin(start + size, start + guess, start + guess + written);
  writeHead(0x60, written);
  at = start + size + written;
  return true;
}

function writeObject(value: object, depth: number): boolean {
  if (depth >= DEPTH_MAX) return false;
  if (Array.isArray(value)) {
    room(9);
    writeHead(0x80, value.length);
    for (let index = 0; index < value.length; index++) if (!write(value[index], depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return writeRecord(value, depth);
  if (prototype === CID.prototype) return writeLink(value as CID);
  if (value instanceof Uint8Array) return writeBytes(value);
  return false;
}

function writeLink({ bytes }: CID): true {
  room(bytes.length + 8);
  buffer[at++] = 0xd8;
  buffer[at++] = 42;
  writeHead(0x40, bytes.length + 1);
  buffer[at++] = 0;
  buffer.set(bytes, at);
  at += bytes.length;
  return true;
}

function writeBytes(bytes: Uint8Array): true {
  room(bytes.length + 9);
  writeHead(0x40, bytes.length);
  buffer.set(bytes, at);
  at += bytes.length;
  return true;
}

function writeRecord(value: object, depth: number): boolean {
  if ("asCID" in value || "/" in value) return false; // it may be a link of another copy of the library
  let keys = Object.keys(value);
  for (let index = 1; index < keys.length; index++) {
    if (compareKeys(keys[index - 1] as string, keys[index] as string) <= 0) continue;
    keys = keys.sort(compareKeys);
    break;
  }
  room(9);
  writeHead(0xa0, keys.length);
  for (let index = 0; index < keys.length; index++) {
    const key = keys[index] as string;
    // The order of keys beyond ASCII is not that of their units: the library sorts them.
    if (!writeAscii(key) || !write((value as Readonly<Record<string, unknown>>)[key], depth + 1)) return false;
  }
  return true;
}

/** dag-cbor's order of keys, for keys of ASCII: the shorter first, then by bytes. */
function compareKeys(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}

function headSize(value: number): number {
  return value < 24 ? 1 : value < 0x100 ? 2 : value < 0x10000 ? 3 : value < 0x1_0000_0000 ? 5 : 9;
}

/** A major type and its number, as short as it can be. */
function writeHead(major: number, value: number): void {
  room(9);
  if (value < 24) {
    buffer[at++] = major | value;
  } else if (value < 0x100) {
    buffer[at++] = major | 24;
    buffer[at++] = value;
  } else if (value < 0x10000) {
    buffer[at++] = major | 25;
    buffer[at++] = value >>> 8;
    buffer[at++] = value;
  } else if (value < 0x1_0000_0000) {
    buffer[at++] = major | 26;
    writeWord(value);
  } else {
    buffer[at++] = major | 27;
    writeWord(Math.floor(value / 0x1_0000_0000));
    writeWord(value % 0x1_0000_0000);
  }
}

function writeWord(value: number): void {
  buffer[at++] = value >>> 24;
  buffer[at++] = value >>> 16;
  buffer[at++] = value >>> 8;
  buffer[at++] = value;
}

function room(bytes: number): void {
  if (at + bytes <= buffer.length) return;
  const wider = new Uint8Array(Math.max(buffer.length * 2, at + bytes));
  wider.set(buffer.subarray(0, at));
  buffer = wider;
}
