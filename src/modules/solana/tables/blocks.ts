import { Output, Type } from "../../../sandbox/sdk/index";
import { readInteger } from "../../json/scanner";
import { Block } from "../block";
import { List } from "../list";
import { pushTime } from "./coordinates";

/** One row a block. */
export function writeBlocks(blocks: List): usize {
  const output = Output.of(blocks.count, 10);
  const slot = output.add("slot", Type.U64, false);
  const time = output.add("time", Type.TIMESTAMP, true);
  const blockhash = output.add("blockhash", Type.UTF8, false);
  const parent = output.add("parent", Type.UTF8, false);
  const parentSlot = output.add("parent_slot", Type.U64, false);
  const height = output.add("height", Type.U64, true);
  const transactions = output.add("transactions", Type.U32, false);
  const failed = output.add("failed", Type.U32, false);
  const fees = output.add("fees", Type.U64, false);
  const units = output.add("compute_units", Type.U64, false);
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    slot.push<u64>(block.slot);
    pushTime(time, block);
    blockhash.pushBytes(block.hashAt + 1, block.hashEnd - block.hashAt - 2);
    parent.pushBytes(block.previousAt + 1, block.previousEnd - block.previousAt - 2);
    parentSlot.push<u64>(block.parentSlot);
    if (block.hasHeight) height.push<u64>(block.height);
    else height.pushNull();
    let failures: u32 = 0;
    let feeSum: u64 = 0;
    let unitSum: u64 = 0;
    for (let n = 0; n < block.transactions.count; n++) {
      const transaction = block.transaction(n);
      if (transaction.isFailed) failures++;
      feeSum += readInteger(transaction.feeAt);
      if (transaction.unitsAt != 0) unitSum += readInteger(transaction.unitsAt);
    }
    transactions.push<u32>(<u32>block.transactions.count);
    failed.push<u32>(failures);
    fees.push<u64>(feeSum);
    units.push<u64>(unitSum);
  }
  return output.finish();
}
