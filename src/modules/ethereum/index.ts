// The module `ipdm:ethereum`: blocks as JSON-RPC gives them, checked, as tables (docs/reference/ethereum.md).
import { allocate, Batch, Column } from "../../sandbox/sdk/index";
import { openArena } from "./arena";
import { openBlocks, readBlock } from "./block";
import { inBlock, told } from "./fault";
import { Block } from "./header";
import { Level, levelAsked, sendersAsked, Table, tableAsked } from "./level";
import { writeTable } from "./tables";
import { openTries } from "./trie";
import { tellUnchecked } from "./unchecked";
import { trustReceipts, trustTransactions, verifyBlock } from "./verify";
export { ipdm_abi, ipdm_alloc } from "../../sandbox/sdk/index";

export function ipdm_process(address: usize, _descriptor: usize): usize {
  const input = Batch.at(address);
  const level = levelAsked();
  const table = tableAsked();
  const senders = sendersAsked();
  const number = input.column("number");
  const hash = input.column("hash");
  const parent = input.column("parent");
  const block = input.column("block");
  const receipts = input.column("receipts");
  openRoom(block, receipts);
  openBlocks(table, level, senders);
  const blocks = allocate((<usize>input.rows) << 2);
  for (let row = 0; row < input.rows; row++) {
    const height = number.value<u64>(row);
    inBlock(height);
    const record = readBlock(block.bytes(row), block.byteLength(row), receipts.bytes(row), receipts.byteLength(row));
    store<u32>(blocks + ((<usize>row) << 2), <u32>record);
    store<u32>(record, <u32>hash.bytes(row), Block.ROW_HASH);
    const found = load<u64>(record, Block.HEIGHT);
    if (found != height) told().text("its header has number ").number(found).fail("ETH_BLOCK_NUMBER_MISMATCH");
    verifyBlock(record, level, hash.bytes(row), parent.bytes(row));
    if (level == Level.FULL) continue;
    if (table == Table.TRANSACTIONS) trustTransactions(record);
    else if (table == Table.LOGS) trustReceipts(record);
  }
  tellUnchecked();
  return writeTable(table, senders, blocks, input.rows);
}

function openRoom(block: Column, receipts: Column): void {
  let all: usize = 0;
  let longest: usize = 0;
  for (let row = 0; row < block.rows; row++) {
    all += block.byteLength(row) + receipts.byteLength(row);
    longest = max(longest, max(block.byteLength(row), receipts.byteLength(row)));
  }
  openArena(all, longest);
  // A value has half of its text at most, and beside a bloom that the text may lack, and headers.
  openTries((longest >> 1) + 1024);
}
