import { type Block, CODEC } from "../dag/block.ts";
import type { Tip } from "./continuity.ts";
import { lastSeq } from "./entry.ts";
import { put, type Write } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { INLINE_BLOCK_BYTES_MAX } from "./limits.ts";
import type { Operation } from "./operation.ts";

/** What a group of operations writes, each thing once: puts for LevelDB, blocks for the segments, new tips of journals. */
export interface CommitPlan {
  readonly small: Write[];
  readonly large: readonly Block[];
  readonly tips: ReadonlyMap<string, Tip>;
}

/** Sorts a group's operations by where they go. Raw blocks, and blocks over 64 KiB, go to the segments. */
export function planCommit(group: readonly Operation[]): CommitPlan {
  // In LevelDB the last write of a batch wins, so what is there twice needs no care.
  const small: Write[] = [];
  const large = new Map<string, Block>();
  const tips = new Map<string, Tip>();
  const keepBlock = (block: Block): void => {
    if (isLarge(block)) large.set(block.cid.toString(), block);
    else small.push(put(keys.blockKey(block.cid), block.bytes));
  };
  for (const operation of group) {
    if (operation.kind === "block") {
      keepBlock(operation.block);
    } else if (operation.kind === "upkeep") {
      small.push(...operation.writes);
    } else if (operation.kind === "meta") {
      small.push(put(keys.metaKey(operation.key), operation.value));
    } else {
      const { entry, block, blocks, wake } = operation.append;
      keepBlock(block);
      for (const each of blocks ?? []) keepBlock(each);
      small.push(put(keys.entryKey(entry.actor, entry.seq), block.cid.bytes));
      if (wake === null) small.push({ type: "del", key: keys.wakeKey(entry.actor) });
      else if (wake !== undefined) small.push(put(keys.wakeKey(entry.actor), keys.u64(wake)));
      tips.set(entry.actor, { cid: block.cid, seq: lastSeq(entry) });
    }
  }
  return { small, large: [...large.values()], tips };
}

function isLarge(block: Block): boolean {
  return block.cid.code === CODEC.raw || block.bytes.length > INLINE_BLOCK_BYTES_MAX;
}
