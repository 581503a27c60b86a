import { decodeVarint } from "../dag/varint.ts";
import { CRC32C_BEGIN, crc32c, crc32cOf, crc32cOver } from "./crc32c.ts";
import { maskedCrc } from "./level-table.ts";

// LevelDB's log format (google/leveldb, doc/log_format.md): blocks of 32 KiB with records of masked CRC-32C, length, kind, payload.
const BLOCK_BYTES = 32 * 1024;
const HEADER_BYTES = 7;

/** What a field of a version's edit holds, by its tag: n number, s text, l level. */
const FIELDS: Readonly<Record<number, string>> = {
  1: "s",
  2: "n",
  3: "n",
  4: "n",
  5: "ls",
  6: "ln",
  7: "lnnss",
  9: "n",
};
const DELETED = 6;
const ADDED = 7;

/** The tables that a LevelDB consists of, or what is wrong with the file that lists them. */
export type Manifest =
  | { readonly tables: readonly number[]; readonly problem?: undefined }
  | { readonly problem: string };

/**
 * Reads which tables a manifest of LevelDB lists. A record that a crash cut off at its end is left out, as LevelDB does. One whose length was
 * altered looks the same to LevelDB, which then deletes the tables that it lists; here its checksum tells.
 */
export function readManifest(bytes: Uint8Array): Manifest {
  const tables = new Set<number>();
  let parts: Uint8Array[] = [];
  for (let at = 0; at + HEADER_BYTES <= bytes.length; ) {
    const left = BLOCK_BYTES - (at % BLOCK_BYTES);
    if (left < HEADER_BYTES) {
      at += left;
      continue;
    }
    const record = recordAt(bytes, at, Math.min(bytes.length, at + left));
    if (record === "cut") break;
    if (record === "altered") return { problem: `the record at byte ${at} is altered` };
    at += HEADER_BYTES + record.payload.length;
    parts.push(record.payload);
    if (!record.isLast) continue;
    if (!applyEdit(tables, concatenated(parts))) return { problem: `the record that ends at byte ${at} is none` };
    parts = [];
  }
  return { tables: [...tables].sort((a, b) => b - a) };
}

function recordAt(
  bytes: Uint8Array,
  at: number,
  blockEnd: number,
): { readonly payload: Uint8Array; readonly isLast: boolean } | "cut" | "altered" {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const crc = view.getUint32(at, true);
  const length = view.getUint16(at + 4, true);
  const kind = view.getUint8(at + 6);
  const from = at + HEADER_BYTES;
  if (from + length > blockEnd) {
    const rest = bytes.subarray(from, blockEnd);
    return blockEnd < bytes.length || hasOtherLength(crc, kind, rest) ? "altered" : "cut";
  }
  if (maskedCrc(crc32c(bytes.subarray(at + 6, from + length))) !== crc) return "altered";
  // Kinds are full, first, middle and last, from 1.
  return { payload: bytes.subarray(from, from + length), isLast: kind === 1 || kind === 4 };
}

/** Whether the record would be whole with a smaller length than it says. */
function hasOtherLength(crc: number, kind: number, rest: Uint8Array): boolean {
  let sum = crc32cOver(CRC32C_BEGIN, Uint8Array.of(kind));
  for (let length = 0; ; length++) {
    if (maskedCrc(crc32cOf(sum)) === crc) return true;
    if (length === rest.length) return false;
    sum = crc32cOver(sum, rest.subarray(length, length + 1));
  }
}

/** Takes the tables that an edit adds and deletes; false where it is not one. */
function applyEdit(tables: Set<number>, edit: Uint8Array): boolean {
  for (let at = 0; at < edit.length; ) {
    const tag = decodeVarint(edit, at);
    const fields = tag === undefined ? undefined : FIELDS[tag.value];
    if (tag === undefined || fields === undefined) return false;
    at = tag.end;
    const numbers: number[] = [];
    for (const field of fields) {
      const number = decodeNumber(edit, at);
      if (number === undefined) return false;
      at = number.end + (field === "s" ? number.value : 0);
      if (field === "n") numbers.push(number.value);
    }
    if (at > edit.length) return false;
    const [table = 0] = numbers;
    if (tag.value === ADDED) tables.add(table);
    if (tag.value === DELETED) tables.delete(table);
  }
  return true;
}

/** A varint of up to 53 bits: numbers of versions grow with every write. */
function decodeNumber(bytes: Uint8Array, at: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let place = 0; place < 8; place++) {
    const byte = bytes[at + place];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * place);
    if (byte < 0x80) return { value, end: at + place + 1 };
  }
  return undefined;
}

function concatenated(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? (parts[0] as Uint8Array) : Uint8Array.from(Buffer.concat(parts));
}
