import type { Batch } from "../../batch/batch.ts";
import { BatchCutter, checkBatches } from "../../batch/cut.ts";
import type { Schema } from "../../batch/schema.ts";
import type { BatchesOptions } from "../port.ts";
import type { FileReader } from "../reader.ts";
import type { BlockIndex, IndexedBlock } from "./block-index.ts";
import { chainFormat } from "./formats.ts";
import type { ChainFormat, ChainKind } from "./kind.ts";
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

  constructor({ kind, index }: BlockPlan) {
    this.format = chainFormat(kind);
    this.index = index;
    this.schema = this.format.schema;
    this.rows = index.blocks.length;
  }

  async *read({ batchRows, fromRow = 0, signal, onRead }: BatchesOptions): AsyncGenerator<Batch, void, undefined> {
    checkBatches(batchRows, fromRow);
    const { blocks, files } = this.index;
    const cutter = new BatchCutter(this.schema, batchRows);
    await using texts = new TextFiles(files);
    let bytes = 0;
    const textsOf = async (block: IndexedBlock): Promise<readonly Buffer[]> => {
      const found: Buffer[] = [];
      for (const place of block.texts) found.push(await texts.read(place, signal));
      return found;
    };
    // While one block is handed on, the next is read.
    let ahead: Promise<readonly Buffer[]> | undefined;
    for (let row = 0; row < blocks.length; row++) {
      const block = blocks[row] as IndexedBlock;
      for (const { from, to } of block.texts) bytes += to - from;
      if (row < fromRow) continue;
      const before = blocks[row - 1];
      const { writer } = cutter;
      this.format.pushHead(writer, block, before?.hash ?? block.parent, before?.number ?? block.parentNumber);
      const first = this.schema.fields.length - block.texts.length;
      const current = await (ahead ?? textsOf(block));
      const next = blocks[row + 1];
      ahead = next === undefined ? undefined : textsOf(next);
      // Whoever stops here does not wait for it.
      ahead?.catch(() => undefined);
      for (const [i, text] of current.entries()) writer.at(first + i).pushText(text, 0, text.length);
      writer.endRow();
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
