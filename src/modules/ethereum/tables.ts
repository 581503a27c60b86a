import { Output, OutputColumn, Type } from "../../sandbox/sdk/index";
import { addDecimal, addTime, pushDecimal, pushTime } from "./converted";
import { gasPrice, gasPriceLength } from "./gas-price";
import { has } from "./field";
import { missing } from "./fault";
import { Block } from "./header";
import { numberOf } from "./hex";
import { Senders, Table } from "./level";
import { Log, Receipt } from "./receipt";
import { contentLength, contentOf } from "./rlp";
import { contractOf, senderOf } from "./sender";
import { Tx } from "./transaction";
import { Withdrawal } from "./withdrawal";

const HASH_BYTES: u32 = 32;
const ADDRESS_BYTES: u32 = 20;
const TOPIC_ITEM: usize = 33;

/** Makes a table of the blocks whose records stand at `blocks`. Returns its batch block. */
export function writeTable(table: i32, senders: i32, blocks: usize, count: i32): usize {
  let rows = 0;
  for (let i = 0; i < count; i++) rows += rowsOf(table, blockAt(blocks, i));
  switch (table) {
    case Table.BLOCKS:
      return writeBlocks(blocks, count, rows);
    case Table.TRANSACTIONS:
      return writeTransactions(senders, blocks, count, rows);
    case Table.LOGS:
      return writeLogs(blocks, count, rows);
    default:
      return writeWithdrawals(blocks, count, rows);
  }
}

@inline
function blockAt(blocks: usize, index: i32): usize {
  return <usize>load<u32>(blocks + ((<usize>index) << 2));
}

function rowsOf(table: i32, block: usize): i32 {
  switch (table) {
    case Table.BLOCKS:
      return 1;
    case Table.TRANSACTIONS:
      return load<i32>(block, Block.TRANSACTIONS);
    case Table.LOGS:
      return load<i32>(block, Block.LOGS);
    default:
      return max(0, load<i32>(block, Block.WITHDRAWALS));
  }
}

function content(column: OutputColumn, field: usize): void {
  const item = <usize>load<u32>(field);
  column.pushBytes(contentOf(item), contentLength(item, <usize>load<u32>(field, 4)));
}

function contentOrNull(column: OutputColumn, field: usize): void {
  if (has(field)) content(column, field);
  else column.pushNull();
}

/** A QUANTITY of up to 256 bits, of a transaction or (-1) of the block. */
function decimal(column: OutputColumn, field: usize, index: i32): void {
  const item = <usize>load<u32>(field);
  pushDecimal(column, contentOf(item), contentLength(item, <usize>load<u32>(field, 4)), index);
}

function number(column: OutputColumn, field: usize, name: string): void {
  column.push<u64>(numberOf(field, name));
}

function numberOrNull(column: OutputColumn, field: usize, name: string): void {
  if (has(field)) number(column, field, name);
  else column.pushNull();
}

