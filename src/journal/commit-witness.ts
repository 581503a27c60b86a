import { writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { CommitMark } from "./commit-log.ts";
import { openOrCreate } from "./open-or-create.ts";

const SLOT_BYTES = 48;
const WITNESS_MAGIC = 0x31434d49;

/**
 * A small file beside the write-ahead log that names the newest acknowledged commit. It is written after the commit's own sync and not
 * synced itself, so it may lag behind after a loss of power, but is never ahead; it tells a damaged last record from one that a crash left
 * half written. Two slots are written in turn, each with a checksum.
 */
export class CommitWitness {
  readonly #file: FileHandle;
  readonly #slot = Buffer.alloc(SLOT_BYTES);

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
    const slot = fill(this.#slot, mark);
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

function fill(slot: Buffer, mark: CommitMark): Buffer {
  slot.writeUInt32LE(WITNESS_MAGIC, 0);
  slot.writeUInt32LE(mark.number % 0x1_0000_0000, 4);
  slot.writeUInt32LE(Math.floor(mark.number / 0x1_0000_0000), 8);
  slot.set(mark.hash, 12);
  slot.writeUInt32LE(crc32(slot.subarray(0, SLOT_BYTES - 4)), SLOT_BYTES - 4);
  return slot;
}

function readSlot(slot: Buffer): CommitMark | undefined {
  if (slot.readUInt32LE(0) !== WITNESS_MAGIC) return undefined;
  if (slot.readUInt32LE(SLOT_BYTES - 4) !== crc32(slot.subarray(0, SLOT_BYTES - 4))) return undefined;
  return { number: Number(slot.readBigUInt64LE(4)), hash: Uint8Array.from(slot.subarray(12, 44)) };
}
