import { fdatasync, fdatasyncSync, writeSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Hash } from "../core/ports.ts";
import { AheadRecordWriter, type Step } from "./ahead-record.ts";
import { type AheadContents, scanAhead } from "./ahead-scan.ts";
import type { CommitMark } from "./commit-log.ts";
import { AHEAD_FILE_BYTES, AHEAD_FIRST_BYTES } from "./limits.ts";
import { openOrCreate } from "./open-or-create.ts";
import type { SegmentTail } from "./segments.ts";
import { SyncPace } from "./sync-pace.ts";

const FILES = ["ahead.0", "ahead.1"] as const;
const ZEROS = Buffer.alloc(64 * 1024);

/** What a log needs from the store around it. */
export interface AheadPorts {
  readonly hash: Hash;
  /** Resolves when every commit up to now is in synced tables of LevelDB, so that its records are not needed any more. */
  release(): Promise<void>;
  /** Bytes after which the other file is begun; 4 MiB. */
  readonly fileBytes?: number | undefined;
}

interface AheadFile {
  readonly handle: FileHandle;
  /** Bytes of the file; behind the newest record they are zero, or records of an earlier turn. */
  sizeBytes: number;
  /** The newest record in it; 0 for none. */
  newest: number;
}

/**
 * The write-ahead log of a store: what a group commit brings into LevelDB, as one record with one sync. Two files take turns; one is written
 * again from its beginning when LevelDB has synced all that is in it. They grow ahead of their records, so that a sync most often writes
 * nothing but the record itself: a file that grows has its size and its blocks written too. One writer: appends must not overlap.
 */
export class AheadLog {
  readonly #ports: AheadPorts;
  readonly #files: readonly AheadFile[];
  readonly #writer: AheadRecordWriter;
  readonly #pace = new SyncPace();
  readonly #fileBytes: number;
  /** Releasing of the file that is not written to. */
  #releasing: Promise<void> | undefined;
  #turn: number;
  #end: number;
  #mark: CommitMark;
  #recordBytes = 0;

  private constructor(ports: AheadPorts, files: readonly AheadFile[], { file, end, mark }: AheadContents) {
    this.#ports = ports;
    this.#fileBytes = ports.fileBytes ?? AHEAD_FILE_BYTES;
    this.#files = files;
    this.#writer = new AheadRecordWriter(ports.hash);
    this.#turn = file;
    this.#end = end;
    this.#mark = mark;
  }

  /** Opens or creates the files in a folder; the caller syncs the folder. Throws as {@link scanAhead}. */
  static async open(
    folder: string,
    applied: CommitMark,
    ports: AheadPorts,
  ): Promise<{ readonly log: AheadLog; readonly contents: AheadContents }> {
    const handles: FileHandle[] = [];
    try {
      for (const name of FILES) handles.push(await openOrCreate(join(folder, name)));
      const bytes = await Promise.all(handles.map((handle) => handle.readFile()));
      const contents = scanAhead(ports.hash, bytes, applied);
      const files = handles.map((handle, at) => ({
        handle,
        sizeBytes: bytes[at]?.length ?? 0,
        newest: contents.newest[at] ?? 0,
      }));
      return { log: new AheadLog(ports, files, contents), contents };
    } catch (error) {
      for (const handle of handles) await handle.close();
      throw error;
    }
  }

  /** The newest commit. */
  get mark(): CommitMark {
    return this.#mark;
  }

  /** Bytes of the newest record. */
  get recordBytes(): number {
    return this.#recordBytes;
  }

  /** Bytes of records that a start would have to read. */
  get heldBytes(): number {
    const other = this.#files[1 - this.#turn] as AheadFile;
    return this.#end + (other.newest === 0 ? 0 : other.sizeBytes);
  }

  /**
   * Makes the next commit durable: when it returns `undefined`, or when the promise resolves. `alone` says that nobody else waits: then a sync
   * by a fast disk is done here and now. After a failure the object must not be used again.
   */
  append(segments: SegmentTail, steps: readonly Step[], alone: boolean): Promise<void> | undefined {
    const { mark, bytes } = this.#writer.write(this.#mark, segments, steps);
    this.#recordBytes = bytes.length;
    if (this.#end > 0 && this.#end + bytes.length > this.#fileBytes) return this.#turnAndWrite(mark, bytes, alone);
    return this.#write(mark, bytes, alone);
  }

  /** Empties the files, whose records must have been released. */
  async clear(): Promise<void> {
    await this.#releasing?.catch(() => {});
    // The older one first: what is left of the log, wherever this ends, begins where LevelDB does.
    for (const file of [this.#files[1 - this.#turn] as AheadFile, this.#files[this.#turn] as AheadFile]) {
      await file.handle.truncate(0);
      await file.handle.datasync();
      file.sizeBytes = 0;
      file.newest = 0;
    }
    this.#end = 0;
    this.#releasing = undefined;
  }

  async close(): Promise<void> {
    await this.#releasing?.catch(() => {}); // told by whoever needs it
    for (const { handle } of this.#files) await handle.close();
  }

  async #turnAndWrite(mark: CommitMark, bytes: Buffer, alone: boolean): Promise<void> {
    const next = this.#files[1 - this.#turn] as AheadFile;
    if (next.newest > 0) await (this.#releasing ?? this.#ports.release());
    next.newest = 0;
    this.#turn = 1 - this.#turn;
    this.#end = 0;
    // Begun early, so that most often nobody has to wait for it.
    this.#releasing = this.#ports.release();
    this.#releasing.catch(() => {});
    await this.#write(mark, bytes, alone);
  }

  #write(mark: CommitMark, bytes: Buffer, alone: boolean): Promise<void> | undefined {
    const file = this.#files[this.#turn] as AheadFile;
    const { fd } = file.handle;
    writeFully(fd, bytes, this.#end);
    this.#end += bytes.length;
    if (this.#end > file.sizeBytes) file.sizeBytes = padded(fd, this.#end, this.#fileBytes);
    if (this.#pace.isDirect(alone)) {
      this.#pace.direct(() => fdatasyncSync(fd));
      this.#synced(file, mark);
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const start = performance.now();
      fdatasync(fd, (error) => {
        if (error !== null) return reject(error);
        this.#pace.measured(performance.now() - start);
        this.#synced(file, mark);
        resolve();
      });
    });
  }

  #synced(file: AheadFile, mark: CommitMark): void {
    file.newest = mark.number;
    this.#mark = mark;
  }
}

function writeFully(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, position + at);
}

/** Writes zeros behind the records of a file that has grown; gives its size then. A disk without room for them is no failure. */
function padded(fd: number, end: number, most: number): number {
  const wanted = Math.min(most, Math.max(AHEAD_FIRST_BYTES, 2 * end));
  let size = end;
  try {
    while (size < wanted) size += writeSync(fd, ZEROS, 0, Math.min(ZEROS.length, wanted - size), size);
  } catch {
    // The next records will find out.
  }
  return size;
}
