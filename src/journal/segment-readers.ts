import { type FileHandle, open } from "node:fs/promises";
import { SEGMENT_READERS_MAX } from "./limits.ts";

interface Reader {
  readonly file: Promise<FileHandle>;
  users: number;
  evicted: boolean;
}

/** Files open for reading, by path: the least recently used is closed once no read is in flight on it. */
export class SegmentReaders {
  readonly #readers = new Map<string, Reader>();

  /** Reads up to `sizeBytes` from `offset`; fewer where the file ends before. */
  async read(path: string, offset: number, sizeBytes: number): Promise<Uint8Array> {
    const reader = this.#take(path);
    try {
      const file = await reader.file;
      const bytes = new Uint8Array(sizeBytes);
      let filled = 0;
      while (filled < sizeBytes) {
        const { bytesRead } = await file.read(bytes, filled, sizeBytes - filled, offset + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      reader.users -= 1;
      if (reader.evicted && reader.users === 0) await closeReader(reader);
    }
  }

  async close(): Promise<void> {
    const idle = [...this.#readers.values()].filter((reader) => reader.users === 0);
    for (const reader of this.#readers.values()) reader.evicted = true;
    this.#readers.clear();
    for (const reader of idle) await closeReader(reader);
  }

  #take(path: string): Reader {
    let reader = this.#readers.get(path);
    if (reader === undefined) reader = { file: open(path, "r"), users: 0, evicted: false };
    else this.#readers.delete(path);
    reader.users += 1;
    this.#readers.set(path, reader);
    reader.file.catch(() => this.#readers.delete(path));
    this.#evict();
    return reader;
  }

  #evict(): void {
    if (this.#readers.size <= SEGMENT_READERS_MAX) return;
    const oldest = this.#readers.entries().next();
    if (oldest.done === true) return;
    const [path, reader] = oldest.value;
    this.#readers.delete(path);
    reader.evicted = true;
    if (reader.users === 0) void closeReader(reader);
  }
}

async function closeReader(reader: Reader): Promise<void> {
  try {
    await (await reader.file).close();
  } catch {
    // A file opened only to read: nothing is lost when closing it, or opening it before, failed.
  }
}
