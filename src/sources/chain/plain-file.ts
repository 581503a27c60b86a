import { Buffer } from "node:buffer";
import { closeSync, read } from "node:fs";
import { promisify } from "node:util";
import { type FileVersion, readingError, SourceFile } from "../file.ts";
import { CHUNK_BYTES } from "./limits.ts";

const readAt = promisify(read);

/** Memory that is used again for one piece after the other, and grows with the largest. */
export class Room {
  private bytes: Buffer = Buffer.alloc(0);

  /** Memory of that size, which holds until the next is asked for. */
  of(sizeBytes: number): Buffer {
    if (this.bytes.length < sizeBytes) this.bytes = Buffer.allocUnsafeSlow(Math.max(sizeBytes, 2 * this.bytes.length));
    return this.bytes.subarray(0, sizeBytes);
  }
}

/**
 * A file that is not compressed, open for reading at any place. It is opened and looked at at once, which takes microseconds: only reading
 * is waited for. Throws `SOURCE_MISSING`, `SOURCE_UNREADABLE`, and `SOURCE_CHANGED` where it is not the version that was found.
 */
export class PlainFile implements Disposable {
  private readonly file: SourceFile;
  private readonly fd: number;

  constructor(version: FileVersion) {
    this.file = new SourceFile(version);
    this.fd = this.file.openNow();
  }

  /** Fills `into` with the bytes from a place on. Returns how many there are, fewer where the file ends. */
  async read(into: Buffer, from: number): Promise<number> {
    try {
      let at = 0;
      while (at < into.length) {
        const { bytesRead } = await readAt(this.fd, into, at, into.length - at, from + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      this.file.checkNow(this.fd);
      return at;
    } catch (error) {
      throw readingError(this.file.path, error);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/**
 * A file's bytes in chunks, the next of which is read while one is looked at. A chunk is done with when the one after it is asked for.
 * Throws as {@link PlainFile}, and the signal's reason.
 */
export async function* plainChunks(
  version: FileVersion,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  using file = new PlainFile(version);
  const rooms = [new Room(), new Room()] as const;
  let ahead = file.read(rooms[0].of(CHUNK_BYTES), 0);
  try {
    let from = 0;
    for (let number = 0; ; number++) {
      const sizeBytes = await ahead;
      signal?.throwIfAborted();
      if (sizeBytes === 0) return;
      from += sizeBytes;
      const [room, other] = number % 2 === 0 ? rooms : [rooms[1], rooms[0]];
      ahead = file.read(other.of(CHUNK_BYTES), from);
      // Whoever stops here does not wait for it.
      ahead.catch(() => undefined);
      yield room.of(sizeBytes);
    }
  } finally {
    // Nothing may be read from a file that is closed.
    await ahead.catch(() => undefined);
  }
}
