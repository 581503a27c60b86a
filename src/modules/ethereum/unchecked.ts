import { Message } from "../../sandbox/sdk/index";

// Blocks of the call whose JSON lists no withdrawals although the header commits to some.
let blocks: u64 = 0;
let first: u64 = 0;
let last: u64 = 0;

/** Notes a block whose withdrawals are not known, and so not checked. */
export function noteUnchecked(height: u64): void {
  if (blocks == 0) first = height;
  last = height;
  blocks++;
}

/** Tells the log of the blocks that were noted, in one line that src/run/unchecked-blocks.ts reads. */
export function tellUnchecked(): void {
  if (blocks == 0) return;
  Message.of("withdrawals of ")
    .number(blocks)
    .text(" blocks from ")
    .number(first)
    .text(" to ")
    .number(last)
    .text(" are not in the JSON and were not checked")
    .log();
}
