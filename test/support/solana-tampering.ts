import { type SlotRow, slotRow } from "./solana-module.ts";
import { type Encoding, madeKey, madeTransaction, SYSTEM, signerKey, TOKEN } from "./solana-transactions.ts";

interface Plain {
  signatures: string[];
  message: {
    header: Record<string, unknown>;
    accountKeys: unknown[];
    recentBlockhash: string;
    instructions: Record<string, unknown>[];
    addressTableLookups?: Record<string, unknown>[];
  };
}

/** A transaction with what came of it, as parsed. */
export interface Entry {
  transaction: Plain;
  version?: unknown;
  meta: Record<string, unknown>;
}

/** A block of two transactions, as parsed. */
export interface Block extends Record<string, unknown> {
  transactions: [Entry, Entry];
}

const transfer = Uint8Array.from([2, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0]);

/** Two transactions: one of two signers, one whose keys come from a table. */
export function pair(encoding: Encoding): Record<string, unknown>[] {
  return [
    madeTransaction(
      {
        signers: ["payer", "other"],
        instructions: [{ program: SYSTEM, accounts: [signerKey("payer"), madeKey("target")], data: transfer }],
      },
      encoding,
    ),
    madeTransaction(
      {
        instructions: [{ program: TOKEN, accounts: [madeKey("a"), madeKey("b"), signerKey("payer")], data: transfer }],
        loaded: { writable: [madeKey("a"), madeKey("b")], readonly: [madeKey("c")] },
        inner: [{ index: 0, instructions: [{ program: SYSTEM, accounts: [madeKey("a")] }] }],
      },
      encoding,
    ),
  ];
}

/** Their block. */
export const good = slotRow(9, pair("json"));

/** The block after a change. */
export function tampered(change: (block: Block) => void): SlotRow {
  const block = JSON.parse(good.block) as Block;
  change(block);
  return { ...good, block: JSON.stringify(block) };
}

/** The block after a change of its text. */
export const text = (change: (text: string) => string): SlotRow => ({ ...good, block: change(good.block) });
export const first = (block: Block): Entry => block.transactions[0];
export const second = (block: Block): Entry => block.transactions[1];
