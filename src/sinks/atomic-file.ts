import { randomBytes } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { IpdmError } from "../core/errors.ts";

/** A new file written beside its final name and renamed to it when it is complete and synced. */
export class AtomicFile {
  readonly path: string;
  /** Where its bytes are until {@link commit}; another writer than {@link append} may fill it, and closes it before. */
  readonly temporary: string;
  /** Bytes appended so far; after {@link commit} the file's size. */
  sizeBytes = 0;
  private readonly handle: FileHandle;
  private isOpen = true;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.temporary = temporary;
    this.handle = handle;
  }

  /** Creates the folder and the temporary file, with these permissions. Throws `SINK_UNWRITABLE`, `DISK_FULL`. */
  static async create(path: string, mode = 0o666): Promise<AtomicFile> {
    const temporary = `${path}.${randomBytes(8).toString("hex")}.tmp`;
    try {
      await mkdir(dirname(path), { recursive: true });
      const there = await stat(path).catch(() => undefined);
      if (there?.isDirectory() === true) throw unwritable(path, "it is a folder");
      return new AtomicFile(path, temporary, await open(temporary, "wx", mode));
    } catch (error) {
      throw writingError(path, error);
    }
  }

  /** Appends bytes; the file is removed when that fails. */
  async append(bytes: Uint8Array): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.handle.write(bytes, at, bytes.length - at);
        at += bytesWritten;
      }
      this.sizeBytes += bytes.length;
    } catch (error) {
      await this.discard();
      throw writingError(this.path, error);
    }
  }

  /** Syncs the file, gives it its name, and syncs the folder so that the name survives a power cut. */
  async commit(): Promise<void> {
    try {
      await this.handle.sync();
      this.sizeBytes = (await this.handle.stat()).size;
      await this.handle.close();
      this.isOpen = false;
      await rename(this.temporary, this.path);
    } catch (error) {
      await this.discard();
      throw writingError(this.path, error);
    }
    // Some systems refuse to open or sync a folder; the file itself is complete by now.
    const folder = await open(dirname(this.path), "r").catch(() => undefined);
    await folder?.sync().catch(() => undefined);
    await folder?.close().catch(() => undefined);
  }

  /** Removes the temporary file. */
  async discard(): Promise<void> {
    if (this.isOpen) {
      this.isOpen = false;
      await this.handle.close().catch(() => undefined);
    }
    await unlink(this.temporary).catch(() => undefined);
  }
}

/** Writes a file whole or not at all: beside its name, synced, then renamed, and the folder synced. Throws `SINK_*`, `DISK_FULL`. */
export async function writeWhole(path: string, bytes: Uint8Array, mode?: number): Promise<void> {
  const file = await AtomicFile.create(path, mode);
  await file.append(bytes);
  await file.commit();
}

/** A system error while writing as `DISK_FULL`, `SINK_UNWRITABLE` or `SINK_FAILED`; other errors as they are. */
export function writingError(path: string, error: unknown): unknown {
  const code = (error as { code?: unknown }).code;
  if (error instanceof IpdmError || typeof code !== "string") return error;
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new IpdmError("DISK_FULL", `no space left to write ${path}`, {
      where: path,
      retry: "later",
      hint: "free space, or write to another disk",
      cause: error,
    });
  }
  if (["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "ENAMETOOLONG"].includes(code))
    return unwritable(path, code, error);
  return new IpdmError("SINK_FAILED", `${path} could not be written (${code})`, {
    where: path,
    retry: "later",
    cause: error,
  });
}

function unwritable(path: string, why: string, cause?: unknown): IpdmError {
  return new IpdmError("SINK_UNWRITABLE", `${path} cannot be written: ${why}`, {
    kind: "config",
    where: path,
    hint: "check the path and its permissions",
    ...(cause === undefined ? {} : { cause }),
  });
}
