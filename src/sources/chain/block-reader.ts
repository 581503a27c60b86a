import { type Buffer, isUtf8 } from "node:buffer";
import type { Batch } from "../../batch/batch.ts";
import { BatchCutter, checkBatches } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import type { BatchesOptions } from "../port.ts";
import type { FileReader } from "../reader.ts";
import type { BlockIndex } from "./block-index.ts";
import { BlockTable, type TextPlace } from "./block-table.ts";
import { malformedBlock } from "./failure.ts";
import { chainFormat } from "./formats.ts";
import type { ChainFormat, ChainKind } from "./kind.ts";
import { Room } from "./plain-file.ts";
import { TextFiles } from "./text-files.ts";

/** Everything that another thread needs to read blocks as this one would, as plain data. */
export interface BlockPlan {
  readonly kind: ChainKind;
  readonly index: BlockIndex;
}

/**
 * Reads indexed blocks as a table: one row a block, in their order. A row's `parent` is the hash that the row before claims; the
 * first row's is its own claim, which an anchor was compared with where there is one.
 */
export class BlockReader implements FileReader {
  readonly schema: Schema;
  readonly rows: number;
  private readonly format: ChainFormat;
  private readonly index: BlockIndex;
  private readonly blocks: BlockTable;

  constructor({ kind, index }: BlockPlan) {
    this.format = chainFormat(kind);
    this.index = index;
    this.blocks = new BlockTable(this.format, index.blocks);
    this.schema = this.format.schema;
    this.rows = index.blocks.length;
  }

  async *read({ batchRows, fromRow = 0, signal, onRead }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    const { blocks, format, schema } = this;
    const cutter = new BatchCutter(schema, batchRows);
    await using texts = new TextsAhead(blocks, this.index, signal);
    const first = schema.fields.length - format.texts.length;
    let before = fromRow > 0 && fromRow <= blocks.length ? blocks.head(fromRow - 1) : undefined;
    let bytes = 0;
    for (let row = 0; row < Math.min(fromRow, blocks.length); row++) bytes += blocks.sizeBytes(row);
    for (let row = fromRow; row < blocks.length; row++) {
      const block = blocks.head(row);
      const { writer } = cutter;
      format.pushHead(writer, block, before?.hash ?? block.parent, before?.number ?? block.parentNumber);
      before = block;
      for (const [i, text] of (await texts.of(row)).entries()) writer.at(first + i).pushText(text, 0, text.length);
      writer.endRow();
      bytes += blocks.sizeBytes(row);
      onRead?.(bytes);
      const batch = cutter.afterRow();
      if (batch === undefined) continue;
      yield batch;
      signal?.throwIfAborted();
    }
    const rest = cutter.rest();
    if (rest !== undefined) yield rest;
  }
}

/** The texts of rows in order: while one row is handed on, the next is read. */
class TextsAhead implements AsyncDisposable {
  private readonly blocks: BlockTable;
  private readonly files: TextFiles;
  private readonly signal: AbortSignal | undefined;
  /** Memory of the row that is handed on, and of the one that is read. */
  private readonly rooms: readonly (readonly Room[])[];
  private ahead: Promise<readonly Buffer[]> | undefined;

  constructor(blocks: BlockTable, { files }: BlockIndex, signal: AbortSignal | undefined) {
    this.blocks = blocks;
    this.files = new TextFiles(files);
    this.signal = signal;
    const roomsOfRow = (): Room[] => blocks.texts(0).map(() => new Room());
    this.rooms = [roomsOfRow(), roomsOfRow()];
  }

  /** The texts of a row, of whose number only ever the next one is asked for. They hold until then. */
  async of(row: number): Promise<readonly Buffer[]> {
    const texts = await (this.ahead ?? this.read(row));
    this.ahead = row + 1 < this.blocks.length ? this.read(row + 1) : undefined;
    // Whoever stops here does not wait for it.
    this.ahead?.catch(() => undefined);
    return texts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing may be read from a file that is closed.
    await this.ahead?.catch(() => undefined);
    await this.files[Symbol.asyncDispose]();
  }

  private async read(row: number): Promise<readonly Buffer[]> {
    const places = this.blocks.texts(row);
    const texts = await this.files.read(places, this.rooms[row % 2] as readonly Room[], this.signal);
    for (const [i, text] of texts.entries()) {
      const place = places[i] as TextPlace;
      // A file may be written without a trace in what the system says of it.
      if (!isUtf8(text)) throw malformedBlock(this.files.pathOf(place), place.from, "it is not UTF-8");
    }
    return texts;
  }
}
