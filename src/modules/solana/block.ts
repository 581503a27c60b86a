import { isNull, skipSpace, zeroIn } from "../json/characters";
import { malformed, Place } from "../json/place";
import {
  hasMember,
  hasValue,
  isArray,
  isText,
  nextMember,
  nextValue,
  openArray,
  openObject,
  readInteger,
  skipName,
  skipString,
  skipValue,
  toValue,
} from "../json/scanner";
import { List } from "./list";
import { Instruction, Transaction } from "./transaction";
import { readTransaction } from "./transaction-json";

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

/** Reads a block of `getBlock` from its text; the byte after it has to be 0. */
export function readBlock(block: Block, text: usize, length: usize): void {
  block.transactions = List.of(offsetof<Transaction>());
  block.instructions = List.of(offsetof<Instruction>());
  block.inner = List.of(offsetof<Instruction>());
  let seen = 0;
  let hasTransactions = false;
  const zero = zeroIn(text, text + length);
  if (zero != text + length) malformed(zero, "a control character");
  const begin = skipSpace(text);
  let p = openObject(begin);
  while (hasMember(p)) {
    const name = p;
    const end = skipName(p);
    const value = toValue(end);
    const known = memberOf(name, end);
    if (known != 0) {
      if ((seen & known) != 0) malformed(name, "a name that stands there twice");
      seen |= known;
    }
    if (known == 1) {
      block.hashAt = value;
      block.hashEnd = p = skipString(value);
    } else if (known == 2) {
      block.previousAt = value;
      block.previousEnd = p = skipString(value);
    } else {
      p = skipOrRead(block, known, value);
      if (known == 32) hasTransactions = true;
    }
    p = nextMember(p);
  }
  if (skipSpace(p + 1) != text + length) malformed(p + 1, "more than a block");
  if ((seen & 7) != 7) malformed(begin, "no blockhash, previousBlockhash or parentSlot");
  if (!hasTransactions) malformed(begin, "no transactions: ask for transactionDetails: full");
}

/** A bit for each member that is looked at, 0 for others. */
function memberOf(name: usize, end: usize): i32 {
  if (isText(name, end, "blockhash")) return 1;
  if (isText(name, end, "previousBlockhash")) return 2;
  if (isText(name, end, "parentSlot")) return 4;
  if (isText(name, end, "blockTime")) return 8;
  if (isText(name, end, "blockHeight")) return 16;
  return isText(name, end, "transactions") ? 32 : 0;
}

function skipOrRead(block: Block, known: i32, value: usize): usize {
  if (known == 4) block.parentSlot = readInteger(value);
  if (known == 8 && !isNull(value)) {
    const time = readInteger(value);
    if (time > TIME_MAX) malformed(value, "a time beyond the year 36,000");
    block.time = <i64>time;
    block.hasTime = true;
  }
  if (known == 16 && !isNull(value)) {
    block.height = readInteger(value);
    block.hasHeight = true;
  }
  return known == 32 ? readTransactions(block, value) : skipValue(value);
}

function readTransactions(block: Block, at: usize): usize {
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
