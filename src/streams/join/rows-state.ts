import * as dagCbor from "@ipld/dag-cbor";
import type { Batch } from "../../batch/batch.ts";
import { decodeBatch } from "../../batch/batch.ts";
import type { Hash } from "../../core/ports.ts";
import type { Block, Ipld } from "../../dag/block.ts";
import { rawBlock } from "../../dag/block.ts";
import { bytesPart, malformed, partOf } from "../window/state-bytes.ts";
import type { LoadedState, SavedState } from "../window/state-tree.ts";

/** What an operator that keeps rows saves: lists of batches, and plain data beside them. */
export interface RowsState {
  readonly lists: readonly (readonly Batch[])[];
  readonly about: Ipld;
}

/**
 * The state as blocks, `{v: 2, chunks: [link, …], lists: [batches of each], about}`, a chunk being `{rows: batch block}`. Equal rows and
 * equal data give equal blocks.
 */
export function saveRows(hash: Hash, { lists, about }: RowsState): SavedState {
  const chunks: Block[] = [];
  for (const batches of lists)
    for (const batch of batches) chunks.push(rawBlock(hash, dagCbor.encode({ rows: batch.bytes })));
  const root = {
    v: 2,
    chunks: chunks.map(({ cid }) => cid),
    lists: lists.map((batches) => batches.length),
    about,
  };
  return { root: rawBlock(hash, dagCbor.encode(root)), fresh: chunks };
}

/** The reverse of {@link saveRows}. Throws `WINDOW_SNAPSHOT_MALFORMED`, `BATCH_MALFORMED`. */
export function loadRows({ node, chunks }: LoadedState): RowsState {
  const counts = partOf(node, "lists");
  const about = partOf(node, "about");
  if (!Array.isArray(counts) || about === undefined) throw malformed("lists");
  const batches = chunks.map((chunk) => decodeBatch(new Uint8Array(bytesPart(partOf(chunk, "rows")))));
  let from = 0;
  const lists = (counts as readonly Ipld[]).map((count) => {
    if (typeof count !== "number" || from + count > batches.length) throw malformed("lists");
    from += count;
    return batches.slice(from - count, from);
  });
  if (from !== batches.length) throw malformed("lists");
  return { lists, about };
}