function writeBlocks(blocks: usize, count: i32, rows: i32): usize {
  const output = Output.of(rows, 25);
  const height = output.add("block", Type.U64, false);
  const hash = output.add("hash", Type.FIXED, false, HASH_BYTES);
  const parent = output.add("parentHash", Type.FIXED, false, HASH_BYTES);
  const time = addTime(output);
  const miner = output.add("miner", Type.FIXED, false, ADDRESS_BYTES);
  const transactions = output.add("transactions", Type.U32, false);
  const gasLimit = output.add("gasLimit", Type.U64, false);
  const gasUsed = output.add("gasUsed", Type.U64, false);
  const baseFee = addDecimal(output, "baseFeePerGas", "column.baseFeePerGas", true);
  const difficulty = addDecimal(output, "difficulty", "column.difficulty", false);
  const extra = output.add("extraData", Type.BINARY, false);
  const mix = output.add("mixHash", Type.FIXED, false, HASH_BYTES);
  const nonce = output.add("nonce", Type.FIXED, false, 8);
  const uncles = output.add("sha3Uncles", Type.FIXED, false, HASH_BYTES);
  const state = output.add("stateRoot", Type.FIXED, false, HASH_BYTES);
  const transactionsRoot = output.add("transactionsRoot", Type.FIXED, false, HASH_BYTES);
  const receiptsRoot = output.add("receiptsRoot", Type.FIXED, false, HASH_BYTES);
  const withdrawalsRoot = output.add("withdrawalsRoot", Type.FIXED, true, HASH_BYTES);
  const blobGas = output.add("blobGasUsed", Type.U64, true);
  const excess = output.add("excessBlobGas", Type.U64, true);
  const beacon = output.add("parentBeaconBlockRoot", Type.FIXED, true, HASH_BYTES);
  const requests = output.add("requestsHash", Type.FIXED, true, HASH_BYTES);
  const withdrawals = output.add("withdrawals", Type.U32, true);
  for (let i = 0; i < count; i++) {
    const block = blockAt(blocks, i);
    height.push<u64>(load<u64>(block, Block.HEIGHT));
    hash.pushBytes(<usize>load<u32>(block, Block.ROW_HASH), HASH_BYTES);
    content(parent, block + Block.PARENT);
    pushTime(time, load<u64>(block, Block.TIME));
    content(miner, block + Block.MINER);
    transactions.push<u32>(load<u32>(block, Block.TRANSACTIONS));
    number(gasLimit, block + Block.GAS_LIMIT, "gasLimit");
    number(gasUsed, block + Block.GAS_USED, "gasUsed");
    if (has(block + Block.BASE_FEE)) decimal(baseFee, block + Block.BASE_FEE, -1);
    else baseFee.pushNull();
    decimal(difficulty, block + Block.DIFFICULTY, -1);
    content(extra, block + Block.EXTRA);
    content(mix, block + Block.MIX);
    content(nonce, block + Block.NONCE);
    content(uncles, block + Block.UNCLES);
    content(state, block + Block.STATE_ROOT);
    content(transactionsRoot, block + Block.TRANSACTIONS_ROOT);
    content(receiptsRoot, block + Block.RECEIPTS_ROOT);
    contentOrNull(withdrawalsRoot, block + Block.WITHDRAWALS_ROOT);
    numberOrNull(blobGas, block + Block.BLOB_GAS, "blobGasUsed");
    numberOrNull(excess, block + Block.EXCESS_BLOB_GAS, "excessBlobGas");
    contentOrNull(beacon, block + Block.BEACON_ROOT);
    contentOrNull(requests, block + Block.REQUESTS_HASH);
    // Null where they are not known, and so were not checked; a block of before them has no root either.
    const listed = load<i32>(block, Block.WITHDRAWALS);
    if (listed < 0) withdrawals.pushNull();
    else withdrawals.push<u32>(<u32>listed);
  }
  return output.finish();
}

function writeTransactions(senders: i32, blocks: usize, count: i32, rows: i32): usize {
  const output = Output.of(rows, 20);
  const height = output.add("block", Type.U64, false);
  const time = addTime(output);
  const tx = output.add("tx", Type.FIXED, false, HASH_BYTES);
  const txIndex = output.add("txIndex", Type.U32, false);
  const type = output.add("type", Type.U8, false);
  const known = senders != Senders.NONE;
  const from = known ? output.add("from", Type.FIXED, false, ADDRESS_BYTES) : changetype<OutputColumn>(0);
  const to = output.add("to", Type.FIXED, true, ADDRESS_BYTES);
  const contract = known ? output.add("contract", Type.FIXED, true, ADDRESS_BYTES) : changetype<OutputColumn>(0);
  const nonce = output.add("nonce", Type.U64, false);
  const value = addDecimal(output, "value", "column.value", false);
  const gasLimit = output.add("gasLimit", Type.U64, false);
  const gasUsed = output.add("gasUsed", Type.U64, false);
  const price = addDecimal(output, "gasPrice", "column.gasPrice", false);
  const status = output.add("status", Type.U8, true);
  const logs = output.add("logs", Type.U32, false);
  const input = output.add("input", Type.BINARY, false);
  for (let i = 0; i < count; i++) {
    const block = blockAt(blocks, i);
    let receipt = <usize>load<u32>(block, Block.FIRST_RECEIPT);
    let index = 0;
    for (let at = <usize>load<u32>(block, Block.FIRST_TRANSACTION); at != 0; at = <usize>load<u32>(at)) {
      height.push<u64>(load<u64>(block, Block.HEIGHT));
      pushTime(time, load<u64>(block, Block.TIME));
      tx.pushBytes(at + Tx.COMPUTED, HASH_BYTES);
      txIndex.push<u32>(index);
      type.push<u8>(<u8>load<u32>(at, Tx.KIND));
      if (known) {
        const sender = senderOf(at, senders, index);
        from.pushBytes(sender, ADDRESS_BYTES);
        if (has(at + Tx.TO)) contract.pushNull();
        else contract.pushBytes(contractOf(sender, at + Tx.NONCE), ADDRESS_BYTES);
      }
      contentOrNull(to, at + Tx.TO);
      number(nonce, at + Tx.NONCE, "nonce");
      decimal(value, at + Tx.VALUE, index);
      number(gasLimit, at + Tx.GAS, "gas");
      gasUsed.push<u64>(load<u64>(receipt, Receipt.USED));
      pushDecimal(price, gasPrice(at, block), gasPriceLength, index);
      if (has(receipt + Receipt.STATUS)) status.push<u8>(<u8>numberOf(receipt + Receipt.STATUS, "status"));
      else status.pushNull();
      logs.push<u32>(load<u32>(receipt, Receipt.LOGS));
      content(input, at + Tx.INPUT);
      receipt = <usize>load<u32>(receipt);
      index++;
    }
  }
  return output.finish();
}

