import { Batch } from "../../sandbox/sdk/index";
import { Place } from "../json/place";
import { Block } from "./block";

/** Checks that a block names the block of the row before as its parent, by blockhash and slot, and is the one that its row is of. */
export function checkLink(block: Block, input: Batch, row: i32): void {
  const own = input.column("blockhash");
  if (!isSame(block.hashAt, block.hashEnd, own.bytes(row), own.byteLength(row)))
    refuse("its blockhash is ", block.hashAt, block.hashEnd, own.bytes(row), own.byteLength(row));
  const parent = input.column("parent");
  if (!isSame(block.previousAt, block.previousEnd, parent.bytes(row), parent.byteLength(row)))
    refuse("its previousBlockhash is ", block.previousAt, block.previousEnd, parent.bytes(row), parent.byteLength(row));
  const parentSlot = <u64>input.column("parent_slot").integer(row);
  if (block.parentSlot == parentSlot && parentSlot < max<u64>(block.slot, 1)) return;
  Place.message()
    .text("its parentSlot is ")
    .number(block.parentSlot)
    .text(", that of the block before ")
    .number(parentSlot)
    .fail("SOLANA_LINK_BROKEN");
}

function isSame(quote: usize, end: usize, text: usize, length: usize): bool {
  return end - quote - 2 == length && memory.compare(quote + 1, text, length) == 0;
}

function refuse(what: string, quote: usize, end: usize, wanted: usize, wantedLength: usize): void {
  Place.message()
    .text(what)
    .quote(quote + 1, end - quote - 2)
    .text(", where ")
    .quote(wanted, wantedLength)
    .text(" is due")
    .fail("SOLANA_LINK_BROKEN");
}
