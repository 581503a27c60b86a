// What the hash of a block commits to, computed anew (yellow paper, section 4.3).
import { allocate } from "../../sandbox/sdk/index";
import { BLOOM_BYTES, mergeBloom } from "./bloom";
import { checkReceipts, differs, explainReceipts, explainTransactions, explainWithdrawals } from "./explain";
import { inItem, missing, told } from "./fault";
import { has } from "./field";
import { Block, hashHeader } from "./header";
import { numberOf } from "./hex";
import { hashAll, hashLater } from "./keccak";
import { Level } from "./level";
import { encodeReceipt, fillBloom, noteBloom, Receipt, settleReceipt, TOPICS_MAX } from "./receipt";
import { listReceipts, listRecords, recordAt, transactionAt } from "./records";
import { encodeTransaction, settle, Tx } from "./transaction";
import { listRoot, scratchRoom } from "./trie";
import { noteUnchecked } from "./unchecked";
import { encodeWithdrawal } from "./withdrawal";

const HASH_BYTES: usize = 32;
const COMPUTED = memory.data(32, 16);
const BLOOM = memory.data(256, 16);

/** Checks a block that was read, up to a level, against its row: the hash that the data claims, and the one of the block before. */
export function verifyBlock(record: usize, level: i32, hash: usize, parent: usize): void {
  if (level == Level.NONE) return;
  hashHeader(record, scratchRoom(), COMPUTED);
  if (memory.compare(COMPUTED, hash, HASH_BYTES) != 0)
    differs(told().text("the header's hash is "), COMPUTED, hash, "the block's hash").fail("ETH_BLOCK_HASH_MISMATCH");
  const claimed = <usize>load<u32>(record, Block.HASH);
  if (claimed != 0 && memory.compare(claimed + 1, hash, HASH_BYTES) != 0)
    differs(told().text("the header's hash is "), COMPUTED, claimed + 1, "the block's hash").fail("ETH_BLOCK_HASH_MISMATCH");
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

function verifyTransactions(record: usize): void {
  const count = load<i32>(record, Block.TRANSACTIONS);
  listRecords(load<u32>(record, Block.FIRST_TRANSACTION), count);
  for (let i = 0; i < count; i++) {
    inItem("transaction", i);
    settle(recordAt(i));
  }
  listRoot(count, transactionValue, COMPUTED);
  checkHashes(count);
  inItem("", -1);
  const root = <usize>load<u32>(record, Block.TRANSACTIONS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) != 0) explainTransactions(record, root, COMPUTED);
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
  listReceipts(load<u32>(record, Block.FIRST_RECEIPT), count);
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
    store<u32>(receipt, <u32>(transactionAt(i) + Tx.COMPUTED), Receipt.HASH_AT);
  }
  listRoot(count, receiptValue, COMPUTED);
  inItem("", -1);
  const root = <usize>load<u32>(record, Block.RECEIPTS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) != 0) explainReceipts(root, COMPUTED, count);
  checkReceipts(count);
  // The root commits to all that follows; a block that a chain has accepted cannot fail here.
  if (memory.compare(BLOOM, <usize>load<u32>(record, Block.BLOOM) + 3, BLOOM_BYTES) != 0)
    told().text("the header's logsBloom is not that of its logs").fail("ETH_BLOOM_MISMATCH");
  if (before != numberOf(record + Block.GAS_USED, "gasUsed"))
    told().text("the header's gasUsed is not what its receipts add up to").fail("ETH_GAS_USED_MISMATCH");
}

function receiptValue(index: i32, to: usize): usize {
  return encodeReceipt(recordAt(index), load<u32>(transactionAt(index), Tx.KIND), to);
}

function verifyWithdrawals(record: usize): void {
  const count = load<i32>(record, Block.WITHDRAWALS);
  const hasRoot = has(record + Block.WITHDRAWALS_ROOT);
  if (count < 0) {
    if (hasRoot) noteUnchecked(load<u64>(record, Block.HEIGHT));
    return;
  }
  if (!hasRoot) {
    if (count > 0) told().text("it has withdrawals, and its header no withdrawalsRoot").fail("ETH_WITHDRAWALS_ROOT_MISMATCH");
    return;
  }
  listRecords(load<u32>(record, Block.FIRST_WITHDRAWAL), count);
  listRoot(count, withdrawalValue, COMPUTED);
  const root = <usize>load<u32>(record, Block.WITHDRAWALS_ROOT) + 1;
  if (memory.compare(COMPUTED, root, HASH_BYTES) != 0) explainWithdrawals(root, COMPUTED, count);
}

function withdrawalValue(index: i32, to: usize): usize {
  return encodeWithdrawal(recordAt(index), to);
}
