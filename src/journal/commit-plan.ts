import { type Block, CODEC } from "../dag/block.ts";
import type { Tip } from "./continuity.ts";
import { lastSeq } from "./entry.ts";
import { put, type Write } from "./level-index.ts";
import * as keys from "./level-keys.ts";
import { INLINE_BLOCK_BYTES_MAX } from "./limits.ts";
import type { Operation } from "./operation.ts";

/** What a group of operations writes, each thing once: puts for LevelDB, blocks for the segments, new tips of journals. */
export interface CommitPlan {
  readonly small: readonly Write[];
  readonly large: readonly Block[];
  readonly tips: ReadonlyMap<string, Tip>;
}

/** Sorts a group's operations by where they go. Raw blocks, and blocks over 64 KiB, go to the segments. */
export function planCommit(group: readonly Operation[]): CommitPlan {
  const small = new Map<string, Write>();
  const large = new Map<string, Block>();
  const tips = new Map<string, Tip>();
  const keep = (key: Buffer, value: Uint8Array): void => {
    small.set(key.toString("latin1"), put(key, value));
  };
  const keepWake = (key: Buffer, wake: number | null): void => {
    small.set(key.toString("latin1"), wake === null ? { type: "del", key } : put(key, keys.u64(wake)));
  };
  const keepBlock = (block: Block): void => {
    const key = keys.blockKey(block.cid);
    if (isLarge(block)) large.set(key.toString("latin1"), block);
    else keep(key, block.bytes);
  };
  for (const operation of group) {
    if (operation.kind === "block") {
      keepBlock(operation.block);
    } else if (operation.kind === "meta") {
      keep(keys.metaKey(operation.key), operation.value);
    } else {
      const { entry, block, blocks, wake } = operation.append;
      for (const each of [block, ...(blocks ?? [])]) keepBlock(each);
      keep(keys.entryKey(entry.actor, entry.seq), block.cid.bytes);
      if (wake !== undefined) keepWake(keys.wakeKey(entry.actor), wake);
      tips.set(entry.actor, { cid: block.cid, seq: lastSeq(entry) });
    }
  }
  return { small: [...small.values()], large: [...large.values()], tips };
}

function isLarge(block: Block): boolean {
  return block.cid.code === CODEC.raw || block.bytes.length > INLINE_BLOCK_BYTES_MAX;
}
