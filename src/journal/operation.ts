import { utf8 } from "../core/bytes.ts";
import { IpdmError } from "../core/errors.ts";
import type { Block } from "../dag/block.ts";
import { BLOCK_SIZE_MAX } from "../dag/limits.ts";
import { overLimit } from "./errors.ts";
import type { Write } from "./level-index.ts";
import { META_BYTES_MAX, NAME_BYTES_MAX } from "./limits.ts";
import type { EntryAppend } from "./port.ts";

/** One thing that a group commit makes durable. */
export type Operation =
  | { readonly kind: "block"; readonly block: Block }
  | { readonly kind: "entry"; readonly append: EntryAppend }
  | { readonly kind: "meta"; readonly key: string; readonly value: Uint8Array }
  /** Upkeep: the same facts stored another way. */
  | { readonly kind: "upkeep"; readonly writes: readonly Write[]; readonly sizeBytes: number };

const OVERHEAD_BYTES = 128;
const SHA2_256 = 0x12;

/** Bytes that the operation will take in a commit, roughly. */
export function sizeOf(operation: Operation): number {
  switch (operation.kind) {
    case "block":
      return operation.block.bytes.length + OVERHEAD_BYTES;
    case "entry": {
      let size = operation.append.block.bytes.length + 2 * OVERHEAD_BYTES;
      for (const block of operation.append.blocks ?? []) size += block.bytes.length + OVERHEAD_BYTES;
      return size;
    }
    case "upkeep":
      return operation.sizeBytes;
    case "meta":
      return operation.value.length + OVERHEAD_BYTES;
  }
}

/** Throws `JOURNAL_LIMIT` for a block over 8 MiB, `DAG_UNSUPPORTED` for a CID that is not v1 over sha2-256. */
export function checkStorable(block: Block): void {
  const { cid, bytes } = block;
  if (bytes.length > BLOCK_SIZE_MAX)
    throw overLimit(`the byte count of block ${cid.toString()}`, bytes.length, BLOCK_SIZE_MAX);
  if (cid.version !== 1 || cid.multihash.code !== SHA2_256 || cid.multihash.digest.length !== 32) {
    throw new IpdmError("DAG_UNSUPPORTED", `${cid.toString()} is not a CIDv1 over sha2-256`, { where: cid.toString() });
  }
}

/** Throws `JOURNAL_LIMIT` for a meta key over 512 bytes or a value over 64 KiB. */
export function checkMeta(key: string, value: Uint8Array): void {
  const length = utf8(key).length;
  if (length === 0 || length > NAME_BYTES_MAX) throw overLimit("the byte count of a meta key", length, NAME_BYTES_MAX);
  if (value.length > META_BYTES_MAX)
    throw overLimit(`the byte count of meta value ${key}`, value.length, META_BYTES_MAX);
}
