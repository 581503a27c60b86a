import { keccak_256 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import {
  blockSchema,
  encodeHeader,
  encodeReceipt,
  encodeTransaction,
  encodeWithdrawal,
  receiptSchema,
} from "../../proofs/ethereum/encodings.ts";
import { proveListItem } from "../../proofs/ethereum/trie.ts";
import type { Batch } from "../batch/batch.ts";
import { valueAt } from "../batch/column.ts";
import { toHex } from "../core/bytes.ts";
import { readJson } from "../core/json.ts";

/** How much a block's JSON gives of what its hash commits to: everything, everything but withdrawals, which it leaves out, or not that. */
export type Wholeness = "whole" | "no withdrawals" | "other";

/**
 * Whether the JSON in a row of an Ethereum input gives what the row's block hash commits to: the header hashes to it, and
 * transactions, receipts and withdrawals give the header's roots. Two whole rows of one hash differ in nothing but what no hash
 * commits to.
 */
export function wholeness(batch: Batch, row: number): Wholeness {
  const cell = (column: string): unknown => valueAt(batch.column(column), row);
  const block = blockSchema.safeParse(parsed(cell("block")));
  const receipts = z.array(receiptSchema).safeParse(parsed(cell("receipts")));
  if (!block.success || !receipts.success) return "other";
  const { transactions, withdrawals, transactionsRoot, receiptsRoot, withdrawalsRoot } = block.data;
  const encoded = transactions.map(encodeTransaction);
  const hasHash = toHex(keccak_256(encodeHeader(block.data))) === toHex(cell("hash") as Uint8Array);
  const hasHashes = transactions.every(({ hash }, i) => isHex(hash, keccak_256(encoded[i] as Uint8Array)));
  if (!hasHash || !hasHashes || !hasRoot(transactionsRoot, encoded)) return "other";
  if (!hasRoot(receiptsRoot, receipts.data.map(encodeReceipt))) return "other";
  const isOlder = withdrawalsRoot === undefined || withdrawalsRoot === null;
  if (withdrawals === undefined || withdrawals === null) return isOlder ? "whole" : "no withdrawals";
  return !isOlder && hasRoot(withdrawalsRoot, withdrawals.map(encodeWithdrawal)) ? "whole" : "other";
}

/**
 * What to say of rows that are written otherwise than others of the same block hashes: that only what no hash commits to differs,
 * where they give all the rest; else nothing.
 */
export function sameBlocksText(found: Batch, from: number, rows: number): string {
  const kinds: Wholeness[] = [];
  for (let row = from; row < Math.min(found.rows, from + rows); row++) kinds.push(wholeness(found, row));
  if (kinds.includes("other")) return "";
  const aside = kinds.includes("no withdrawals") ? " (withdrawals aside, which are not there to compare)" : "";
  return `; block hash and all that it commits to${aside} are the same: only JSON that no hash commits to is written otherwise`;
}

function parsed(text: unknown): unknown {
  try {
    return readJson(String(text));
  } catch {
    return undefined;
  }
}

function hasRoot(root: string, items: readonly Uint8Array[]): boolean {
  return isHex(root, proveListItem(items, 0).root);
}

function isHex(text: string, bytes: Uint8Array): boolean {
  return text.toLowerCase() === `0x${toHex(bytes)}`;
}
