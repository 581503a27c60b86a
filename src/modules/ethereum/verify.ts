// What the hash of a block commits to, computed anew (yellow paper, section 4.3).
import { allocate, Message } from "../../sandbox/sdk/index";
import { BLOOM_BYTES, mergeBloom } from "./bloom";
import { inItem, missing, told } from "./fault";
import { has } from "./field";
import { Block, hashHeader } from "./header";
import { numberOf } from "./hex";
import { hashAll, hashLater } from "./keccak";
import { Level } from "./level";
import { bloomFits, encodeReceipt, fillBloom, Log, noteBloom, Receipt, settleReceipt, TOPICS_MAX, typeFits } from "./receipt";
import { encodeTransaction, settle, Tx } from "./transaction";
import { listRoot, scratchRoom } from "./trie";
import { encodeWithdrawal } from "./withdrawal";

const HASH_BYTES: usize = 32;
const COMPUTED = memory.data(32, 16);
const BLOOM = memory.data(256, 16);

// Records by index, of the block that is being verified.
let records: usize = 0;
let transactionsOf: usize = 0;
let room: i32 = 0;

/** Checks a block that was read, up to a level, against its row: the hash that the data claims, and the one of the block before. */
export function verifyBlock(record: usize, level: i32, hash: usize, parent: usize): void {
  if (level == Level.NONE) return;
  hashHeader(record, scratchRoom(), COMPUTED);
  if (memory.compare(COMPUTED, hash, HASH_BYTES) != 0)
    differs(told().text("the header's hash is "), hash, "the block's hash").fail("ETH_BLOCK_HASH_MISMATCH");
  const claimed = <usize>load<u32>(record, Block.HASH);
  if (claimed != 0 && memory.compare(claimed + 1, hash, HASH_BYTES) != 0)
    differs(told().text("the header's hash is "), claimed + 1, "the block's hash").fail("ETH_BLOCK_HASH_MISMATCH");
  if (level == Level.HASH) return;
  const above = <usize>load<u32>(record, Block.PARENT) + 1;
  if (memory.compare(above, parent, HASH_BYTES) != 0)
    told()
      .text("its parent is ")
      .hex(above, HASH_BYTES)
      .text(", and the block before is ")
      .hex(parent, HASH_BYTES)
      .fail("ETH_PARENT_MISMATCH");
  if (level == Level.LINKS) return;
  verifyTransactions(record);
  verifyReceipts(record);
  verifyWithdrawals(record);
}

/** Ends a message that began with what was to be computed, with what was found (in COMPUTED) and what was claimed. */
function differs(message: Message, claimed: usize, what: string): Message {
  return message.hex(COMPUTED, HASH_BYTES).text(", and ").text(what).text(" is ").hex(claimed, HASH_BYTES);
}

/** Lists records by their index: they are linked, and tries ask for them in another order. */
function list(first: usize, count: i32): usize {
  if (count > room) {
    room = max(count, 2 * room);
    records = allocate((<usize>room) << 3);
    transactionsOf = records + ((<usize>room) << 2);
  }
  let at = records;
  for (let record = first; record != 0; record = <usize>load<u32>(record)) {
    store<u32>(at, <u32>record);
    at += 4;
  }
  return records;
}

@inline
function recordAt(index: i32): usize {
  return <usize>load<u32>(records + ((<usize>index) << 2));
}

function verifyTransactions(record: usize): void {
  const count = load<i32>(record, Block.TRANSACTIONS);
  list(load<u32>(record, Block.FIRST_TRANSACTION), count);
  for (let i = 0; i < count; i++) {
    inItem("transaction", i);
    settle(recordAt(i));
  }
  listRoot(count, transactionValue, COMPUTED);
  checkHashes(count);
  inItem("", -1);
  const root = <usize>load<u32>(record, Block.TRANSACTIONS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) == 0) return;
  differs(told().text("the root of its transactions is "), root, "the header's transactionsRoot")
    .text("; each of the ")
    .number(<u64>count)
    .text(" has the hash it is given, so one was left out, added or moved")
    .fail("ETH_TRANSACTIONS_ROOT_MISMATCH");
}

function transactionValue(index: i32, to: usize): usize {
  const record = recordAt(index);
  const end = encodeTransaction(record, to);
  hashLater(to, end - to, record + Tx.COMPUTED);
  return end;
}

