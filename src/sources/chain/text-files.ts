import { Buffer } from "node:buffer";
import { SourceFile } from "../file.ts";
import type { TextPlace } from "./block-table.ts";
import { chainBytes } from "./chain-bytes.ts";
import { malformedBlock } from "./failure.ts";
import { NEAR_TEXTS_BYTES } from "./limits.ts";
import type { ChainFile } from "./places.ts";
import { PlainFile, type Room } from "./plain-file.ts";

/** Files that are open at once: blocks of two files may alternate. */
const OPEN_MAX = 8;

interface OpenText extends AsyncDisposable {
  /** The bytes at places, in `room` where they are not at hand. */
  read(places: readonly TextPlace[], room: Room, signal: AbortSignal | undefined): Promise<readonly Buffer[]>;
}

/** Texts of files by their places: at any place of a plain file; of a compressed one from its start on, again where a place lies further back. */
export class TextFiles implements AsyncDisposable {
  private readonly files: readonly ChainFile[];
  private readonly open = new Map<number, OpenText>();

  constructor(files: readonly ChainFile[]) {
    this.files = files;
  }

  /**
   * The texts at places, one after the other; they hold until `rooms` are used again. Throws `SOURCE_CHANGED`, `SOURCE_UNREADABLE`,
   * `CHAIN_BLOCK_MALFORMED`, and the signal's reason. One call at a time.
   */
  async read(places: readonly TextPlace[], rooms: readonly Room[], signal?: AbortSignal): Promise<readonly Buffer[]> {
    const texts: Buffer[] = [];
    while (texts.length < places.length) {
      signal?.throwIfAborted();
      const group = together(places.slice(texts.length));
      const file = await this.file((group[0] as TextPlace).file);
      texts.push(...(await file.read(group, rooms[texts.length] as Room, signal)));
    }
    return texts;
  }

  /** The path of the file of a place. */
  pathOf({ file }: TextPlace): string {
    return (this.files[file] as ChainFile).version.path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.open.values()];
    this.open.clear();
    for (const text of all) await text[Symbol.asyncDispose]();
  }

  private async file(number: number): Promise<OpenText> {
    const text = this.open.get(number) ?? (await this.opened(number));
    // The one that was used last is the last to be closed.
    this.open.delete(number);
    this.open.set(number, text);
    return text;
  }

  private async opened(number: number): Promise<OpenText> {
    for (const [oldest, text] of this.open) {
      if (this.open.size < OPEN_MAX) break;
      this.open.delete(oldest);
      await text[Symbol.asyncDispose]();
    }
    const file = this.files[number] as ChainFile;
    return file.compression === "none"
      ? new PlainText(new PlainFile(file.version))
      : new PackedText(new SourceFile(file.version), file.compression);
  }
}

/** The first places, as many as stand close behind each other in one file: they are read at once. */
function together(places: readonly TextPlace[]): readonly TextPlace[] {
  const end = places.findIndex((place, i) => {
    const before = places[i - 1];
    return before !== undefined && !isNear(before, place);
  });
  return end < 0 ? places : places.slice(0, end);
}

function isNear(before: TextPlace, { file, from }: TextPlace): boolean {
  return file === before.file && from >= before.to && from - before.to <= NEAR_TEXTS_BYTES;
}

class PlainText implements OpenText {
  private readonly file: PlainFile;

  constructor(file: PlainFile) {
    this.file = file;
  }

  async read(places: readonly TextPlace[], room: Room): Promise<readonly Buffer[]> {
    const { from } = places[0] as TextPlace;
    const { to } = places.at(-1) as TextPlace;
    const bytes = room.of(to - from);
    await this.file.read(bytes, from);
    return places.map((place) => bytes.subarray(place.from - from, place.to - from));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.file[Symbol.dispose]();
    return Promise.resolve();
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

  async read(places: readonly TextPlace[], _room: Room, signal: AbortSignal | undefined): Promise<readonly Buffer[]> {
    const texts: Buffer[] = [];
    for (const { from, to } of places) texts.push(await this.text(from, to, signal));
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.chunks?.return(undefined);
  }

  private async text(from: number, to: number, signal: AbortSignal | undefined): Promise<Buffer> {
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