function writeLogs(blocks: usize, count: i32, rows: i32): usize {
  const output = Output.of(rows, 11);
  const height = output.add("block", Type.U64, false);
  const time = addTime(output);
  const tx = output.add("tx", Type.FIXED, false, HASH_BYTES);
  const txIndex = output.add("txIndex", Type.U32, false);
  const logIndex = output.add("logIndex", Type.U32, false);
  const address = output.add("address", Type.FIXED, false, ADDRESS_BYTES);
  const topic0 = output.add("topic0", Type.FIXED, true, HASH_BYTES);
  const topic1 = output.add("topic1", Type.FIXED, true, HASH_BYTES);
  const topic2 = output.add("topic2", Type.FIXED, true, HASH_BYTES);
  const topic3 = output.add("topic3", Type.FIXED, true, HASH_BYTES);
  const data = output.add("data", Type.BINARY, false);
  for (let i = 0; i < count; i++) {
    const block = blockAt(blocks, i);
    const blockHeight = load<u64>(block, Block.HEIGHT);
    const blockTime = load<u64>(block, Block.TIME);
    let index: u32 = 0;
    let inBlock: u32 = 0;
    for (let receipt = <usize>load<u32>(block, Block.FIRST_RECEIPT); receipt != 0; receipt = <usize>load<u32>(receipt)) {
      const hash = <usize>load<u32>(receipt, Receipt.HASH_AT);
      for (let log = <usize>load<u32>(receipt, Receipt.FIRST_LOG); log != 0; log = <usize>load<u32>(log)) {
        height.push<u64>(blockHeight);
        pushTime(time, blockTime);
        tx.pushBytes(hash, HASH_BYTES);
        txIndex.push<u32>(index);
        logIndex.push<u32>(inBlock);
        address.pushBytes(<usize>load<u32>(log, Log.ADDRESS) + 1, ADDRESS_BYTES);
        const topics = load<u32>(log, Log.TOPIC_COUNT);
        const first = <usize>load<u32>(log, Log.TOPICS) + 1;
        topic(topic0, topics > 0, first);
        topic(topic1, topics > 1, first + TOPIC_ITEM);
        topic(topic2, topics > 2, first + 2 * TOPIC_ITEM);
        topic(topic3, topics > 3, first + 3 * TOPIC_ITEM);
        content(data, log + Log.DATA);
        inBlock++;
      }
      index++;
    }
  }
  return output.finish();
}

@inline
function topic(column: OutputColumn, exists: bool, at: usize): void {
  if (exists) column.pushBytes(at, HASH_BYTES);
  else column.pushNull();
}

function writeWithdrawals(blocks: usize, count: i32, rows: i32): usize {
  const output = Output.of(rows, 6);
  const height = output.add("block", Type.U64, false);
  const time = addTime(output);
  const index = output.add("index", Type.U64, false);
  const validator = output.add("validator", Type.U64, false);
  const address = output.add("address", Type.FIXED, false, ADDRESS_BYTES);
  const amount = output.add("amount", Type.U64, false);
  for (let i = 0; i < count; i++) {
    const block = blockAt(blocks, i);
    // A block of before withdrawals has none; one that has them and does not list them would leave rows out.
    if (load<i32>(block, Block.WITHDRAWALS) < 0 && has(block + Block.WITHDRAWALS_ROOT)) missing("withdrawals");
    for (let at = <usize>load<u32>(block, Block.FIRST_WITHDRAWAL); at != 0; at = <usize>load<u32>(at)) {
      height.push<u64>(load<u64>(block, Block.HEIGHT));
      pushTime(time, load<u64>(block, Block.TIME));
      number(index, at + Withdrawal.INDEX, "index");
      number(validator, at + Withdrawal.VALIDATOR, "validatorIndex");
      content(address, at + Withdrawal.ADDRESS);
      number(amount, at + Withdrawal.AMOUNT, "amount");
    }
  }
  return output.finish();
}
