import { Buffer } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { readingError, SourceFile } from "../file.ts";
import type { TextPlace } from "./block-index.ts";
import { chainBytes } from "./chain-bytes.ts";
import { malformedBlock } from "./failure.ts";
import type { ChainFile } from "./places.ts";

/** Files that are open at once: blocks of two files may alternate. */
const OPEN_MAX = 8;

interface OpenText extends AsyncDisposable {
  /** The bytes at a place. */
  read(from: number, to: number, signal: AbortSignal | undefined): Promise<Buffer>;
}

/** Texts of files by their places: at any place of a plain file; of a compressed one from its start on, again where a place lies further back. */
export class TextFiles implements AsyncDisposable {
  private readonly files: readonly ChainFile[];
  private readonly open = new Map<number, OpenText>();

  constructor(files: readonly ChainFile[]) {
    this.files = files;
  }

  /** The text at a place. Throws `SOURCE_CHANGED`, `SOURCE_UNREADABLE`, `CHAIN_BLOCK_MALFORMED`, and the signal's reason. */
  async read({ file, from, to }: TextPlace, signal?: AbortSignal): Promise<Buffer> {
    signal?.throwIfAborted();
    const text = this.open.get(file) ?? (await this.opened(file));
    // The one that was used last is the last to be closed.
    this.open.delete(file);
    this.open.set(file, text);
    return text.read(from, to, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    for (const text of all) await text[Symbol.asyncDispose]();
  }

  private async opened(number: number): Promise<OpenText> {
    for (const [oldest, text] of this.open) {
      if (this.open.size < OPEN_MAX) break;
      this.open.delete(oldest);
      await text[Symbol.asyncDispose]();
    }
    const file = this.files[number] as ChainFile;
    const version = new SourceFile(file.version);
    return file.compression === "none"
      ? new PlainText(version, await version.open())
      : new PackedText(version, file.compression);
  }
}

class PlainText implements OpenText {
  private readonly file: SourceFile;
  private readonly handle: FileHandle;

  constructor(file: SourceFile, handle: FileHandle) {
    this.file = file;
    this.handle = handle;
  }

  async read(from: number, to: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(to - from);
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesRead } = await this.handle.read(bytes, at, bytes.length - at, from + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      await this.file.check(this.handle);
    } catch (error) {
      throw readingError(this.file.path, error);
    }
    return bytes;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.handle.close();
  }
}

class PackedText implements OpenText {
  private readonly file: SourceFile;
  private readonly compression: "gzip" | "zstd";
  private chunks: AsyncGenerator<Buffer, void, undefined> | undefined;
  /** What was read and not yet passed, and where it begins. */
  private kept: Buffer = Buffer.alloc(0);
  private at = 0;

  constructor(file: SourceFile, compression: "gzip" | "zstd") {
    this.file = file;
    this.compression = compression;
  }

  async read(from: number, to: number, signal: AbortSignal | undefined): Promise<Buffer> {
    if (this.chunks === undefined || from < this.at) await this.restart();
    this.drop(from);
    const parts = [this.kept];
    let end = this.at + this.kept.length;
    while (end < to) {
      signal?.throwIfAborted();
      const next = await (this.chunks as AsyncGenerator<Buffer, void, undefined>).next();
      if (next.done === true)
        throw malformedBlock(this.file.path, end, "it ends earlier than when its blocks were found");
      end += next.value.length;
      // What lies before the place is not kept: a file may hold far more than memory.
      if (end <= from) {
        this.at = end;
        parts.length = 0;
      } else parts.push(next.value);
    }
    this.kept = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    this.drop(from);
    return this.kept.subarray(0, to - from);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chunks?.return(undefined);
  }

  private drop(before: number): void {
    const passed = Math.min(this.kept.length, Math.max(0, before - this.at));
    this.kept = this.kept.subarray(passed);
    this.at += passed;
  }

  private async restart(): Promise<void> {
    await this.chunks?.return(undefined);
    this.chunks = chainBytes(this.file, this.compression);
    this.kept = Buffer.alloc(0);
    this.at = 0;
  }
}
