import { SECTION_ITEMS_MAX } from "../limits.ts";

/** Numbers of the sections of a module (WebAssembly core specification, 5.5). */
export const SECTION = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
  tag: 13,
} as const;

/** A section's payload: `start` (inclusive) to `end` (exclusive) in the module; `from` is where its number stands. */
export interface Section {
  readonly id: number;
  readonly from: number;
  readonly start: number;
  readonly end: number;
}

const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What makes bytes unreadable as a module; {@link readSections} and {@link ByteReader} throw it. */
export class BinaryError extends Error {}

/** Reads the parts a binary module is made of (core specification, 5.2), never beyond `end`. */
export class ByteReader {
  private readonly bytes: Uint8Array;
  private readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get done(): boolean {
    return this.at === this.end;
  }

  byte(): number {
    if (this.at >= this.end) throw new BinaryError(`ends too early at byte ${this.at}`);
    return this.bytes[this.at++] as number;
  }

  /** An unsigned LEB128 of at most 32 bits. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    this.at--;
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new BinaryError(`has a number beyond 32 bits at byte ${this.at}`);
  }

  /** A count of items that follow; each takes at least a byte. */
  count(max = SECTION_ITEMS_MAX): number {
    const count = this.u32();
    if (count > max) throw new BinaryError(`lists ${count} items at byte ${this.at}, more than ${max}`);
    return count;
  }

  skip(length: number): void {
    if (length > this.end - this.at) throw new BinaryError(`ends too early at byte ${this.at}`);
    this.at += length;
  }

  /** Passes over a signed LEB128 of at most 64 bits. */
  skipSigned(): void {
    for (let length = 1; this.byte() >= 0x80; length++)
      if (length === 10) throw new BinaryError(`has a number beyond 64 bits at byte ${this.at}`);
  }

  name(): string {
    const length = this.u32();
    const start = this.at;
    this.skip(length);
    try {
      return UTF_8.decode(this.bytes.subarray(start, this.at));
    } catch {
      throw new BinaryError(`has a name that is no UTF-8 text at byte ${start}`);
    }
  }
}

// Order in which sections stand (5.5.16): the tag section lies between memory and global, the data count before code.
const ORDER = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.start,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
] as readonly number[];

/** True for bytes that begin as a module of version 1 does. */
export function hasHeader(bytes: Uint8Array): boolean {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
  return bytes.length >= 8 && header.every((byte, i) => bytes[i] === byte);
}

/** The sections of a module in their order. Throws {@link BinaryError}. */
export function readSections(bytes: Uint8Array): Section[] {
  const reader = new ByteReader(bytes, 8);
  const sections: Section[] = [];
  let last = -1;
  while (!reader.done) {
    const from = reader.at;
    const id = reader.byte();
    const length = reader.u32();
    const start = reader.at;
    reader.skip(length);
    if (id !== SECTION.custom) {
      const position = ORDER.indexOf(id);
      if (position < 0) throw new BinaryError(`has a section of unknown number ${id}`);
      if (position <= last) throw new BinaryError(`has section ${id} out of order`);
      last = position;
    }
    if (sections.length === SECTION_ITEMS_MAX) throw new BinaryError(`has more than ${SECTION_ITEMS_MAX} sections`);
    sections.push({ id, from, start, end: reader.at });
  }
  return sections;
}
