import { Output, OutputColumn, Type } from "../../../sandbox/sdk/index";
import { Place } from "../../json/place";
import { Block } from "../block";
import { List } from "../list";
import { TokenAccounts } from "../token-accounts";
import { Transaction } from "../transaction";
import { Label, pushKey } from "./cells";
import { Coordinates } from "./coordinates";
import { findTransfers, KIND_BURN, KIND_MINT, TokenPrograms, Transfer } from "./token-instructions";
import { Walk } from "./walk";

/** One row a transfer, mint or burn of SPL Token or Token-2022, in the order in which they ran. */
export function writeTokenTransfers(blocks: List): usize {
  const transfers = List.of(offsetof<Transfer>());
  const programs = TokenPrograms.of();
  const accounts = TokenAccounts.of();
  for (let i = 0; i < blocks.count; i++) {
    const block = changetype<Block>(blocks.record(i));
    Place.at(block.slot, block.start, block.end);
    for (let n = 0; n < block.transactions.count; n++) {
      Place.partNumber = n;
      gather(transfers, programs, accounts, i, block, block.transaction(n));
    }
  }
  Place.partNumber = -1;
  return write(transfers, blocks);
}

function gather(
  transfers: List,
  programs: TokenPrograms,
  accounts: TokenAccounts,
  blockIndex: i32,
  block: Block,
  transaction: Transaction,
): void {
  let isRead = false;
  const walk = Walk.of(block, transaction);
  while (walk.next()) {
    const instruction = walk.instruction;
    if (!programs.has(transaction.key(instruction.program))) continue;
    if (!isRead) accounts.read(transaction);
    isRead = true;
    const first = transfers.count;
    findTransfers(transfers, accounts, transaction, instruction);
    for (let i = first; i < transfers.count; i++) {
      const transfer = changetype<Transfer>(transfers.record(i));
      transfer.block = blockIndex;
      transfer.transaction = transaction.index;
      transfer.program = instruction.program;
      transfer.outer = instruction.outer;
      transfer.inner = instruction.inner;
    }
  }
}

function write(transfers: List, blocks: List): usize {
  const output = Output.of(transfers.count, 17);
  const coordinates = Coordinates.of(output);
  const outer = output.add("instruction", Type.U32, false);
  const inner = output.add("inner", Type.U32, true);
  const kind = output.add("kind", Type.UTF8, false);
  const program = output.add("program", Type.UTF8, false);
  const mint = output.add("mint", Type.UTF8, true);
  const decimals = output.add("decimals", Type.U8, true);
  const from = output.add("from", Type.UTF8, true);
  const to = output.add("to", Type.UTF8, true);
  const fromOwner = output.add("from_owner", Type.UTF8, true);
  const toOwner = output.add("to_owner", Type.UTF8, true);
  const amount = output.add("amount", Type.U64, false);
  const fee = output.add("fee", Type.U64, true);
  const failed = output.add("failed", Type.BOOL, false);
  const transferLabel = Label.of("transfer");
  const mintLabel = Label.of("mint");
  const burnLabel = Label.of("burn");
  for (let i = 0; i < transfers.count; i++) {
    const transfer = changetype<Transfer>(transfers.record(i));
    const block = changetype<Block>(blocks.record(transfer.block));
    const transaction = block.transaction(transfer.transaction);
    coordinates.push(block, transaction);
    outer.push<u32>(<u32>transfer.outer);
    if (transfer.inner < 0) inner.pushNull();
    else inner.push<u32>(<u32>transfer.inner);
    (transfer.kind == KIND_MINT ? mintLabel : transfer.kind == KIND_BURN ? burnLabel : transferLabel).push(kind);
    pushKey(program, transaction, transfer.program);
    pushText(mint, transfer.mint, transfer.mintLength);
    if (transfer.decimalsAndOne == 0) decimals.pushNull();
    else decimals.push<u8>(<u8>(transfer.decimalsAndOne - 1));
    pushKey(from, transaction, transfer.from);
    pushKey(to, transaction, transfer.to);
    pushText(fromOwner, transfer.fromOwner, transfer.fromOwnerLength);
    pushText(toOwner, transfer.toOwner, transfer.toOwnerLength);
    amount.push<u64>(transfer.amount);
    if (transfer.hasFee) fee.push<u64>(transfer.fee);
    else fee.pushNull();
    failed.pushBool(transaction.isFailed);
  }
  return output.finish();
}

function pushText(column: OutputColumn, at: usize, length: i32): void {
  if (at == 0) column.pushNull();
  else column.pushBytes(at, <usize>length);
}
