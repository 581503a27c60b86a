import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Batch } from "../../batch/batch.ts";
import { BatchWriter } from "../../batch/writer.ts";
import type { BlockFiles } from "./block-files.ts";
import { malformedBlock } from "./failure.ts";
import type { HeadFollower } from "./head-follower.ts";
import type { BlockHead, ChainFormat } from "./kind.ts";

/** Batches that come while the input grows: `isDecided` says that `next` need not wait. */
export interface GrowingBatches extends AsyncIterator<Batch> {
  isDecided(): boolean;
}

/** The table of one fetched block: a row with its head and its texts, tied to the block before. */
export async function blockBatch(
  files: BlockFiles,
  format: ChainFormat,
  head: BlockHead,
  before: BlockHead | undefined,
): Promise<Batch> {
  const [path = ""] = files.places([head.number]);
  const bytes = await readFile(path);
  const parts = format.scan(bytes, { from: 0, to: bytes.length }, basename(path));
  const part = typeof parts === "string" ? undefined : parts[0];
  if (part?.head?.hash !== head.hash || part.texts.includes(undefined))
    throw malformedBlock(path, 0, "it is not the block that was fetched");
  const writer = new BatchWriter(format.schema);
  format.pushHead(writer, head, before?.hash ?? head.parent, before?.number ?? head.parentNumber);
  const first = format.schema.fields.length - part.texts.length;
  for (const [i, text] of part.texts.entries())
    if (text !== undefined) writer.at(first + i).pushText(bytes, text.from, text.to);
  writer.endRow();
  return writer.take();
}

/** The final blocks from a row on, a batch each, for as long as the head is followed. */
export function followedBatches(
  follower: HeadFollower,
  files: BlockFiles,
  format: ChainFormat,
  fromRow: number,
  signal: AbortSignal,
): GrowingBatches {
  let row = fromRow;
  return {
    isDecided: () => follower.isDecided(row),
    async next() {
      if (!(await follower.isThere(row, signal))) return { done: true, value: undefined };
      const { heads } = follower;
      const batch = await blockBatch(files, format, heads[row] as BlockHead, heads[row - 1]);
      row++;
      return { done: false, value: batch };
    },
  };
}
