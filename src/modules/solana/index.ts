// Blocks of Solana as `getBlock` gives them become tables: the setting `table` says which, `verify` how much is checked
// (docs/reference/solana.md).
import { allocate, Batch, Column, fail, Setting } from "../../sandbox/sdk/index";
import { Place } from "../json/place";
import { Block, openBlocks, readBlock } from "./block";
import { readInner } from "./instruction-json";
import { checkLink } from "./link";
import { List } from "./list";
import { writeBalanceChanges } from "./tables/balance-changes";
import { writeBlocks } from "./tables/blocks";
import { writeInstructions } from "./tables/instructions";
import { writeTokenTransfers } from "./tables/token-transfers";
import { writeTransactions } from "./tables/transactions";
import { writeVotes } from "./tables/votes";
import { verifySignatures } from "./verify";

export { ipdm_abi, ipdm_alloc } from "../../sandbox/sdk/index";

const BLOCKS = 0;
const TRANSACTIONS = 1;
const INSTRUCTIONS = 2;
const TOKEN_TRANSFERS = 3;
const BALANCE_CHANGES = 4;
const VOTES = 5;

export function ipdm_process(address: usize, descriptor: usize): usize {
  const table = tableOf(Setting.of("table"));
  const verify = Setting.of("verify");
  const isLinked = !verify.is("none");
  const isSigned = isLinked && !verify.is("links");
  if (isSigned && verify.exists && !verify.is("full")) fail("the setting verify is none of none, links, full", "");
  const input = Batch.at(address);
  const texts = input.column("block");
  const slots = input.column("slot");
  const blocks = List.of(offsetof<Block>());
  openBlocks();
  Place.malformed = "SOLANA_BLOCK_MALFORMED";
  Place.what = "slot";
  for (let row = 0; row < input.rows; row++) {
    const block = changetype<Block>(blocks.push());
    block.slot = <u64>slots.integer(row);
    const length = texts.byteLength(row);
    block.start = closed(texts, row, length);
    block.end = block.start + length;
    Place.at(block.slot, block.start, block.end);
    readBlock(block, block.start, length);
    if (isLinked) checkLink(block, input, row);
    if (isSigned) verifySignatures(block);
    if (table == INSTRUCTIONS || table == TOKEN_TRANSFERS || table == VOTES) readAllInner(block);
  }
  return write(table, blocks);
}

/** Address of a row's text with a zero behind it. */
function closed(texts: Column, row: i32, length: usize): usize {
  const text = texts.bytes(row);
  // Behind the last text of a column come zeros, up to the next buffer or as the first of its offsets.
  if (row == texts.rows - 1 && load<u8>(text + length) == 0) return text;
  const copy = allocate(length + 64);
  memory.copy(copy, text, length);
  return copy;
}

function readAllInner(block: Block): void {
  for (let i = 0; i < block.transactions.count; i++) {
    Place.partNumber = i;
    readInner(block, block.transaction(i));
  }
  Place.partNumber = -1;
}

function tableOf(setting: Setting): i32 {
  if (setting.is("blocks")) return BLOCKS;
  if (!setting.exists || setting.is("transactions")) return TRANSACTIONS;
  if (setting.is("instructions")) return INSTRUCTIONS;
  if (setting.is("token_transfers")) return TOKEN_TRANSFERS;
  if (setting.is("balance_changes")) return BALANCE_CHANGES;
  if (!setting.is("votes")) {
    fail("the setting table is none of blocks, transactions, instructions, token_transfers, balance_changes, votes", "");
  }
  return VOTES;
}

function write(table: i32, blocks: List): usize {
  switch (table) {
    case BLOCKS:
      return writeBlocks(blocks);
    case TRANSACTIONS:
      return writeTransactions(blocks);
    case INSTRUCTIONS:
      return writeInstructions(blocks);
    case TOKEN_TRANSFERS:
      return writeTokenTransfers(blocks);
    case BALANCE_CHANGES:
      return writeBalanceChanges(blocks);
    default:
      return writeVotes(blocks);
  }
}
