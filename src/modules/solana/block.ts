import { isNull, skipSpace, zeroIn } from "../json/characters";
import { malformed, Place } from "../json/place";
import { hasValue, integerEnd, isArray, nextValue, openArray, readInteger, skipString } from "../json/scanner";
import { Key } from "./keys";
import { List } from "./list";
import { FORM_BYTES, had, openMembers, readBy, readMembers } from "./members";
import { openInstructions } from "./instruction-json";
import { openMessages } from "./message-json";
import { openLookups } from "./message-writer";
import { Instruction, Transaction } from "./transaction";
import { openTransactions, readTransaction } from "./transaction-json";

/** A block that was read. */
@unmanaged
export class Block {
  slot: u64;
  /** Where its text begins and ends. */
  start: usize;
  end: usize;
  /** The strings' quotes, where they begin, and their ends. */
  hashAt: usize;
  hashEnd: usize;
  previousAt: usize;
  previousEnd: usize;
  parentSlot: u64;
  /** Seconds since 1970, where the node says them. */
  time: i64;
  hasTime: bool;
  height: u64;
  hasHeight: bool;
  transactions: List;
  instructions: List;
  inner: List;

  @inline
  transaction(index: i32): Transaction {
    return changetype<Transaction>(this.transactions.record(index));
  }

  @inline
  instruction(index: i32): Instruction {
    return changetype<Instruction>(this.instructions.record(index));
  }

  @inline
  innerInstruction(index: i32): Instruction {
    return changetype<Instruction>(this.inner.record(index));
  }
}

const TIME_MAX: u64 = 1 << 40;
const BLOCK = memory.data(FORM_BYTES, 16);

/** Fills the forms of all that is read. */
export function openBlocks(): void {
  openMembers();
  readBy(BLOCK, Key.BLOCKHASH, blockhash);
  readBy(BLOCK, Key.PREVIOUS_BLOCKHASH, previousBlockhash);
  readBy(BLOCK, Key.PARENT_SLOT, parentSlot);
  readBy(BLOCK, Key.BLOCK_TIME, blockTime);
  readBy(BLOCK, Key.BLOCK_HEIGHT, blockHeight);
  readBy(BLOCK, Key.TRANSACTIONS, readTransactions);
  openTransactions();
  openMessages();
  openInstructions();
  openLookups();
}

/** Reads a block of `getBlock` from its text; the byte after it has to be 0. */
export function readBlock(block: Block, text: usize, length: usize): void {
  const zero = zeroIn(text, text + length);
  if (zero != text + length) malformed(zero, "a control character");
  block.transactions = List.of(offsetof<Transaction>());
  block.instructions = List.of(offsetof<Instruction>());
  block.inner = List.of(offsetof<Instruction>());
  const begin = skipSpace(text);
  const end = readMembers(begin, BLOCK, changetype<usize>(block));
  if (skipSpace(end) != text + length) malformed(end, "more than a block");
  if (!had(Key.BLOCKHASH) || !had(Key.PREVIOUS_BLOCKHASH) || !had(Key.PARENT_SLOT))
    malformed(begin, "no blockhash, previousBlockhash or parentSlot");
  if (!had(Key.TRANSACTIONS)) malformed(begin, "no transactions: ask for transactionDetails: full");
}

function blockhash(at: usize, record: usize): usize {
  const block = changetype<Block>(record);
  block.hashAt = at;
  block.hashEnd = skipString(at);
  return block.hashEnd;
}

function previousBlockhash(at: usize, record: usize): usize {
  const block = changetype<Block>(record);
  block.previousAt = at;
  block.previousEnd = skipString(at);
  return block.previousEnd;
}

function parentSlot(at: usize, record: usize): usize {
  changetype<Block>(record).parentSlot = readInteger(at);
  return integerEnd;
}

function blockTime(at: usize, record: usize): usize {
  if (isNull(at)) return at + 4;
  const block = changetype<Block>(record);
  const time = readInteger(at);
  if (time > TIME_MAX) malformed(at, "a time beyond the year 36,000");
  block.time = <i64>time;
  block.hasTime = true;
  return integerEnd;
}

function blockHeight(at: usize, record: usize): usize {
  if (isNull(at)) return at + 4;
  const block = changetype<Block>(record);
  block.height = readInteger(at);
  block.hasHeight = true;
  return integerEnd;
}

function readTransactions(at: usize, record: usize): usize {
  const block = changetype<Block>(record);
  if (!isArray(at)) malformed(at, "transactions that are no array");
  Place.part = "transaction";
  let p = openArray(at);
  while (hasValue(p)) {
    const index = block.transactions.count;
    Place.partNumber = index;
    const transaction = changetype<Transaction>(block.transactions.push());
    transaction.index = index;
    p = nextValue(readTransaction(block, transaction, p));
  }
  Place.partNumber = -1;
  return p + 1;
}
