import { allocate, Output, OutputColumn, Type } from "../../../sandbox/sdk/index";
import { Block } from "../block";
import { List } from "../list";
import { Instruction, Transaction } from "../transaction";
import { pushKey } from "./cells";
import { Coordinates } from "./coordinates";
import { Walk } from "./walk";

/** One row an instruction, those of a message and those that they led to, in the order in which they ran. */
export function writeInstructions(blocks: List): usize {
  let rows = 0;
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    rows += block.instructions.count + block.inner.count;
  }
  const output = Output.of(rows, 11);
  const coordinates = Coordinates.of(output);
  const outer = output.add("instruction", Type.U32, false);
  const inner = output.add("inner", Type.U32, true);
  const depth = output.add("depth", Type.U32, true);
  const program = output.add("program", Type.UTF8, false);
  const accounts = output.add("accounts", Type.UTF8, false);
  const data = output.add("data", Type.BINARY, false);
  const failed = output.add("failed", Type.BOOL, false);
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    for (let n = 0; n < block.transactions.count; n++) {
      const transaction = block.transaction(n);
      const walk = Walk.of(block, transaction);
      while (walk.next()) {
        const instruction = walk.instruction;
        coordinates.push(block, transaction);
        outer.push<u32>(<u32>instruction.outer);
        pushNumber(inner, instruction.inner, 0);
        pushNumber(depth, instruction.depth, 1);
        pushKey(program, transaction, instruction.program);
        pushAccounts(accounts, transaction, instruction);
        data.pushBytes(instruction.data(), <usize>instruction.dataLength());
        failed.pushBool(transaction.isFailed);
      }
    }
  }
  return output.finish();
}

/** A number; null where it is below the least that it can be. */
function pushNumber(column: OutputColumn, value: i32, least: i32): void {
  if (value < least) column.pushNull();
  else column.push<u32>(<u32>value);
}

let room: usize = 0;

/** The keys of the accounts, separated by spaces. */
function pushAccounts(column: OutputColumn, transaction: Transaction, instruction: Instruction): void {
  // At most 65,535 accounts of 44 letters, if a message could be so large; its bytes bound it far below.
  if (room == 0) room = allocate(256 * 64);
  let at = room;
  let end = room + 256 * 64;
  for (let i = 0; i < instruction.accountCount; i++) {
    const key = transaction.key(instruction.account(i));
    if (at + 64 > end) {
      const grown = allocate((end - room) << 1);
      memory.copy(grown, room, at - room);
      at = grown + (at - room);
      end = grown + ((end - room) << 1);
      room = grown;
    }
    if (i > 0) store<u8>(at++, 0x20);
    memory.copy(at, key.toText(), <usize>key.textLength);
    at += <usize>key.textLength;
  }
  column.pushBytes(room, at - room);
}