/** Stops at the first transaction that is given another hash than the one that was computed. */
function checkHashes(count: i32): void {
  for (let i = 0; i < count; i++) {
    const record = recordAt(i);
    const claimed = <usize>load<u32>(record, Tx.HASH);
    inItem("transaction", i);
    if (claimed == 0) missing("hash");
    if (memory.compare(claimed + 1, record + Tx.COMPUTED, HASH_BYTES) == 0) continue;
    told()
      .text("its hash is ")
      .hex(record + Tx.COMPUTED, HASH_BYTES)
      .text(", and it is given as ")
      .hex(claimed + 1, HASH_BYTES)
      .text(": a signed field was changed, or the hash")
      .fail("ETH_TRANSACTION_HASH_MISMATCH");
  }
}

function checkCount(record: usize): void {
  const count = load<i32>(record, Block.RECEIPTS);
  const transactions = load<i32>(record, Block.TRANSACTIONS);
  if (count == transactions) return;
  told()
    .number(<u64>count)
    .text(" receipts stand beside ")
    .number(<u64>transactions)
    .text(" transactions")
    .fail("ETH_RECEIPTS_COUNT_MISMATCH");
}

/** Notes what a receipt's transaction used: the gas of all so far less that before it. Returns the gas of all so far. */
function noteGas(receipt: usize, before: u64): u64 {
  const cumulative = numberOf(receipt + Receipt.CUMULATIVE, "cumulativeGasUsed");
  store<u64>(receipt, cumulative - before, Receipt.USED);
  return cumulative;
}

/** Prepares a block's transactions and receipts for a table of transactions that are not verified: hashes are those that are claimed. */
export function trustTransactions(record: usize): void {
  checkCount(record);
  let receipt = <usize>load<u32>(record, Block.FIRST_RECEIPT);
  let before: u64 = 0;
  let index = 0;
  for (let at = <usize>load<u32>(record, Block.FIRST_TRANSACTION); at != 0; at = <usize>load<u32>(at)) {
    inItem("transaction", index);
    settle(at);
    const claimed = <usize>load<u32>(at, Tx.HASH);
    if (claimed == 0) missing("hash");
    memory.copy(at + Tx.COMPUTED, claimed + 1, HASH_BYTES);
    inItem("receipt", index);
    settleReceipt(receipt);
    before = noteGas(receipt, before);
    receipt = <usize>load<u32>(receipt);
    index++;
  }
  inItem("", -1);
}

/** Prepares a block's receipts for a table of logs that are not verified. */
export function trustReceipts(record: usize): void {
  let index = 0;
  for (let receipt = <usize>load<u32>(record, Block.FIRST_RECEIPT); receipt != 0; receipt = <usize>load<u32>(receipt)) {
    inItem("receipt", index);
    const claimed = <usize>load<u32>(receipt, Receipt.TX_HASH);
    if (claimed == 0) missing("transactionHash");
    store<u32>(receipt, <u32>(claimed + 1), Receipt.HASH_AT);
    index++;
  }
  inItem("", -1);
}

function verifyReceipts(record: usize): void {
  checkCount(record);
  const count = load<i32>(record, Block.RECEIPTS);
  memory.copy(transactionsOf, records, (<usize>count) << 2);
  list(load<u32>(record, Block.FIRST_RECEIPT), count);
  memory.fill(BLOOM, 0, BLOOM_BYTES);
  let before: u64 = 0;
  const hashes = allocate((<usize>load<i32>(record, Block.LOGS) * (TOPICS_MAX + 1)) << 2);
  let noted = hashes;
  for (let i = 0; i < count; i++) {
    inItem("receipt", i);
    const receipt = recordAt(i);
    settleReceipt(receipt);
    noted = noteBloom(receipt, noted);
  }
  hashAll();
  noted = hashes;
  for (let i = 0; i < count; i++) {
    inItem("receipt", i);
    const receipt = recordAt(i);
    noted = fillBloom(receipt, noted);
    mergeBloom(BLOOM, load<u32>(receipt, Receipt.COMPUTED_BLOOM));
    before = noteGas(receipt, before);
    store<u32>(receipt, load<u32>(transactionsOf + ((<usize>i) << 2)) + <u32>Tx.COMPUTED, Receipt.HASH_AT);
  }
  listRoot(count, receiptValue, COMPUTED);
  inItem("", -1);
  const root = <usize>load<u32>(record, Block.RECEIPTS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) != 0) explainReceipts(root, count);
  checkReceipts(count);
  // The root commits to all that follows; a block that a chain has accepted cannot fail here.
  if (memory.compare(BLOOM, <usize>load<u32>(record, Block.BLOOM) + 3, BLOOM_BYTES) != 0)
    told().text("the header's logsBloom is not that of its logs").fail("ETH_BLOOM_MISMATCH");
  if (before != numberOf(record + Block.GAS_USED, "gasUsed"))
    told().text("the header's gasUsed is not what its receipts add up to").fail("ETH_GAS_USED_MISMATCH");
}

