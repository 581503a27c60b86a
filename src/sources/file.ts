import { createHash } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, openSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { open, stat } from "node:fs/promises";
import { IpdmError } from "../core/errors.ts";
import { READ_CHUNK_BYTES } from "./limits.ts";
import type { Content, SourceFormat } from "./port.ts";

/** What identifies a version of a file, as plain data for another thread. */
export interface FileVersion {
  readonly path: string;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ino: bigint;
}

/** A file as it was when it was first looked at; every later opening checks that it still is that one. */
export class SourceFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly version: FileVersion;

  constructor(version: FileVersion) {
    this.path = version.path;
    this.version = version;
    this.sizeBytes = Number(version.size);
  }

  /** Looks at the file. Throws `SOURCE_MISSING`, `SOURCE_UNREADABLE` (not a regular file, no permission). */
  static async look(path: string): Promise<SourceFile> {
    let seen: BigIntStats;
    try {
      seen = await stat(path, { bigint: true });
    } catch (error) {
      throw openingError(path, error);
    }
    if (!seen.isFile()) {
      throw new IpdmError("SOURCE_UNREADABLE", `${path} is ${seen.isDirectory() ? "a folder" : "not a regular file"}`, {
        kind: "config",
        where: path,
        hint: "name a file",
      });
    }
    const file = new SourceFile({ path, size: seen.size, mtimeNs: seen.mtimeNs, ino: seen.ino });
    await (await file.open()).close();
    return file;
  }

  /** Opens the file for reading. Throws as {@link look}, and `SOURCE_CHANGED`. */
  async open(): Promise<FileHandle> {
    let handle: FileHandle;
    try {
      handle = await open(this.path, "r");
    } catch (error) {
      throw openingError(this.path, error);
    }
    try {
      await this.check(handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle;
  }

  /** Throws `SOURCE_CHANGED` when the file was written or replaced since it was first looked at. */
  async check(handle: FileHandle): Promise<void> {
    this.compare(await handle.stat({ bigint: true }));
  }

  /** Opens the file as {@link open} does, without waiting: for a thread that has nothing else to do. Gives its descriptor. */
  openNow(): number {
    let fd: number;
    try {
      fd = openSync(this.path, "r");
    } catch (error) {
      throw openingError(this.path, error);
    }
    try {
      this.checkNow(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return fd;
  }

  /** Throws as {@link check}. */
  checkNow(fd: number): void {
    this.compare(fstatSync(fd, { bigint: true }));
  }

  private compare(now: BigIntStats): void {
    const seen = this.version;
    if (now.size === seen.size && now.mtimeNs === seen.mtimeNs && now.ino === seen.ino) return;
    throw new IpdmError("SOURCE_CHANGED", `${this.path} was written while it was being read`, {
      where: this.path,
      retry: "later",
      hint: "run again when nothing writes to the file",
    });
  }

  /** Digest and size of the whole file. */
  async content(signal?: AbortSignal): Promise<Content> {
    signal?.throwIfAborted();
    const handle = await this.open();
    try {
      const hash = createHash("sha256");
      const chunk = new Uint8Array(4 * READ_CHUNK_BYTES);
      let bytes = 0;
      for (;;) {
        const { bytesRead } = await handle.read(chunk, 0, chunk.length, bytes);
        signal?.throwIfAborted();
        if (bytesRead === 0) break;
        hash.update(chunk.subarray(0, bytesRead));
        bytes += bytesRead;
      }
      await this.check(handle);
      return { sha256: new Uint8Array(hash.digest()), bytes };
    } catch (error) {
      throw readingError(this.path, error);
    } finally {
      await handle.close();
    }
  }
}

/** What a file's name says about its format. */
export interface NamedFormat {
  readonly format: SourceFormat;
  readonly gzip: boolean;
}

const ENDINGS: Readonly<Record<string, SourceFormat>> = {
  parquet: "parquet",
  ndjson: "ndjson",
  jsonl: "ndjson",
  json: "ndjson",
  csv: "csv",
};

/** The format of a file by its ending, or the one given. Throws `SOURCE_FORMAT_UNKNOWN`. */
export function formatOf(path: string, given?: SourceFormat): NamedFormat {
  const match = /\.([a-z0-9]+?)(\.gz)?$/i.exec(path);
  const gzip = /\.gz$/i.test(path);
  const format = given ?? ENDINGS[match?.[1]?.toLowerCase() ?? ""];
  if (
    format === undefined ||
    !["parquet", "ndjson", "csv"].includes(format) ||
    (format === "parquet" && gzip && given === undefined)
  ) {
    throw new IpdmError("SOURCE_FORMAT_UNKNOWN", `the format of ${path} cannot be told from its name`, {
      kind: "config",
      where: path,
      hint: "name it .parquet, .ndjson, .jsonl, .json, .csv (the last four also with .gz), or set format to parquet, ndjson or csv",
    });
  }
  return { format, gzip: gzip && format !== "parquet" };
}

/** A system error while reading as `SOURCE_UNREADABLE`; other errors as they are. */
export function readingError(path: string, error: unknown): unknown {
  if (error instanceof IpdmError || !(error instanceof Error) || !("syscall" in error)) return error;
  return new IpdmError("SOURCE_UNREADABLE", `${path} could not be read: ${error.message}`, {
    where: path,
    retry: "later",
    cause: error,
  });
}

function openingError(path: string, error: unknown): IpdmError {
  const code = (error as { code?: unknown }).code;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new IpdmError("SOURCE_MISSING", `file not found: ${path}`, {
      kind: "config",
      where: path,
      hint: "check that it is there",
      cause: error,
    });
  }
  return new IpdmError("SOURCE_UNREADABLE", `${path} cannot be opened (${String(code ?? error)})`, {
    kind: "config",
    where: path,
    hint: "check the file's permissions",
    cause: error,
  });
}
