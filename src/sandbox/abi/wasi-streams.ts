import type { Batch } from "../../batch/batch.ts";
import { RowWriter } from "../../batch/text/row-writer.ts";
import type { TextFormat } from "../../batch/text/spelling.ts";
import { TextBytes } from "../../batch/text/text-bytes.ts";
import { LOG_CHARACTERS_MAX, LOG_LINES_MAX, MESSAGE_CHARACTERS_MAX } from "../limits.ts";
import { Stop } from "../stop.ts";

/** Bytes of text made at once from the batch; a read is filled whatever this is. */
export const TEXT_CHUNK_BYTES = 64 * 1024;
/** Bytes of one row as text: the same as of a line that a source reads. */
export const ROW_TEXT_BYTES_MAX = 4 * 1024 * 1024;
/** UTF-8 takes at most so many bytes for what is one character of JavaScript. */
const CHARACTER_BYTES = 3;
const LINE_FEED = 10;

/** What a program reads on its standard input: the batch as text, written as far as it is asked for. */
export class BatchText {
  private readonly text = new TextBytes(TEXT_CHUNK_BYTES);
  private readonly rows: number;
  private readonly write: (row: number) => boolean;
  private row = 0;
  private taken = 0;

  constructor(batch: Batch, format: TextFormat) {
    const writer = new RowWriter(format, batch.schema);
    this.rows = batch.rows;
    this.text.raw(writer.header);
    this.write = writer.rowsOf(batch, this.text, ROW_TEXT_BYTES_MAX);
  }

  /** Fills the target as far as there is text, and says how far. Throws a {@link Stop} at a row that is too long. */
  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      if (this.taken === this.text.length && !this.refill()) break;
      const count = Math.min(target.length - filled, this.text.length - this.taken);
      target.set(this.text.view(this.taken, this.taken + count), filled);
      this.taken += count;
      filled += count;
    }
    return filled;
  }

  private refill(): boolean {
    this.text.clear();
    this.taken = 0;
    while (this.row < this.rows && this.text.length < TEXT_CHUNK_BYTES) {
      if (!this.write(this.row))
        throw new Stop("trap", `row ${this.row} of its input has more than ${ROW_TEXT_BYTES_MAX} bytes as text`);
      this.row++;
    }
    return this.text.length > 0;
  }
}

/** What a program wrote to its standard output. */
export class OutputText {
  private readonly text = new TextBytes();
  private readonly bytesMax: number;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** Throws a {@link Stop} when it grows beyond the limit. */
  append(bytes: Uint8Array): void {
    if (this.text.length + bytes.length > this.bytesMax)
      throw new Stop("output-invalid", `more than ${this.bytesMax} bytes on standard output`);
    this.text.raw(bytes);
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.text.view();
  }
}

/** What a program writes to its standard error: lines for the log, where there is one, and the last words for an error. */
export class ErrorText {
  private readonly log: ((line: string) => void) | undefined;
  private lastBytes = new Uint8Array(0);
  private line = new Uint8Array(0);
  private lines = 0;

  constructor(log: ((line: string) => void) | undefined) {
    this.log = log;
  }

  append(bytes: Uint8Array): void {
    this.lastBytes = joined(this.lastBytes, bytes.subarray(-tailBytes), -tailBytes);
    if (this.log === undefined) return;
    for (let start = 0; start < bytes.length && this.lines < LOG_LINES_MAX; ) {
      const found = bytes.indexOf(LINE_FEED, start);
      const end = found === -1 ? bytes.length : found;
      this.line = joined(this.line, bytes.subarray(start, Math.min(end, start + lineBytes)), lineBytes);
      start = end + 1;
      if (found !== -1) this.endLine();
    }
  }

  /** Ends a last line that has no line feed. */
  end(): void {
    if (this.line.length > 0) this.endLine();
  }

  /** The last words, on one line. */
  get last(): string {
    return new TextDecoder()
      .decode(this.lastBytes)
      .replaceAll(/\p{Cc}+/gu, " ")
      .trim()
      .slice(-MESSAGE_CHARACTERS_MAX)
      .toWellFormed();
  }

  private endLine(): void {
    this.log?.(new TextDecoder().decode(this.line));
    this.line = new Uint8Array(0);
    this.lines++;
  }
}

const tailBytes = CHARACTER_BYTES * MESSAGE_CHARACTERS_MAX;
const lineBytes = CHARACTER_BYTES * LOG_CHARACTERS_MAX;

/** Both, one after the other: the first `most` bytes, or the last where it is negative. */
function joined(a: Uint8Array, b: Uint8Array, most: number): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return most < 0 ? both.slice(most) : both.slice(0, most);
}