function receiptValue(index: i32, to: usize): usize {
  const transaction = <usize>load<u32>(transactionsOf + ((<usize>index) << 2));
  return encodeReceipt(recordAt(index), load<u32>(transaction, Tx.KIND), to);
}

/** Stops at a receipts root that differs, with the first receipt that contradicts itself, its neighbours or its transaction. */
function explainReceipts(root: usize, count: i32): void {
  let logs: u64 = 0;
  let before: u64 = 0;
  for (let i = 0; i < count; i++) {
    const receipt = recordAt(i);
    const transaction = <usize>load<u32>(transactionsOf + ((<usize>i) << 2));
    inItem("receipt", i);
    const claimed = <usize>load<u32>(receipt, Receipt.TX_HASH);
    if (claimed != 0 && memory.compare(claimed + 1, transaction + Tx.COMPUTED, HASH_BYTES) != 0)
      because("it is of another transaction than the one in its place");
    if (!typeFits(receipt, load<u32>(transaction, Tx.KIND))) because("its type is not that of its transaction");
    for (let log = <usize>load<u32>(receipt, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
      if (has(log + Log.INDEX) && numberOf(log + Log.INDEX, "logIndex") != logs)
        because("its logs are not numbered without gaps: one was left out, added or moved");
      logs++;
    }
    if (!bloomFits(receipt)) because("its logsBloom is not that of its logs: a log was left out, added or changed");
    const cumulative = numberOf(receipt + Receipt.CUMULATIVE, "cumulativeGasUsed");
    if (cumulative < before) because("its cumulativeGasUsed is below that of the receipt before");
    if (has(receipt + Receipt.GAS) && numberOf(receipt + Receipt.GAS, "gasUsed") != cumulative - before)
      because("its gasUsed is not what its cumulativeGasUsed adds to the receipt before");
    before = cumulative;
  }
  inItem("", -1);
  differs(told().text("the root of its receipts is "), root, "the header's receiptsRoot")
    .text("; no receipt contradicts itself, so a committed value was changed: a status, the data of a log or its order")
    .fail("ETH_RECEIPTS_ROOT_MISMATCH");
}

/** Stops at a receipt that says another type or bloom than those that were hashed for it: with them the root would be another one. */
function checkReceipts(count: i32): void {
  for (let i = 0; i < count; i++) {
    const receipt = recordAt(i);
    const transaction = <usize>load<u32>(transactionsOf + ((<usize>i) << 2));
    inItem("receipt", i);
    if (!typeFits(receipt, load<u32>(transaction, Tx.KIND))) because("its type is not that of its transaction");
    if (!bloomFits(receipt)) because("its logsBloom is not that of its logs");
  }
  inItem("", -1);
}

function because(what: string): void {
  told().text(what).text(" (the root of the receipts as they are given is not the header's receiptsRoot)").fail("ETH_RECEIPTS_ROOT_MISMATCH");
}

function verifyWithdrawals(record: usize): void {
  const count = load<i32>(record, Block.WITHDRAWALS);
  const hasRoot = has(record + Block.WITHDRAWALS_ROOT);
  if (count < 0) return;
  if (!hasRoot) {
    if (count > 0) told().text("it has withdrawals, and its header no withdrawalsRoot").fail("ETH_WITHDRAWALS_ROOT_MISMATCH");
    return;
  }
  list(load<u32>(record, Block.FIRST_WITHDRAWAL), count);
  listRoot(count, withdrawalValue, COMPUTED);
  const root = <usize>load<u32>(record, Block.WITHDRAWALS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) != 0)
    differs(told().text("the root of its withdrawals is "), root, "the header's withdrawalsRoot").fail(
      "ETH_WITHDRAWALS_ROOT_MISMATCH",
    );
}

function withdrawalValue(index: i32, to: usize): usize {
  return encodeWithdrawal(recordAt(index), to);
}
