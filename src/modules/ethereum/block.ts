import { here, take } from "./arena";
import { inText, malformed, misformed, missing } from "./fault";
import { has, isNull, Kind, once, read, readField, TABLE_BYTES } from "./field";
import { numberOf } from "./hex";
import { Block, openHeaders, settleHeader } from "./header";
import { Key } from "./keys";
import { Level, Senders, Table } from "./level";
import { openLists } from "./lists";
import { logCount, openReceipts, receiptCount, receipts } from "./receipt";
import { closed, key, next, open, readKey, skipBrackets, skipSpace, skipValue } from "./scan";
import { openTransactions, readSenders, transactionCount, transactions } from "./transaction";
import { openWithdrawals, withdrawalCount, withdrawals } from "./withdrawal";

const FIELDS = memory.data(TABLE_BYTES, 16);

let isQuick = false;
let wantsHeader = false;
let wantsReceipts = false;

/** Fills the tables that say what is read of a block for a table at a level. */
export function openBlocks(table: i32, level: i32, senders: i32): void {
  const isFull = level == Level.FULL;
  const ofTransactions = table == Table.TRANSACTIONS;
  isQuick = level == Level.NONE;
  wantsHeader = level != Level.NONE || table == Table.BLOCKS || ofTransactions;
  wantsReceipts = isFull || ofTransactions || table == Table.LOGS;
  openHeaders(FIELDS, wantsHeader);
  if (isFull || ofTransactions || table == Table.BLOCKS) read(FIELDS, Key.TRANSACTIONS, Kind.NESTED, Block.FIRST_TRANSACTION);
  if (isFull || table == Table.WITHDRAWALS || table == Table.BLOCKS) read(FIELDS, Key.WITHDRAWALS, Kind.NESTED, Block.FIRST_WITHDRAWAL);
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
  const end = skipSpace(header(skipSpace(block), block + blockBytes, record));
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
  const from = skipSpace(text);
  if (isNull(from)) misformed(from, "a list of receipts");
  const end = skipSpace(receipts(from, record + Block.FIRST_RECEIPT));
  if (end != text + bytes) malformed(end, "end");
  store<u8>(text + bytes, before);
  store<i32>(record, receiptCount, Block.RECEIPTS);
  store<i32>(record, logCount, Block.LOGS);
  inText("the block", here(), 0);
}

/** Puts a zero byte behind a text, where nothing reads on, and returns what was there. */
function cover(end: usize): u8 {
  const before = load<u8>(end);
  store<u8>(end, 0);
  return before;
}

function header(p: usize, end: usize, record: usize): usize {
  let seen: u64 = 0;
  let at = open(p, 0x7b, "block");
  if (load<u8>(at) == 0x7d) missing("number");
  for (;;) {
    at = readKey(at);
    const rule = load<u32>(FIELDS + ((<usize>key) << 2));
    if (rule == 0) at = isQuick ? skipBrackets(at, end) : skipValue(at);
    else {
      seen = once(seen);
      if (rule >> 16 != Kind.NESTED) at = readField(at, rule, record);
      else if (key == Key.TRANSACTIONS) {
        at = transactions(at, record + Block.FIRST_TRANSACTION);
        store<i32>(record, transactionCount, Block.TRANSACTIONS);
      } else if (isNull(at)) {
        at += 4;
        seen ^= (<u64>1) << (<u64>Key.WITHDRAWALS);
      } else {
        at = withdrawals(at, record + Block.FIRST_WITHDRAWAL);
        store<i32>(record, withdrawalCount, Block.WITHDRAWALS);
      }
    }
    at = next(at, 0x7d);
    if (at == 0) break;
  }
  if (load<u32>(FIELDS + ((<usize>Key.TRANSACTIONS) << 2)) != 0 && (seen & ((<u64>1) << Key.TRANSACTIONS)) == 0)
    missing("transactions");
  // -1 where the JSON has no list, as that of nodes that leave it out; the header's root says whether the block has one.
  if ((seen & ((<u64>1) << Key.WITHDRAWALS)) == 0) store<i32>(record, -1, Block.WITHDRAWALS);
  return closed;
}
