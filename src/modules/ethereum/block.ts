import { isNull, skipSpace } from "../json/characters";
import { here, take } from "./arena";
import { inText, malformed, missing } from "./fault";
import { FORM_BYTES, has, Kind, listed, openFields, read, readBy, readObject, ruleOf, skipQuickly } from "./field";
import { numberOf } from "./hex";
import { Block, openHeaders, settleHeader } from "./header";
import { Key } from "./keys";
import { Level, Senders, Table } from "./level";
import { openLists } from "./lists";
import { logCount, openReceipts, receipts } from "./receipt";
import { openTransactions, readSenders, transactions } from "./transaction";
import { openWithdrawals, withdrawals } from "./withdrawal";

const BLOCK = memory.data(FORM_BYTES, 16);

let isQuick = false;
let wantsHeader = false;
let wantsReceipts = false;

/** Fills the tables that say what is read of a block for a table at a level. */
export function openBlocks(table: i32, level: i32, senders: i32): void {
  openFields();
  const isFull = level == Level.FULL;
  const ofTransactions = table == Table.TRANSACTIONS;
  isQuick = level == Level.NONE;
  wantsHeader = level != Level.NONE || table == Table.BLOCKS || ofTransactions;
  wantsReceipts = isFull || ofTransactions || table == Table.LOGS;
  openHeaders(BLOCK, wantsHeader);
  // It tells a block that has none from one whose JSON leaves them out.
  if (table == Table.WITHDRAWALS) read(BLOCK, Key.WITHDRAWALS_ROOT, Kind.HASH, Block.WITHDRAWALS_ROOT);
  if (isFull || ofTransactions || table == Table.BLOCKS) readBy(BLOCK, Key.TRANSACTIONS, listedTransactions);
  if (isFull || table == Table.WITHDRAWALS || table == Table.BLOCKS) readBy(BLOCK, Key.WITHDRAWALS, listedWithdrawals);
  openLists();
  openTransactions(isFull || ofTransactions);
  openReceipts(isFull || ofTransactions);
  openWithdrawals();
  if (senders == Senders.TRUST) readSenders();
}

/** Reads a row's texts (which may be followed by anything) to a record. */
export function readBlock(block: usize, blockBytes: usize, receiptsText: usize, receiptsBytes: usize): usize {
  const record = take(Block.BYTES);
  inText("the block", block, blockBytes);
  const before = cover(block + blockBytes);
  skipQuickly(isQuick ? block + blockBytes : 0);
  const end = skipSpace(header(skipSpace(block), record));
  if (end != block + blockBytes) malformed(end, "end");
  store<u8>(block + blockBytes, before);
  if (!has(record + Block.NUMBER)) missing("number");
  if (!has(record + Block.TIMESTAMP)) missing("timestamp");
  if (wantsHeader) settleHeader(record);
  store<u64>(record, numberOf(record + Block.NUMBER, "number"), Block.HEIGHT);
  store<u64>(record, numberOf(record + Block.TIMESTAMP, "timestamp"), Block.TIME);
  if (wantsReceipts) readReceipts(receiptsText, receiptsBytes, record);
  return record;
}

function readReceipts(text: usize, bytes: usize, record: usize): void {
  inText("the receipts", text, bytes);
  const before = cover(text + bytes);
  skipQuickly(isQuick ? text + bytes : 0);
  const end = skipSpace(receipts(skipSpace(text), record + Block.FIRST_RECEIPT));
  if (end != text + bytes) malformed(end, "end");
  store<u8>(text + bytes, before);
  store<i32>(record, listed, Block.RECEIPTS);
  store<i32>(record, logCount, Block.LOGS);
  inText("the block", here(), 0);
}

/** Puts a zero byte behind a text, where nothing reads on, and returns what was there. */
function cover(end: usize): u8 {
  const before = load<u8>(end);
  store<u8>(end, 0);
  return before;
}

function header(p: usize, record: usize): usize {
  // -1 where the JSON has no list, as that of nodes that leave withdrawals out; the header's root says whether the block has some.
  store<i32>(record, -1, Block.TRANSACTIONS);
  store<i32>(record, -1, Block.WITHDRAWALS);
  if (load<u8>(p) != 0x7b) malformed(p, "block");
  const end = readObject(p, BLOCK, record, "a block");
  if (load<i32>(record, Block.TRANSACTIONS) < 0) {
    if (ruleOf(BLOCK, Key.TRANSACTIONS) != 0) missing("transactions");
    store<i32>(record, 0, Block.TRANSACTIONS);
  }
  if (load<i32>(record, Block.WITHDRAWALS) < 0 && hasNoWithdrawals(record)) store<i32>(record, 0, Block.WITHDRAWALS);
  return end;
}

/** The root of a list without items, as an RLP string. */
const EMPTY_ROOT = memory.data<u8>([
  0xa0, 0x56, 0xe8, 0x1f, 0x17, 0x1b, 0xcc, 0x55, 0xa6, 0xff, 0x83, 0x45, 0xe6, 0x92, 0xc0, 0xf8, 0x6e, 0x5b, 0x48, 0xe0, 0x1b, 0x99,
  0x6c, 0xad, 0xc0, 0x01, 0x62, 0x2f, 0xb5, 0xe3, 0x63, 0xb4, 0x21,
]);

/** True where the header says that there are none, whether or not the JSON has a list. */
function hasNoWithdrawals(record: usize): bool {
  const root = record + Block.WITHDRAWALS_ROOT;
  return has(root) && memory.compare(<usize>load<u32>(root), EMPTY_ROOT, 33) == 0;
}

function listedTransactions(p: usize, record: usize): usize {
  const end = transactions(p, record + Block.FIRST_TRANSACTION);
  store<i32>(record, listed, Block.TRANSACTIONS);
  return end;
}

function listedWithdrawals(p: usize, record: usize): usize {
  if (isNull(p)) return p + 4;
  const end = withdrawals(p, record + Block.FIRST_WITHDRAWAL);
  store<i32>(record, listed, Block.WITHDRAWALS);
  return end;
}
