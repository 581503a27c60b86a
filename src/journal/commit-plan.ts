import { type Block, CODEC } from "../dag/block.ts";
import type { PlannedEntry, Step } from "./ahead-record.ts";
import { lastSeq } from "./entry.ts";
import { put } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { INLINE_BLOCK_BYTES_MAX } from "./limits.ts";
import type { Operation } from "./operation.ts";
import type { EntryAppend } from "./port.ts";

/** What a group of operations writes: steps for LevelDB, and blocks for the segments, each once. */
export interface CommitPlan {
  readonly steps: Step[];
  readonly large: readonly Block[];
}

const NONE: readonly Block[] = [];

/** Sorts a group's operations by where they go. Raw blocks, and blocks over 64 KiB, go to the segments. */
export function planCommit(group: readonly Operation[]): CommitPlan {
  // The last write of a key wins, so what is there twice needs no care.
  const steps: Step[] = [];
  let large: Map<string, Block> | undefined;
  const keepBlock = (block: Block): void => {
    if (isLarge(block)) (large ??= new Map()).set(block.cid.toString(), block);
    else steps.push(put(keys.blockKey(block.cid), block.bytes));
  };
  for (const operation of group) {
    if (operation.kind === "block") {
      keepBlock(operation.block);
    } else if (operation.kind === "upkeep") {
      steps.push(...operation.writes);
    } else if (operation.kind === "meta") {
      steps.push(put(keys.metaKey(operation.key), operation.value));
    } else {
      const { block, blocks } = operation.append;
      if (blocks !== undefined) for (const each of blocks) keepBlock(each);
      const isApart = isLarge(block);
      if (isApart) keepBlock(block);
      steps.push({ type: "entry", entry: planned(operation.append, isApart) });
    }
  }
  return { steps, large: large === undefined ? NONE : [...large.values()] };
}

function planned({ entry, block, wake }: EntryAppend, isApart: boolean): PlannedEntry {
  return {
    actor: entry.actor,
    cid: block.cid,
    bytes: isApart ? undefined : block.bytes,
    from: entry.seq,
    to: lastSeq(entry),
    wake,
  };
}

function isLarge(block: Block): boolean {
  return block.cid.code === CODEC.raw || block.bytes.length > INLINE_BLOCK_BYTES_MAX;
}
