import { keccak_256 } from "@noble/hashes/sha3.js";
import { z } from "zod";
import {
  blockSchema,
  encodeHeader,
  encodeReceipt,
  encodeTransaction,
  receiptSchema,
} from "../../../proofs/ethereum/encodings.ts";
import type { EthereumRowProof } from "../../../proofs/ethereum/row-proof.ts";
import { proveListItem } from "../../../proofs/ethereum/trie.ts";
import { inclusionProof, leafHash } from "../../../proofs/merkle/tree.ts";
import { blockHashes } from "../../../proofs/receipt/chain-check.ts";
import type { Receipt } from "../../../proofs/receipt/contents.ts";
import type { Batch } from "../../batch/batch.ts";
import { valueAt } from "../../batch/column.ts";
import { findField } from "../../batch/schema.ts";
import { equalBytes, fromHex } from "../../core/bytes.ts";
import { IpdmError } from "../../core/errors.ts";
import { readJson } from "../../core/json.ts";
import { sha256 } from "../../node.ts";
import { inputView } from "../diff/table-view.ts";
import type { AuditInput } from "../input-data.ts";

type EthereumBlock = z.output<typeof blockSchema>;

/**
 * Makes the proof that the chain itself has a row's transaction, receipt and log: for tables that follow from an input of Ethereum and have
 * the columns `block` and `tx`; `undefined` for others. Reads the block from the input that the reader gave, or from the data folder. Throws `NEEDS_DATA`, and
 * `ROW_CHAIN_MISMATCH` where the block at hand does not give the hashes that it should.
 */
export async function ethereumRowProof(
  receipt: Receipt,
  input: AuditInput,
  task: string,
  row: Batch,
  signal: AbortSignal,
): Promise<EthereumRowProof | undefined> {
  const name = sourceOf(receipt, task);
  const anchor = name === undefined ? undefined : receipt.anchors.get(name);
  const [number, tx] = ["block", "tx"].map((column) => cell(row, column));
  if (name === undefined || anchor?.kind !== "ethereum" || number === undefined || tx === undefined) return undefined;
  const index = Number(number) - anchor.from;
  const hashes = blockHashes(anchor, receipt.blocks);
  const wanted = hashes[index];
  if (wanted === undefined) throw mismatch(name, `block ${String(number)} is not one of the input`);
  const { block, receipts } = await blockAt(receipt, input, name, index, signal);
  const header = encodeHeader(block);
  if (!equalBytes(keccak_256(header), wanted))
    throw mismatch(name, `block ${String(number)} does not hash to what it should`);
  const at = block.transactions.findIndex(({ hash }) => isHash(hash, tx));
  if (at < 0) throw mismatch(name, `block ${String(number)} has no such transaction`);
  const transactions = proveListItem(block.transactions.map(encodeTransaction), at);
  const proved = proveListItem(receipts.map(encodeReceipt), at);
  if (!isHash(block.transactionsRoot, transactions.root) || !isHash(block.receiptsRoot, proved.root))
    throw mismatch(name, `transactions and receipts of block ${String(number)} do not give the header's roots`);
  return {
    v: 1,
    kind: "ethereum-row",
    input: name,
    header,
    block: { index, path: pathTo(hashes, index) },
    index: at,
    transaction: [...transactions.nodes],
    receipt: [...proved.nodes],
    log: logPosition(receipts, at, cell(row, "logIndex")),
  };
}

/** The source that a task's rows come from. */
function sourceOf({ result }: Receipt, task: string): string | undefined {
  let input = result.tasks[task]?.input;
  while (input?.from === "task") input = result.tasks[input.name]?.input;
  return input?.name;
}

function cell(row: Batch, column: string): unknown {
  return findField(row.schema, column) === undefined ? undefined : (valueAt(row.column(column), 0) ?? undefined);
}

interface ParsedBlock {
  readonly block: EthereumBlock;
  readonly receipts: readonly z.output<typeof receiptSchema>[];
}

/** The block in a row of the input, parsed: from the place that the reader gave, whatever it is written like, or as it was recorded. */
async function blockAt(
  receipt: Receipt,
  input: AuditInput,
  name: string,
  row: number,
  signal: AbortSignal,
): Promise<ParsedBlock> {
  const given = input.blocksGiven(name, row, 1, signal);
  if (given !== undefined) for await (const batch of given) return parsedBlock(batch, 0, name, row);
  const part = inputView(receipt, name)?.parts.find(({ from, rows }) => from <= row && row < from + rows);
  let at = part?.from ?? 0;
  for (const cid of part?.batches ?? []) {
    const batch = await input.batchAt(name, cid, at, receipt.config.cut, signal);
    if (row < at + batch.rows) return parsedBlock(batch, row - at, name, row);
    at += batch.rows;
  }
  throw mismatch(name, `there is no row ${row}`);
}

function parsedBlock(batch: Batch, at: number, name: string, row: number): ParsedBlock {
  const text = (column: string): unknown => readJson(String(valueAt(batch.column(column), at)));
  const block = blockSchema.safeParse(text("block"));
  const receipts = z.array(receiptSchema).safeParse(text("receipts"));
  if (block.success && receipts.success) return { block: block.data, receipts: receipts.data };
  throw mismatch(name, `the block in row ${row} has another form than JSON-RPC's`);
}

function pathTo(hashes: readonly Uint8Array[], index: number): Uint8Array[] {
  const leaves = hashes.map((hash) => leafHash(sha256, hash));
  return inclusionProof(sha256, leaves, index);
}

/** The log's position in its receipt: a block counts its logs over all receipts. */
function logPosition(
  receipts: readonly { readonly logs: readonly unknown[] }[],
  at: number,
  logIndex: unknown,
): number | null {
  if (logIndex === undefined) return null;
  const before = receipts.slice(0, at).reduce((sum, { logs }) => sum + logs.length, 0);
  const position = Number(logIndex) - before;
  return position >= 0 && position < (receipts[at]?.logs.length ?? 0) ? position : null;
}

function isHash(text: string, value: unknown): boolean {
  if (typeof value === "string") return value.toLowerCase() === text.toLowerCase();
  const bytes = fromHex(text.slice(2));
  return bytes !== undefined && value instanceof Uint8Array && equalBytes(bytes, value);
}

function mismatch(input: string, message: string): IpdmError {
  return new IpdmError("ROW_CHAIN_MISMATCH", `${input}: ${message}`, { kind: "verification", where: `chain/${input}` });
}
