import { type FileHandle, mkdir, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Block } from "../dag/block.ts";
import { corrupt } from "./errors.ts";
import { SEGMENT_BYTES } from "./limits.ts";
import { SegmentReaders } from "./segment-readers.ts";

/** Where a block's bytes are: segment number from 1, byte offset of its first byte, length in bytes. */
export interface Locator {
  readonly segment: number;
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Where the next frame goes: the newest segment and the bytes it holds. Segment 0 means that there is none yet. */
export interface SegmentTail {
  readonly segment: number;
  readonly sizeBytes: number;
}

/** What one append wrote: a locator a block, the segments it completed with their sizes, and the new tail. */
export interface SegmentAppend {
  readonly locators: readonly Locator[];
  readonly completed: readonly SegmentTail[];
  readonly tail: SegmentTail;
}

// Frame: "IPDM", u32 payload length, u8 CID length, CID padded to 43 bytes, u32 CRC-32 of the 52 bytes before; then the payload,
// which its CID checks. Little-endian.
const HEADER_BYTES = 56;
const MAGIC = 0x4d445049;
const CID_BYTES_MAX = 43;
const BUFFERS_PER_WRITE = 512;

/**
 * Append-only files of framed blocks. What was appended but never indexed (a crash between the two) is cut off on open.
 * One writer: appends must not overlap. Throws `JOURNAL_CORRUPT` when a file is missing or shorter than what was indexed.
 */
export class Segments {
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #readers = new SegmentReaders();
  #tail: SegmentTail;
  #writer: FileHandle | undefined;

  private constructor(directory: string, tail: SegmentTail, segmentBytes: number) {
    this.#directory = directory;
    this.#tail = tail;
    this.#segmentBytes = segmentBytes;
  }

  /** `completed` maps segment numbers to their final sizes; `tail` is the one that grows. */
  static async open(
    directory: string,
    completed: ReadonlyMap<number, number>,
    tail: SegmentTail,
    segmentBytes: number = SEGMENT_BYTES,
  ): Promise<Segments> {
    await mkdir(directory, { recursive: true });
    const present = new Set(await readdir(directory));
    for (let segment = 1; segment <= tail.segment; segment++) {
      const name = segmentName(segment);
      const expected = segment === tail.segment ? tail.sizeBytes : completed.get(segment);
      if (!present.has(name) || expected === undefined) throw corrupt(`segments/${name} is missing`, { segment: name });
      await cutTo(join(directory, name), name, expected);
      present.delete(name);
    }
    // Segments beyond the tail were begun by a commit that was never indexed.
    for (const name of present) if (/^\d{6}\.seg$/.test(name)) await rm(join(directory, name));
    return new Segments(directory, tail, segmentBytes);
  }

  get tail(): SegmentTail {
    return this.#tail;
  }

  /** Writes the blocks and syncs them. After a rejection the object must not be used to append again. */
  async append(blocks: readonly Block[]): Promise<SegmentAppend> {
    const locators: Locator[] = [];
    const completed: SegmentTail[] = [];
    let { segment, sizeBytes } = this.#tail;
    let buffers: Uint8Array[] = [];
    let start = sizeBytes;
    for (const block of blocks) {
      if (segment === 0 || sizeBytes >= this.#segmentBytes) {
        await this.#write(segment, buffers, start, true);
        if (segment > 0) completed.push({ segment, sizeBytes });
        await this.#begin(segment + 1);
        segment += 1;
        sizeBytes = 0;
        start = 0;
        buffers = [];
      }
      buffers.push(frameHeader(block), block.bytes);
      locators.push({ segment, offset: sizeBytes + HEADER_BYTES, sizeBytes: block.bytes.length });
      sizeBytes += HEADER_BYTES + block.bytes.length;
      if (buffers.length >= BUFFERS_PER_WRITE) {
        await this.#write(segment, buffers, start, false);
        start = sizeBytes;
        buffers = [];
      }
    }
    await this.#write(segment, buffers, start, true);
    this.#tail = { segment, sizeBytes };
    return { locators, completed, tail: this.#tail };
  }

  /** The bytes at a place; they may be fewer than asked for where a file was cut. The caller checks them. */
  async read(locator: Locator): Promise<Uint8Array> {
    const path = join(this.#directory, segmentName(locator.segment));
    return await this.#readers.read(path, locator.offset, locator.sizeBytes);
  }

  async close(): Promise<void> {
    await this.#writer?.close();
    this.#writer = undefined;
    await this.#readers.close();
  }

  async #begin(segment: number): Promise<void> {
    await this.#writer?.close();
    this.#writer = await open(join(this.#directory, segmentName(segment)), "w");
    // The new name must survive too, not only the bytes.
    await syncDirectory(this.#directory);
  }

  async #write(segment: number, buffers: readonly Uint8Array[], position: number, sync: boolean): Promise<void> {
    if (segment === 0) return;
    this.#writer ??= await open(join(this.#directory, segmentName(segment)), "r+");
    if (buffers.length > 0) await writeFully(this.#writer, buffers, position);
    if (sync) await this.#writer.datasync();
  }
}

/** File name of a segment: six digits and `.seg`. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(6, "0")}.seg`;
}

function frameHeader(block: Block): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  const cid = block.cid.bytes;
  if (cid.length > CID_BYTES_MAX) throw corrupt(`a CID of ${cid.length} bytes`);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(block.bytes.length, 4);
  header.writeUInt8(cid.length, 8);
  header.set(cid, 9);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES - 4)), HEADER_BYTES - 4);
  return header;
}

async function writeFully(file: FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let rest = buffers;
  let at = position;
  while (rest.length > 0) {
    const { bytesWritten } = await file.writev(rest, at);
    at += bytesWritten;
    let left = bytesWritten;
    let whole = 0;
    for (const buffer of rest) {
      if (buffer.length > left) break;
      left -= buffer.length;
      whole += 1;
    }
    const cut = rest[whole];
    rest = cut === undefined ? [] : [cut.subarray(left), ...rest.slice(whole + 1)];
  }
}

async function cutTo(path: string, name: string, expected: number): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    if (size < expected) {
      throw corrupt(`segments/${name} holds ${size} bytes of ${expected}`, { segment: name, expected, found: size });
    }
    if (size > expected) {
      await file.truncate(expected);
      await file.datasync();
    }
  } finally {
    await file.close();
  }
}

/** Makes names created in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
